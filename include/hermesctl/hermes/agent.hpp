// What the agent's container says of itself over exec: the readiness rule. The rule itself is
// manifests/probe.py, so that the pod's own probes and hermesctl can never disagree.
#pragma once

#include "hermesctl/kube/exec.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

inline constexpr std::string_view container_name = "hermes";
inline constexpr std::int64_t agent_user = 10000;  // the image's user hermes

inline constexpr std::int64_t enough_room = 1 << 20;  // probe.py counts no further

struct AgentFacts {
    std::string pod{};  // whose facts these are
    bool ready = false;
    bool alive = false;  // a gateway process lives
    std::int64_t pid = 0;
    std::int64_t start_time = 0;  // of that process, in clock ticks; a later one's is greater
    std::string gateway{};  // gateway_state: starting, running, degraded, draining, stopped, startup_failed
    std::string
        telegram{};  // connecting, connected, retrying, disconnected, fatal; "" while this process wrote none
    bool tokenless = false;  // without a word of Telegram, and there is no bot token to begin with
    std::string code{};      // Hermes' error code for telegram
    std::string message{};
    std::string exit_reason{};
    std::int64_t busy = 0;            // turns under way
    std::int64_t free = enough_room;  // bytes of /opt/data that the agent may still write
    std::int64_t inodes = 1;          // and inodes: 0 if there is none
};

/// Nothing for a line that is not probe.py's.
std::optional<AgentFacts> parse_facts(std::string_view line, std::string pod);

/// Why a probe.py said nothing: how it ended, with the end of its stderr.
std::string complaint_of(int exit_code, std::string_view err);

/// argv that runs a script with the image's Python, and with nothing that the agent can write.
std::vector<std::string> python_command(std::string_view script, const std::vector<std::string>& arguments);
/// The same for probe.py.
std::vector<std::string> probe_command(std::string_view mode);
/// The text of manifests/NAME with files.py, which reads the agent's files, before it.
std::string reading_script(std::string_view name);
/// The same for a script that asks Telegram and providers: with asking.py, too.
std::string asking_script(std::string_view name);

/// A command in the agent's container.
kube::ExecRequest in_agent(std::string ns, std::string pod, std::vector<std::string> argv);
/// Runs one of ours there to its end, as run_exec does; with input where there is some. Exec's own codes are
/// for commands of the user's: what went wrong around it, or took too long, is Error{failed}.
kube::ExecOutput run_in_agent(kube::Client&, kube::ExecRequest, std::string_view input,
                              std::chrono::milliseconds deadline,
                              const std::function<void()>& each_round = {});
/// What a person types to see why nothing can be asked there.
std::string python_hint(std::string_view ns, std::string_view pod);

/// The same where the account may not ask.
std::string right_to_exec_hint(std::string_view ns);

/// A probe.py that runs in one pod for as long as this lives and tells what changes.
class AgentWatch {
  public:
    /// Connects; throws ApiError when the server refuses.
    AgentWatch(net::Transport&, const std::string& ns, const std::string& pod);

    /// Takes in what has come; false once the session has ended.
    bool pump();
    net::Wake wake() const { return session_.wake(); }
    const std::optional<AgentFacts>& facts() const { return facts_; }
    /// Once pump() returned false: why it ended; "" when it did as it should.
    std::string failure() const;

  private:
    std::string pod_;
    kube::ExecSession session_;
    std::string rest_{};
    std::string complaint_{};  // the last of its stderr
    std::optional<AgentFacts> facts_{};
};

}  // namespace hermesctl::hermes
