#include "hermesctl/hermes/agent.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/embedded.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;

constexpr std::size_t longest_complaint = 300;
constexpr std::size_t longest_stderr = 4096;  // more than is shown: it is cut once it is scrubbed

void keep_end(std::string& text, std::size_t length) {
    if (text.size() > length) text.erase(0, text.size() - length);
}

kube::ExecRequest watch_request(const std::string& ns, const std::string& pod) {
    kube::ExecRequest request = in_agent(ns, pod, probe_command("watch"));
    request.input = true;  // its end is what ends a watch whose hermesctl is gone
    return request;
}

}  // namespace

std::optional<AgentFacts> parse_facts(std::string_view line, std::string pod) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("alive")) return std::nullopt;
    return AgentFacts{.pod = std::move(pod),
                      .ready = kube::bool_at(json, "/ready"),
                      .alive = kube::bool_at(json, "/alive"),
                      .pid = kube::int_at(json, "/pid"),
                      .start_time = kube::int_at(json, "/start_time"),
                      .gateway = kube::text_at(json, "/gateway"),
                      .telegram = kube::text_at(json, "/telegram"),
                      .tokenless = kube::bool_at(json, "/tokenless"),
                      .code = kube::text_at(json, "/code"),
                      .message = scrub(kube::text_at(json, "/message")),
                      .exit_reason = scrub(kube::text_at(json, "/exit_reason")),
                      .busy = kube::int_at(json, "/busy"),
                      .free = kube::int_at(json, "/free", enough_room),
                      .inodes = kube::int_at(json, "/inodes", 1)};
}

std::string complaint_of(int exit_code, std::string_view err) {
    std::string said = scrub(err);
    keep_end(said, longest_complaint);
    return fmt::format("python3 ended with {}: {}", exit_code, said);
}

std::vector<std::string> python_command(std::string_view script, const std::vector<std::string>& arguments) {
    std::vector<std::string> argv{"/usr/bin/python3", "-I", "-S", "-c", std::string(script)};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
}

std::vector<std::string> probe_command(std::string_view mode) {
    return python_command(embedded("probe.py"), {std::string(mode)});
}

std::string reading_script(std::string_view name) {
    return fmt::format("{}\n\n{}", embedded("files.py"), embedded(name));
}

std::string asking_script(std::string_view name) {
    return fmt::format("{}\n\n{}\n\n{}", embedded("files.py"), embedded("asking.py"), embedded(name));
}

kube::ExecRequest in_agent(std::string ns, std::string pod, std::vector<std::string> argv) {
    return {.ns = std::move(ns),
            .pod = std::move(pod),
            .container = std::string(container_name),
            .argv = std::move(argv)};
}

kube::ExecOutput run_in_agent(kube::Client& client, kube::ExecRequest request, std::string_view input,
                              std::chrono::milliseconds deadline, const std::function<void()>& each_round) {
    request.input = !input.empty();
    try {
        return run_exec(client.transport(), client.clock(), request, input, deadline, each_round);
    } catch (const kube::ApiError&) {
        throw;
    } catch (const Error& error) {
        if (error.code() != ExitCode::exec_failed && error.code() != ExitCode::timeout) throw;
        throw error.with_code(ExitCode::failed);
    }
}

std::string python_hint(std::string_view ns, std::string_view pod) {
    return fmt::format("kubectl -n {} exec {} -c {} -- /usr/bin/python3 --version", ns, pod, container_name);
}

std::string right_to_exec_hint(std::string_view ns) {
    return fmt::format(
        "whoever administers the cluster can grant get and create on pods/exec in namespace {}", ns);
}

AgentWatch::AgentWatch(net::Transport& transport, const std::string& ns, const std::string& pod)
    : pod_(pod), session_(transport, watch_request(ns, pod)) {}

bool AgentWatch::pump() {
    const bool alive = session_.pump({.out = [this](std::string_view bytes) { rest_ += bytes; },
                                      .err = [this](std::string_view bytes) { complaint_ += bytes; }});
    keep_end(complaint_, longest_stderr);
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
        if (auto facts = parse_facts(std::string_view(rest_).substr(0, end), pod_)) facts_ = std::move(facts);
        rest_.erase(0, end + 1);
    }
    if (rest_.size() > 64 * 1024) rest_.clear();  // not probe.py's: it writes short lines
    return alive;
}

std::string AgentWatch::failure() const {
    try {
        const int code = session_.exit_code();
        return code == 0 ? "" : complaint_of(code, complaint_);
    } catch (const Error& error) {  // it did not run, or was lost
        return error.message();
    }
}

}  // namespace hermesctl::hermes
