#include "remote.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/target.hpp"
#include "requested.hpp"
#include "stream_exec.hpp"

#include <chrono>

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

hermes::Target agent_for(Session& session) {
    session.refuse_json("what the command prints is passed on as it is");
    return hermes::running_agent(session.client(), requested_names(session));
}

kube::ExecRequest request_in(const hermes::Target& target, bool root, const std::vector<std::string>& argv,
                             const std::vector<std::string>& variables = {}) {
    const auto whom = root ? hermes::As::root : hermes::As::agent;
    return hermes::in_agent(target.ns, target.pod, hermes::command_as(target, whom, argv, variables));
}

/// What the kernel does where a terminal is closed, as the runtime keeps the remote one open for ever: SIGHUP
/// for who leads its session and for its foreground. The leader has the mark, and no parent in the pod.
void hang_up(Session& session, const hermes::Target& target, bool root, const std::string& mark) {
    constexpr std::chrono::seconds patience{3};
    constexpr int tries = 2;  // the SIGHUP of our own terminal may come after its first failure
    // After the name in /proc/PID/stat: state, parent, group, session, terminal, the terminal's foreground
    // group.
    constexpr const char* script =
        "for f in $(/bin/grep -lzxF \"$1\" /proc/[0-9]*/environ 2>/dev/null); do "
        "f=${f%/environ}; read -r stat <\"$f/stat\" || continue; set -- ${stat##*)}; "
        "[ \"$2\" != 0 ] || kill -s HUP -- \"${f#/proc/}\" \"-$6\"; done";
    for (int i = 0; i < tries; ++i) {
        try {
            kube::run_exec(session.transport(), session.clock(),
                           request_in(target, root, {"/bin/sh", "-c", script, "sh", mark}), "", patience);
            return;
        } catch (const Error& error) {
            if (error.code() != ExitCode::interrupted) return;  // nobody is there to be told
        }
    }
}

}  // namespace

ExitCode own_failures(Session& session, const std::function<int()>& remote) {
    try {
        return static_cast<ExitCode>(remote());
    } catch (const kube::ApiError& error) {
        throw session.explained(hermes::Work::enter, error).with_code(ExitCode::exec_failed);
    } catch (const Error& error) {
        if (error.code() == ExitCode::usage) throw;
        if (error.code() == ExitCode::interrupted)
            throw error.with_hint("run the command again: it begins anew");
        throw error.with_code(ExitCode::exec_failed);
    }
}

kube::ExecRequest request_for(Session& session, bool root, const std::vector<std::string>& argv) {
    return request_in(agent_for(session), root, argv);
}

ExitCode run_in_terminal(Session& session, bool root, const std::vector<std::string>& argv) {
    if (!session.terminal().input) {
        throw Error(ExitCode::usage, "stdin is not a terminal", "hermesctl exec -- CMD needs none");
    }
    session.story().hide();
    return own_failures(session, [&] {
        const auto& environment = session.context().environment;
        const auto kind = environment.find("TERM");
        const std::string term = kind == environment.end() ? "xterm" : kind->second;
        const std::string mark = fmt::format("HERMESCTL_TERMINAL={}", hex(random_bytes(8)));
        const hermes::Target target = agent_for(session);
        kube::ExecRequest request = request_in(target, root, argv, {"TERM=" + term, mark});
        request.input = true;
        request.tty = true;
        try {
            const int code = stream_exec(session.transport(), session.clock(), request);
            if (code == broken_pipe) hang_up(session, target, root, mark);
            return code;
        } catch (const Error&) {  // of any kind: nobody has that terminal any more
            hang_up(session, target, root, mark);
            throw;
        }
    });
}

}  // namespace hermesctl::cli
