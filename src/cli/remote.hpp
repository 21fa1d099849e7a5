// What exec, shell, cp and logs share.
#pragma once

#include "hermesctl/kube/exec.hpp"
#include "session.hpp"

#include <functional>
#include <string>
#include <vector>

namespace hermesctl::cli {

/// The exit code of what works in the container as ours. What goes wrong around it is ExitCode::exec_failed,
/// so that nobody takes it for a command's own code; an interrupt and a wrong command line stay what they
/// are, and of the first it is said that nothing goes on from there. A refusal tells all that is missing.
ExitCode own_failures(Session&, const std::function<int()>& remote);

/// What runs it in the container of the agent, as the agent or as root. Throws Error{usage} where JSON is
/// wanted, and as running_agent and command_as.
kube::ExecRequest request_for(Session&, bool root, const std::vector<std::string>& argv);

/// Runs it with our terminal as its own. When that ends before it does (SIGTERM, a terminal that is closed, a
/// lost connection), all that still runs in it gets SIGHUP. Throws Error{usage} where there is none.
ExitCode run_in_terminal(Session&, bool root, const std::vector<std::string>& argv);

}  // namespace hermesctl::cli
