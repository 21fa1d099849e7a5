// Which pod is the agent's, which container a command runs in, and as whom.
#pragma once

#include "hermesctl/hermes/diagnosis.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/round.hpp"

#include <string>
#include <vector>

namespace hermesctl::hermes {

struct Target {
    std::string ns{};
    std::string pod{};      // the newest one; "" if there is none
    kube::Json object{};    // that pod
    bool running = false;   // its agent container runs
    bool drop_root = true;  // what is run in it starts as root
    std::string why{};      // it does not run
    std::string hint{};
};

void want_agent(kube::Round&, const Names&);
/// Once the round has run. Throws Error{failed} when there is no such installation, ApiError.
Target agent_of(const kube::Round&, const Names&);
/// The same for a report: who may not see the pods sees no agent that runs, and why.
Target agent_if_seen(const kube::Round&, const Names&);
/// The same as a round of its own.
Target find_agent(kube::Client&, const Names&);
/// The same; also throws Error{failed} when the agent does not run.
Target running_agent(kube::Client&, const Names&);

enum class As { agent, root };
/// argv for pods/exec that runs `argv` as the agent's user, or as the container's root, with `variables`
/// ("TERM=xterm") added. Root's PATH has only folders that the agent cannot write. Throws Error{failed} where
/// root is asked for and the container has none.
std::vector<std::string> command_as(const Target&, As, const std::vector<std::string>& argv,
                                    const std::vector<std::string>& variables = {});

}  // namespace hermesctl::hermes
