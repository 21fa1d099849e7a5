// List, then watch from the list's resource version. A watch that ends in order goes on from where it was;
// whatever else happens leads back to the list, which is also the proof that the server answers again.
#include "hermesctl/kube/watch.hpp"

#include "hermesctl/base/scrub.hpp"
#include "selector.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The server ends a watch after `watch_for`, with a bookmark just before: silence beyond that is a dead path.
constexpr seconds watch_for{55};
constexpr seconds longest_silence{75};
constexpr milliseconds shortest_round{1000};  // between two starts of the same thing
constexpr milliseconds first_backoff{800};
constexpr milliseconds longest_backoff{30'000};
// An API server that has just started answers 403, or 404, until its caches are filled.
constexpr milliseconds patience_with_refusals{30'000};

enum class Phase { list, watch };

bool lost(const net::Response& answer) {
    return answer.status == 0 || !answer.failure.empty();
}

bool refusing(int code) {
    return code == 401 || code == 403 || code == 404;
}

bool overloaded(int code) {
    return code == 429 || code >= 500;
}

milliseconds retry_after(const net::Response& answer, milliseconds otherwise) {
    const std::string header(answer.header("Retry-After"));
    const bool number =
        !header.empty() && header.size() < 5 && header.find_first_not_of("0123456789") == std::string::npos;
    return number ? milliseconds(seconds(std::stoi(header))) : otherwise;
}

}  // namespace

struct Watch::Stream {
    net::Transport& transport;
    Clock& clock;
    const Kind& kind;
    std::string ns;
    Objects& objects;
    Selector selector;

    bool synced = false;
    std::optional<ApiError> refused{};
    std::string trouble{};

    Phase phase = Phase::list;
    std::optional<net::Transport::Ticket> ticket{};
    bool broken = false;  // the stream said that it is of no more use
    Clock::Time started{};
    Clock::Time due{};
    milliseconds backoff = first_backoff;
    std::optional<Clock::Time> refused_since{};  // no watch was accepted since
    std::string resource_version{};
    EventSplitter splitter{};

    void advance();
    void start();
    std::string target() const;
    void later(Phase, milliseconds delay);
    void back_off(const net::Response&);
    void refuse(ApiError);
    void fail(const net::Response&);
    void on_answer(const net::Response&);
    void on_list(const net::Response&);
    void on_bytes(std::string_view);
    void on_event(Json);
    void on_error_event(const Json& status);
};

void Watch::Stream::advance() {
    if (broken) {
        if (ticket) transport.cancel(*std::exchange(ticket, std::nullopt));
        broken = false;
    }
    if (!ticket && !refused && clock.now() >= due) start();
}

std::string Watch::Stream::target() const {
    std::string query = selector_query(selector);
    if (phase == Phase::watch) {
        query +=
            fmt::format("{}watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
                        query.empty() ? "" : "&", watch_for.count(), net::percent_encode(resource_version));
    }
    return collection_path(kind, ns) + (query.empty() ? "" : "?" + query);
}

void Watch::Stream::start() {
    net::Request request{.target = target(), .headers = {{"Accept", "application/json"}}};
    net::Handler handler{.on_done = [this](const net::Response& answer) {
        ticket.reset();
        if (!broken) on_answer(answer);
    }};
    if (phase == Phase::watch) {
        request.timeout = milliseconds{0};
        request.idle = longest_silence;
        handler.on_chunk = [this](std::string_view bytes) { on_bytes(bytes); };
        splitter = {};
    }
    started = clock.now();
    ticket = transport.start(std::move(request), std::move(handler));
}

void Watch::Stream::later(Phase next, milliseconds delay) {
    phase = next;
    due = std::max(clock.now() + delay, started + shortest_round);
}

void Watch::Stream::back_off(const net::Response& answer) {
    later(Phase::list, retry_after(answer, backoff));
    backoff = std::min(backoff * 2, longest_backoff);
}

/// Final at the first list; what was readable a moment ago may be so again.
void Watch::Stream::refuse(ApiError error) {
    const Clock::Time now = clock.now();
    if (!refused_since) refused_since = now;
    const auto left = std::chrono::ceil<milliseconds>(*refused_since + patience_with_refusals - now);
    if (!synced || left.count() <= 0) {
        refused = std::move(error);
        return;
    }
    later(Phase::list, std::min(backoff, left));
    backoff *= 2;
}

void Watch::Stream::fail(const net::Response& answer) {
    ApiError error(answer, fmt::format("watching {}", kind.plural));
    trouble = error.message();
    if (!lost(answer) && refusing(answer.status)) return refuse(std::move(error));
    if (!lost(answer) && overloaded(answer.status)) return back_off(answer);
    later(Phase::list, shortest_round);
}

void Watch::Stream::on_answer(const net::Response& answer) {
    if (phase == Phase::watch && !refusing(answer.status)) refused_since.reset();
    if (lost(answer) || !answer.ok()) return answer.status == 410 ? later(Phase::list, {}) : fail(answer);
    if (phase == Phase::list) return on_list(answer);
    backoff = first_backoff;
    later(Phase::watch, {});
}

void Watch::Stream::on_list(const net::Response& answer) {
    Json list = parsed_list(answer.body, kind);
    resource_version = text_at(list, "/metadata/resourceVersion");
    if (resource_version.empty()) return fail(answer);
    objects.clear();
    for (Json& item : list["items"]) {
        std::string name = text_at(item, "/metadata/name");
        objects.insert_or_assign(std::move(name), std::move(item));
    }
    synced = true;
    trouble.clear();
    phase = Phase::watch;
    start();
}

void Watch::Stream::on_bytes(std::string_view bytes) {
    if (broken) return;
    try {
        for (const std::string& line : splitter.feed(bytes)) {
            Json event = parsed_items(line, kind);
            if (!event.is_object()) throw Error(ExitCode::failed, "a watch event is not JSON");
            on_event(std::move(event));
            if (broken) return;
        }
    } catch (const Error& error) {
        trouble = error.message();
        broken = true;
        later(Phase::list, shortest_round);
    }
}

void Watch::Stream::on_event(Json event) {
    const std::string type = text_at(event, "/type");
    Json& object = event["object"];
    refused_since.reset();
    if (type == "ERROR") return on_error_event(object);
    backoff = first_backoff;
    const std::string version = text_at(object, "/metadata/resourceVersion");
    if (!version.empty()) resource_version = version;
    std::string name = text_at(object, "/metadata/name");
    if (type == "DELETED") {
        objects.erase(name);
    } else if (type == "ADDED" || type == "MODIFIED") {
        objects.insert_or_assign(std::move(name), std::move(object));
    }
}

void Watch::Stream::on_error_event(const Json& status) {
    broken = true;
    const std::int64_t code = int_at(status, "/code");
    if (code == 410) return later(Phase::list, {});  // too old a version: an everyday event
    trouble = scrub(text_at(status, "/message", "the watch failed"));
    const std::int64_t wait = int_at(status, "/details/retryAfterSeconds");
    net::Response answer;
    if (wait > 0) answer.headers.push_back({"Retry-After", std::to_string(wait)});
    back_off(answer);
}

Watch::Watch(net::Transport& transport, Clock& clock, std::string_view kind, std::string ns, Objects& objects,
             Selector selector)
    : stream_(new Stream{transport, clock, kind_of(kind), std::move(ns), objects, std::move(selector)}) {
    stream_->started = clock.now() - shortest_round;
    stream_->due = clock.now();
}

Watch::~Watch() {
    if (stream_->ticket) stream_->transport.cancel(*stream_->ticket);
}

void Watch::advance() {
    stream_->advance();
}

bool Watch::synced() const {
    return stream_->synced;
}

const std::optional<ApiError>& Watch::refused() const {
    return stream_->refused;
}

const std::string& Watch::trouble() const {
    return stream_->trouble;
}

}  // namespace hermesctl::kube
