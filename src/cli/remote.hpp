// What exec, shell, cp and logs share.
#pragma once

#include "session.hpp"

#include <functional>
#include <string>
#include <vector>

namespace hermesctl::cli {

/// The exit code of what works in the container as ours. What goes wrong around it is ExitCode::exec_failed,
/// so that nobody takes it for a command's own code; an interrupt and a wrong command line stay what they
/// are, and of the first it is said that nothing goes on from there. A refusal tells all that is missing.
ExitCode own_failures(Session&, const std::function<int()>& remote);

/// What a command in the container has of ours: stdout and stderr, stdin too, or our terminal as its own.
enum class Lent { output, input, terminal };

/// Runs it in the agent's container, as the agent or as root. When we end before it does (Ctrl-C, SIGTERM, a
/// terminal that is closed, a reader that goes away, a lost connection) it gets SIGHUP, with its process
/// group and what runs in the foreground of its terminal. Throws Error{usage} where JSON is wanted or a
/// terminal that we lack, and as running_agent and command_as.
ExitCode run_remote(Session&, bool root, Lent, const std::vector<std::string>& argv);

}  // namespace hermesctl::cli
