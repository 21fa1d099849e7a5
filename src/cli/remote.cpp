#include "remote.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/target.hpp"
#include "hermesctl/kube/exec.hpp"
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

/// The runtime keeps for ever what has lost its other end. SIGHUP for who leads its session and for that
/// one's group, and, as the kernel does where a terminal is closed, for the terminal's foreground. The leader
/// has the mark, and no parent in the pod.
void hang_up(Session& session, const hermes::Target& target, bool root, const std::string& mark) {
    constexpr std::chrono::seconds patience{3};
    constexpr int tries = 2;  // the SIGHUP of our own terminal may come after its first failure
    // After the name in /proc/PID/stat: state, parent, group, session, terminal, the terminal's foreground
    // group, which is -1 where there is none.
    constexpr const char* script =
        "for f in $(/bin/grep -lzxF \"$1\" /proc/[0-9]*/environ 2>/dev/null); do "
        "f=${f%/environ}; read -r stat <\"$f/stat\" || continue; set -- ${stat##*)}; "
        "[ \"$2\" = 0 ] || continue; kill -s HUP -- \"${f#/proc/}\"; "
        "for group in \"$3\" \"$6\"; do [ \"$group\" -le 0 ] || kill -s HUP -- \"-$group\"; done; done";
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

/// Runs it with a mark, by which it is hung up when we end before it does.
int run_marked(Session& session, bool root, Lent lent, const std::vector<std::string>& argv) {
    const std::string mark = fmt::format("HERMESCTL_EXEC={}", hex(random_bytes(8)));
    std::vector<std::string> variables{mark};
    if (lent == Lent::terminal) {
        const std::string kind = value_of(session.context().environment, "TERM");
        variables.push_back("TERM=" + (kind.empty() ? "xterm" : kind));
    }
    const hermes::Target target = agent_for(session);
    kube::ExecRequest request = request_in(target, root, argv, variables);
    request.input = lent != Lent::output;
    request.tty = lent == Lent::terminal;
    try {
        const int code = stream_exec(session.transport(), session.clock(), request);
        if (code == broken_pipe)
            hang_up(session, target, root, mark);  // where it is the command's own, in vain
        return code;
    } catch (const kube::ApiError&) {  // refused: nothing runs
        throw;
    } catch (const Error&) {
        hang_up(session, target, root, mark);
        throw;
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

ExitCode run_remote(Session& session, bool root, Lent lent, const std::vector<std::string>& argv) {
    if (lent == Lent::terminal && !session.terminal().input) {
        throw Error(ExitCode::usage, "stdin is not a terminal", "hermesctl exec -- CMD needs none");
    }
    session.story().hide();
    return own_failures(session, [&] { return run_marked(session, root, lent, argv); });
}

}  // namespace hermesctl::cli
