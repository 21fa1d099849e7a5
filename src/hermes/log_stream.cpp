#include "hermes/log_stream.hpp"

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/embedded.hpp"
#include "hermesctl/kube/exec.hpp"
#include "hermesctl/net/retry.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;

// What is followed may rest for ever.
constexpr auto longest_silence = 60s;
constexpr int no_such_log = 3;
constexpr int by_signal = 128;
constexpr std::size_t longest_complaint = 2048;

std::vector<std::string> log_command(const LogRequest& request, const Place& place) {
    const bool resumes = !place.mark.empty();
    // Without a mark the log was not there yet: all of it is new.
    const bool from_start = place.begun && !resumes;
    return python_command(
        embedded("logs.py"),
        {request.source, request.follow ? "1" : "0", std::to_string(from_start ? -1 : request.lines),
         request.since_boot && !from_start ? "1" : "0", resumes ? place.mark : "-"});
}

bool is_mark(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789:") == std::string_view::npos;
}

std::string console_target(const Target& target, const LogRequest& request, const Place& place) {
    std::string path = kube::object_path({"Pod", target.ns, target.pod}) +
                       fmt::format("/log?container={}&timestamps=true", container_name);
    if (request.follow) path += "&follow=true";
    if (!place.mark.empty()) return path + "&sinceTime=" + net::percent_encode(place.mark);
    if (request.lines >= 0 && !place.begun) path += fmt::format("&tailLines={}", request.lines);
    return path;
}

/// What a reading's end means when the log is not followed to its end.
Error unreadable(const Target& target, const LogRequest& request, int code, std::string complaint) {
    if (code == no_such_log) {
        return {ExitCode::failed, fmt::format("pod/{} has no {}.log yet", target.pod, request.source),
                "hermesctl logs --source console"};
    }
    while (complaint.ends_with('\n')) {
        complaint.pop_back();
    }
    return {ExitCode::failed,
            fmt::format("pod/{}: reading the log ended with exit code {}{}{}", target.pod, code,
                        complaint.empty() ? "" : ": ", scrub(complaint)),
            "hermesctl logs --source console"};
}

/// One request to its end, tried again where it had no beginning; nothing when its bytes are wanted no more.
std::optional<net::Response> stream(kube::Client& client, const net::Request& request,
                                    const std::function<bool(std::string_view)>& take) {
    for (int attempt = 1;; ++attempt) {
        bool wanted = true;
        bool begun = false;  // what was taken is not to come again
        std::optional<net::Response> end;
        const net::Transport::Ticket ticket = client.transport().start(
            request, {.on_chunk =
                          [&](std::string_view bytes) {
                              begun = true;
                              wanted = wanted && take(bytes);
                          },
                      .on_done = [&](net::Response response) { end = std::move(response); }});
        try {
            while (!end && wanted) {
                client.transport().poll(1s);
            }
        } catch (...) {
            client.transport().cancel(ticket);  // its handlers end with this frame
            throw;
        }
        client.transport().cancel(ticket);
        if (!wanted) return std::nullopt;
        const auto delay = begun ? std::nullopt : net::next_delay(request, *end, attempt);
        if (!delay) return end;
        client.clock().sleep(*delay);
        throw_if_interrupted();
    }
}

}  // namespace

bool read_file_log(kube::Client& client, const Target& target, const LogRequest& request, Place& place,
                   const LineSink& sink) {
    kube::ExecRequest reading = in_agent(target.ns, target.pod, log_command(request, place));
    reading.input = true;
    kube::ExecSession session(client.transport(), client.clock(), reading);
    place.begun = true;
    place.heard = false;
    bool wanted = true;
    std::string complaint;
    LineSplitter lines;
    const LineSink take = [&](const std::string& line) {
        if (line.starts_with('\0')) {
            if (is_mark(std::string_view(line).substr(1))) place.mark = line.substr(1);
            return true;
        }
        return sink(line);
    };
    const kube::ExecSink output{
        .out =
            [&](std::string_view bytes) {
                place.heard = true;
                wanted = wanted && lines.feed(bytes, take);
            },
        .err = [&](std::string_view bytes) { append_up_to(longest_complaint, complaint, bytes); }};
    while (session.pump(output) && wanted) {
        const net::Wake wake = session.wake();
        client.transport().poll(1s, {&wake, 1});
    }
    if (!wanted) return true;
    if (!request.follow) lines.finish(take);
    const int code = session.exit_code();
    if (code == 0) return !request.follow;
    // With its container everything in it is killed; the next one goes on.
    if (request.follow && code > by_signal) return false;
    throw unreadable(target, request, code, complaint);
}

bool read_console(kube::Client& client, const Target& target, const LogRequest& request, Place& place,
                  const LineSink& sink) {
    place.heard = false;
    LineSplitter lines;
    const std::string from = place.mark;
    bool repeated = false;  // this line was shown before: sinceTime counts in seconds
    const LineSink take = [&](const std::string& line) {
        if (lines.within_line()) return repeated || sink(line);
        const std::string time = line.substr(0, line.find(' '));
        const bool timed = parse_rfc3339(time) != Clock::Wall{};  // what the kubelet itself says is not
        repeated = timed && !from.empty() && time <= from;
        if (repeated) return true;
        if (timed) place.mark = time;
        return sink(timed ? line.substr(std::min(time.size() + 1, line.size())) : line);
    };
    const auto end = stream(client,
                            {.target = console_target(target, request, place),
                             .timeout = 0ms,
                             .idle = request.follow ? 0s : longest_silence},
                            [&](std::string_view bytes) {
                                place.heard = true;
                                return lines.feed(bytes, take);
                            });
    if (!end) return true;
    const bool whole = end->ok();  // of one that was cut off there is no status
    place.begun = place.begun || whole || place.heard;
    // Of one that is followed a half line comes whole with the next reading.
    if (whole || !request.follow) lines.finish(take);
    if (whole) return !request.follow;
    // Between two containers: the next try goes on.
    if (request.follow && place.begun && (end->status == 400 || end->status == 404)) return false;
    throw kube::ApiError(*end, "reading the console of pod/" + target.pod);
}

}  // namespace hermesctl::hermes
