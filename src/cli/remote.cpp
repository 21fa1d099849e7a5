#include "remote.hpp"

#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/target.hpp"
#include "requested.hpp"
#include "stream_exec.hpp"

namespace hermesctl::cli {
namespace {

Error with_code(ExitCode code, const Error& error) {
    Error same(code, error.message(), error.hint());
    for (const std::string& frame : error.trail()) {
        same.during(frame);
    }
    return same;
}

}  // namespace

ExitCode own_failures(Session& session, const std::function<int()>& remote) {
    try {
        session.story().hide();
        return static_cast<ExitCode>(remote());
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted || error.code() == ExitCode::usage) throw;
        throw with_code(ExitCode::exec_failed, error);
    }
}

void plain_failures(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        if (error.code() != ExitCode::exec_failed) throw;
        throw with_code(ExitCode::failed, error);
    }
}

ExitCode run_in_terminal(Session& session, bool root, const std::vector<std::string>& argv) {
    if (!session.terminal().input) {
        throw Error(ExitCode::usage, "stdin is not a terminal", "hermesctl exec -- CMD needs none");
    }
    return own_failures(session, [&] {
        const hermes::Target target = hermes::running_agent(session.client(), requested_names(session));
        const auto& environment = session.context().environment;
        const auto kind = environment.find("TERM");
        const std::string term = kind == environment.end() ? "xterm" : kind->second;
        const kube::ExecRequest request{.ns = target.ns,
                                        .pod = target.pod,
                                        .container = std::string(hermes::container_name),
                                        .argv = hermes::command_as(target, root, argv, {"TERM=" + term}),
                                        .input = true,
                                        .tty = true};
        return stream_exec(session.transport(), request);
    });
}

}  // namespace hermesctl::cli
