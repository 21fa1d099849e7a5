// Answers and several exchanges at once, on any transport.
#include "hermesctl/net/http.hpp"

#include "hermesctl/base/text.hpp"

#include <algorithm>
#include <utility>

namespace hermesctl::net {

std::string_view Response::header(std::string_view name) const {
    auto found =
        std::ranges::find_if(headers, [&](const Header& h) { return equal_ignoring_case(h.name, name); });
    return found == headers.end() ? std::string_view{} : std::string_view{found->value};
}

namespace {

/// What was started before it is only sent by poll().
Transport::Ticket started(Transport& transport, const Request& request, Handler handler) {
    try {
        return transport.start(request, std::move(handler));
    } catch (const Error& error) {
        throw NotSent(error);
    }
}

}  // namespace

void exchange(Transport& transport, std::span<const Request> requests, std::span<const std::size_t> asked,
              const Take& take) {
    std::vector<Transport::Ticket> tickets;
    std::size_t open = asked.size();
    try {
        for (const std::size_t i : asked) {
            auto taken = [&take, &open, i](Response response) {
                --open;
                take(i, std::move(response));
            };
            tickets.push_back(started(transport, requests[i], {.on_done = taken}));
        }
        while (open > 0)
            transport.poll(std::chrono::seconds{60});
    } catch (...) {
        for (auto ticket : tickets)
            transport.cancel(ticket);  // their handlers point into this frame
        throw;
    }
}

std::string percent_encode(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return out;
}

}  // namespace hermesctl::net
