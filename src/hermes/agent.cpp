#include "hermesctl/hermes/agent.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/embedded.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;
using namespace std::chrono_literals;

constexpr std::size_t longest_complaint = 300;

std::vector<std::string> python(std::string_view script, std::vector<std::string> arguments) {
    std::vector<std::string> argv{"/usr/bin/python3", "-I", "-S", "-c", std::string(script)};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
}

kube::ExecRequest request(const std::string& ns, const std::string& pod, std::vector<std::string> argv) {
    return {.ns = ns,
            .pod = pod,
            .container = std::string(container_name),
            .argv = std::move(argv),
            .input = true};
}

}  // namespace

std::optional<AgentFacts> parse_facts(std::string_view line, std::string pod) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("alive")) return std::nullopt;
    return AgentFacts{.pod = std::move(pod),
                      .ready = kube::bool_at(json, "/ready"),
                      .alive = kube::bool_at(json, "/alive"),
                      .pid = kube::int_at(json, "/pid"),
                      .gateway = kube::text_at(json, "/gateway"),
                      .telegram = kube::text_at(json, "/telegram"),
                      .code = kube::text_at(json, "/code"),
                      .message = scrub(kube::text_at(json, "/message")),
                      .exit_reason = scrub(kube::text_at(json, "/exit_reason")),
                      .busy = kube::int_at(json, "/busy")};
}

std::string complaint_of(int exit_code, std::string_view err) {
    const std::size_t cut = err.size() > longest_complaint ? err.size() - longest_complaint : 0;
    return fmt::format("python3 ended with {}: {}", exit_code, scrub(err.substr(cut)));
}

std::vector<std::string> probe_command(std::string_view mode) {
    return python(embedded("probe.py"), {std::string(mode)});
}

AgentWatch::AgentWatch(net::Transport& transport, Clock& clock, const std::string& ns, const std::string& pod)
    : pod_(pod), session_(transport, clock, request(ns, pod, probe_command("watch"))) {}

bool AgentWatch::pump() {
    const bool alive = session_.pump({.out = [this](std::string_view bytes) { rest_ += bytes; },
                                      .err = [this](std::string_view bytes) { complaint_ += bytes; }});
    if (complaint_.size() > longest_complaint) complaint_.erase(0, complaint_.size() - longest_complaint);
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

Lifelines check_lifelines(net::Transport& transport, Clock& clock, const std::string& ns,
                          const std::string& pod, const std::string& provider, const std::string& key_name,
                          const std::string& model) {
    const auto argv = python(embedded("lifelines.py"), {provider, key_name, model});
    const kube::ExecOutput output = run_exec(transport, clock, request(ns, pod, argv), "", 60s);
    const Json json = Json::parse(output.out, nullptr, false);
    if (!json.is_object()) {
        throw Error(ExitCode::exec_failed, "the check inside the pod said nothing that can be read: " +
                                               scrub(output.err.substr(0, 300)));
    }
    const std::string username = kube::text_at(json, "/bot/username");
    return {.bot = username.empty() ? "" : "@" + username,
            .bot_status = static_cast<int>(kube::int_at(json, "/bot/status")),
            .bot_reason = scrub(kube::text_at(json, "/bot/reason")),
            .webhook = kube::bool_at(json, "/bot/webhook"),
            .model_status = static_cast<int>(kube::int_at(json, "/model/status")),
            .model_reason = scrub(kube::text_at(json, "/model/reason")),
            .live_provider = kube::text_at(json, "/live_provider")};
}

}  // namespace hermesctl::hermes
