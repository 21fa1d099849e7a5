// The cluster as verify sees it: read in one round, of which the parts of the report are functions.
#pragma once

#include "hermesctl/hermes/cluster.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/hermes/target.hpp"
#include "hermesctl/hermes/values.hpp"
#include "hermesctl/kube/round.hpp"

#include <string>
#include <vector>

namespace hermesctl::hermes {

struct Observation {
    Names names{};
    kube::Round round;  // what the parts asked for
    Live live{};
    Values values{};
    std::vector<std::string> refused{};  // of what is set: what deploy would not take, and why
    ClusterFacts cluster{};
    Target agent{};
};

/// The installation alone; also what the policies allow; or all of the report.
enum class Parts { live, policies, all };

/// One round of parallel reads, and a second one where the DNS is an unusual one. Throws Error{failed} when
/// there is no such installation, ApiError when even that may not be read. What else may not be read is told
/// by the rows.
Observation observe(kube::Client&, const Names&, const std::string& server, Parts = Parts::all,
                    const Resolve& = {});

}  // namespace hermesctl::hermes
