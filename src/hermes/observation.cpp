#include "hermesctl/hermes/observation.hpp"

#include "hermesctl/hermes/inspection.hpp"
#include "hermesctl/hermes/live_proof.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/policy_checks.hpp"

#include <utility>

namespace hermesctl::hermes {

Observation observe(kube::Client& client, const Names& names, const std::string& server, Parts parts,
                    const Resolve& resolve) {
    Observation seen{.names = names, .round = kube::Round(client)};
    want_live(seen.round, names);
    if (parts != Parts::live) {
        want_agent(seen.round, names);
        want_cluster(seen.round);
        want_policies(seen.round, names);
    }
    if (parts == Parts::all) {
        want_surroundings(seen.round);
        want_inspection(seen.round, names);
    }
    seen.round.run();
    seen.live = live_of(seen.round, names);
    if (!seen.live.installed(names)) throw missing(names.deployment());
    auto [values, refused] = standing_of(seen.live, names);
    seen.values = std::move(values);
    seen.refused = std::move(refused);
    if (parts == Parts::live) return seen;
    seen.cluster =
        cluster_of(seen.round, {.server = server, .except = seen.values.network.except, .resolve = resolve});
    keep_what_was_known(seen.live.of(names.policy()), seen.cluster);
    seen.agent = agent_if_seen(seen.round, names);
    return seen;
}

}  // namespace hermesctl::hermes
