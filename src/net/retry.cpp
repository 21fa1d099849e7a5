// client-go's retry rules (rest/with_retry.go), with an end that suits a person who waits.
#include "hermesctl/net/retry.hpp"

#include "hermesctl/base/interrupt.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>
#include <vector>

namespace hermesctl::net {
namespace {

using std::chrono::milliseconds;

constexpr int most_tries = 10;
constexpr int most_detours = 3;
constexpr milliseconds longest_wait{30'000};  // over all tries, when each answer names the same delay
constexpr milliseconds shortest_wait{100};    // Retry-After: 0 is not an invitation to spin

std::optional<milliseconds> retry_after(const Response& response) {
    auto text = response.header("Retry-After");
    int seconds = -1;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || seconds < 0) return std::nullopt;
    return std::max(shortest_wait, milliseconds{std::chrono::seconds{seconds}});
}

std::optional<milliseconds> delay_as_told(const Response& response, int attempt) {
    if (response.status != 429 && response.status < 500) return std::nullopt;
    auto delay = retry_after(response);
    if (!delay || *delay * attempt > longest_wait) return std::nullopt;
    return delay;
}

/// The way from the API server to the kubelet is gone for a moment (k3s' tunnel, say), and the server says so
/// without Retry-After. Nothing runs before that way stands.
std::optional<milliseconds> delay_of_upgrade(const Request& request, const Response& answer, int attempt) {
    const bool no_way =
        answer.status == 500 && answer.body.find("error dialing backend") != std::string::npos;
    if (no_way && attempt <= most_detours) return milliseconds{250 << attempt};
    return next_delay(request, answer, attempt);
}

}  // namespace

std::optional<milliseconds> next_delay(const Request& request, const Response& response, int attempt) {
    if (attempt >= most_tries) return std::nullopt;
    if (response.status != 0) return delay_as_told(response, attempt);
    if (!response.transient) return std::nullopt;
    if (!response
             .connected) {  // nobody has seen the request; two more tries tell a restart from "no cluster"
        if (attempt > 2) return std::nullopt;
        return milliseconds{attempt == 1 ? 200 : 500};
    }
    if (request.method != "GET") return std::nullopt;
    return std::min(milliseconds{1000}, milliseconds{125 << attempt});
}

void exchange_retrying(Transport& transport, Clock& clock, std::span<const Request> requests,
                       const Take& take) {
    std::vector<std::size_t> open(requests.size());
    std::iota(open.begin(), open.end(), std::size_t{0});
    std::vector<bool> doubtful(requests.size());
    for (int attempt = 1;; ++attempt) {
        std::vector<std::size_t> again;
        milliseconds wait{0};
        const auto judge = [&](std::size_t i, Response answer) {
            answer.doubtful = doubtful[i];
            auto delay = next_delay(requests[i], answer, attempt);
            if (!delay || clock.now() + *delay >= requests[i].end) return take(i, std::move(answer));
            if (answer.status >= 500) doubtful[i] = true;
            wait = std::max(wait, *delay);
            again.push_back(i);
        };
        try {
            exchange(transport, requests, open, judge);
        } catch (const NotSent& error) {
            if (attempt > 1) throw Error(error);  // not this time
            throw;
        }
        if (again.empty()) return;
        std::ranges::sort(again);
        open = std::move(again);
        clock.sleep(wait);
        throw_if_interrupted();
    }
}

Upgrade upgrade_retrying(Transport& transport, Clock& clock, Request request,
                         std::span<const std::string> protocols, Clock::Time end) {
    for (int attempt = 1;; ++attempt) {
        const auto left = std::chrono::floor<milliseconds>(end - clock.now());
        request.timeout = std::clamp(left, milliseconds{1}, request.timeout);
        Upgrade upgrade = transport.upgrade(request, protocols);
        if (upgrade.socket) return upgrade;
        const auto delay = delay_of_upgrade(request, upgrade.answer, attempt);
        if (!delay || clock.now() + *delay >= end) return upgrade;
        clock.sleep(*delay);
        throw_if_interrupted();
    }
}

}  // namespace hermesctl::net
