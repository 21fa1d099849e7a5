// Reading: single objects, collections, and any path.
#include "hermesctl/kube/client.hpp"

#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/net/retry.hpp"
#include "selector.hpp"
#include "warnings.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

constexpr std::chrono::seconds shortest_look{1};  // also with --timeout 0s

std::string query_of(const Selector& selector) {
    const std::string query = selector_query(selector);
    return query.empty() ? query : "?" + query;
}

}  // namespace

Read read_of(const Ref& ref) {
    return {object_path(ref), "reading " + title(ref), ""};
}

Read read_of(const Client::Listing& listing) {
    const Kind& kind = kind_of(listing.kind);
    return {collection_path(kind, listing.ns) + query_of(listing.selector),
            fmt::format("listing {}", kind.plural), listing.kind};
}

Read read_of(std::string path) {
    std::string what_for = "reading " + path;
    return {std::move(path), std::move(what_for), ""};
}

const Json& Outcome::value() const {
    if (error) throw ApiError(*error);
    return *object;
}

Client::Client(net::Transport& transport, Clock& clock, Reporter& reporter,
               std::optional<Clock::Duration> patience)
    : transport_(transport), clock_(clock), reporter_(reporter), patience_(patience) {}

std::optional<Json> Client::get(const Ref& ref) {
    Outcome outcome = look(ref);
    if (outcome.not_found()) return std::nullopt;
    outcome.value();  // or its error
    return std::move(outcome.object);
}

Outcome Client::look(const Ref& ref) {
    return std::move(get_all({&ref, 1}).front());
}

std::vector<Outcome> Client::get_all(std::span<const Ref> refs) {
    std::vector<Read> reads;
    for (const Ref& ref : refs)
        reads.push_back(read_of(ref));
    return read_all(reads);
}

std::vector<Json> Client::list(std::string_view kind, std::string_view ns, const Selector& selector) {
    const Listing listing{std::string(kind), std::string(ns), selector};
    Outcome outcome = std::move(list_all({&listing, 1}).front());
    outcome.value();  // or its error
    return std::move(outcome.object->at("items").get_ref<Json::array_t&>());
}

std::vector<Outcome> Client::list_all(std::span<const Listing> listings) {
    std::vector<Read> reads;
    for (const Listing& listing : listings)
        reads.push_back(read_of(listing));
    return read_all(reads);
}

Outcome Client::get_path(std::string_view path) {
    const Read read = read_of(std::string(path));
    return std::move(read_all({&read, 1}).front());
}

std::vector<Outcome> Client::read_all(std::span<const Read> reads) {
    std::vector<net::Request> requests;
    std::vector<std::string> what_for;
    const Clock::Time end = round_end();
    for (const Read& read : reads) {
        requests.push_back({.target = read.path, .headers = {{"Accept", read.accept}}, .end = end});
        what_for.push_back(read.what_for);
    }
    return outcomes(requests, what_for, reads);
}

Clock::Time Client::round_end() const {
    return patience_ ? clock_.now() + std::max<Clock::Duration>(*patience_, shortest_look)
                     : Clock::Time::max();
}

// Each answer is read as soon as it is there: while others are on their way, and no text is kept beside what
// it says.
std::vector<Outcome> Client::outcomes(std::span<const net::Request> requests,
                                      std::span<const std::string> what_for, std::span<const Read> reads) {
    static const Read plain;
    std::vector<Outcome> result(requests.size());
    const auto timeout = [this] { return fmt::format(" (--timeout {})", short_duration(*patience_)); };
    if (out_of_time_) {
        throw_if_interrupted();
        const net::Response none{.failure = "the time was up before this was asked" + timeout(),
                                 .connected = true};
        for (std::size_t i = 0; i < result.size(); ++i)
            result[i].error.emplace(none, what_for[i]);
        return result;
    }
    net::exchange_retrying(transport_, clock_, requests, [&](std::size_t i, net::Response answer) {
        if (answer.status == 0 && clock_.now() >= requests[i].end) {
            out_of_time_ = true;
            answer.failure += timeout();
        }
        const Read& read = reads.empty() ? plain : reads[i];
        if (!read.quiet) result[i].warned = show_warnings(answer);
        note_time(answer);
        const bool complete = answer.ok() && answer.failure.empty();
        Json body = !complete           ? Json()
                    : read.kind.empty() ? parsed(answer.body)
                                        : parsed_list(answer.body, kind_of(read.kind));
        if (!complete || !body.is_object()) {
            result[i].error.emplace(answer, what_for[i]);
            const bool no_end = answer.ok() || answer.status >= 500;  // cut off; of a proxy or of etcd, say
            result[i].lost = answer.doubtful || (answer.status == 0 ? answer.connected : no_end);
            return;
        }
        result[i].object = std::move(body);
        result[i].created = answer.status == 201;
    });
    return result;
}

Outcome Client::one(const net::Request& request, const std::string& what_for) {
    return std::move(outcomes({&request, 1}, {&what_for, 1}).front());
}

/// Whether there are any, also such as were shown before or are expected.
bool Client::show_warnings(const net::Response& answer) {
    const auto texts = warnings_of(answer);
    for (const std::string& text : texts) {
        const bool expected = std::any_of(expected_.begin(), expected_.end(), [&](const std::string& part) {
            return text.find(part) != std::string::npos;
        });
        if (expected || !warned_.insert(text).second) continue;
        // A subject of its own for each: the same subject again would replace the one before.
        const std::string subject =
            warned_.size() == 1 ? "server" : fmt::format("server ({})", warned_.size());
        reporter_.on({"warning", subject, State::warning, scrub(text)});
    }
    return !texts.empty();
}

void Client::note_time(const net::Response& answer) {
    const std::string date(answer.header("Date"));
    std::tm parts{};
    const char* end = strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);  // RFC 9110, 5.6.7
    if (end == nullptr || *end != '\0') return;
    const auto ours = std::chrono::floor<std::chrono::seconds>(clock_.wall());
    ahead_ = std::chrono::floor<std::chrono::seconds>(wall_of(timegm(&parts)) - ours);
}

}  // namespace hermesctl::kube
