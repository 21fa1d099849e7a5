// Which container a command runs in, and as whom: for exec, shell, cp and logs.
#pragma once

#include "hermesctl/hermes/diagnosis.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <string>
#include <vector>

namespace hermesctl::hermes {

struct Target {
    std::string ns{};
    std::string pod{};      // the newest one; "" if there is none
    bool running = false;   // its agent container runs
    bool drop_root = true;  // what is run in it starts as root
    std::string why{};      // it does not run
    std::string hint{};
};

/// One round of reads in parallel. Throws Error{failed} when there is no such installation, ApiError.
Target find_agent(kube::Client&, const Names&);
/// The same; also throws Error{failed} when the agent does not run.
Target running_agent(kube::Client&, const Names&);

/// Why no agent runs.
std::string reason_of(const Assessment&);

/// argv for pods/exec that runs `argv` as the agent's user, or as the container's root, with `variables`
/// ("TERM=xterm") added. Root's PATH has only folders that the agent cannot write. Throws Error{failed} where
/// root is asked for and the container has none.
std::vector<std::string> command_as(const Target&, bool root, const std::vector<std::string>& argv,
                                    const std::vector<std::string>& variables = {});

}  // namespace hermesctl::hermes
