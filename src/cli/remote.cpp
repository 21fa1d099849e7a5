#include "remote.hpp"

#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/target.hpp"
#include "requested.hpp"
#include "stream_exec.hpp"

namespace hermesctl::cli {

ExitCode own_failures(const std::function<int()>& remote) {
    try {
        return static_cast<ExitCode>(remote());
    } catch (const Error& error) {
        if (error.code() == ExitCode::usage) throw;
        if (error.code() == ExitCode::interrupted)
            throw error.with_hint("run the command again: it begins anew");
        throw error.with_code(ExitCode::exec_failed);
    }
}

kube::ExecRequest request_for(Session& session, bool root, const std::vector<std::string>& argv,
                              const std::vector<std::string>& variables) {
    session.refuse_json("what the command prints is passed on as it is");
    const hermes::Target target = hermes::running_agent(session.client(), requested_names(session));
    const auto whom = root ? hermes::As::root : hermes::As::agent;
    return hermes::in_agent(target.ns, target.pod, hermes::command_as(target, whom, argv, variables));
}

ExitCode run_in_terminal(Session& session, bool root, const std::vector<std::string>& argv) {
    if (!session.terminal().input) {
        throw Error(ExitCode::usage, "stdin is not a terminal", "hermesctl exec -- CMD needs none");
    }
    session.story().hide();
    return own_failures([&] {
        const auto& environment = session.context().environment;
        const auto kind = environment.find("TERM");
        const std::string term = kind == environment.end() ? "xterm" : kind->second;
        kube::ExecRequest request = request_for(session, root, argv, {"TERM=" + term});
        request.input = true;
        request.tty = true;
        return stream_exec(session.transport(), session.clock(), request);
    });
}

}  // namespace hermesctl::cli
