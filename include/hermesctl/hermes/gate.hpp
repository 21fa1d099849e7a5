// The gate: the pod's first container, which holds the agent until the cage is closed (manifests/gate.py).
#pragma once

#include "hermesctl/hermes/check.hpp"
#include "hermesctl/hermes/cluster.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/hermes/values.hpp"
#include "hermesctl/kube/client.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

inline constexpr std::string_view gate_name = "gate";
inline constexpr int gate_still_open = 3;  // gate.py's exit codes
inline constexpr int gate_no_dns = 4;

/// The container of a Deployment that is its gate; null where it has none.
const Json& gate_of(const Json& deployment);
/// The cluster's witnesses less what these settings, rules of others, or policies of others that select the
/// agent's pod, open.
std::vector<std::string> witnesses_of(const Values&, const ClusterFacts&, const Json& kept_rules);
/// The witnesses of a live Deployment's gate: what who may read less of the cluster keeps.
std::vector<Witness> live_witnesses(const Json& deployment);

/// Whether a gate that has ended (a container's "terminated") has seen the cage closed: it also passes where
/// there was nothing to look at.
bool found_closed(const Json& ended);

/// Whether the Deployment's pods are held by a gate. Of group policy; it never decides: the cage may hold all
/// the same.
Check check_gate(const Json& deployment);

/// What is to be done where nothing enforces NetworkPolicy: `found` are the witnesses that let themselves be
/// connected to.
Error not_enforced(const std::string& found);
/// And where the pod gets no answer from its name servers.
Error no_dns(const std::string& said);

/// Runs the gate of a Deployment that is to come in a pod of its own, beside the agent that runs now, which
/// has the same policies. Nothing where neither has anything to look at. Throws not_enforced() and no_dns().
/// What keeps it from an answer is said, and is no failure: the gate of the new pod holds the agent all the
/// same.
void prove_enforcement(kube::Client&, const Names&, const Json& live, const Json& to_come, Reporter&,
                       const std::function<void()>& each_round = {});

}  // namespace hermesctl::hermes
