// The live proof: what the caged pod reaches, held against an uncaged twin beside it on the same node.
#pragma once

#include "hermesctl/hermes/check.hpp"
#include "hermesctl/hermes/observation.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

/// Who is known to listen at a target.
enum class Listener { sure, asked, perhaps };

struct ReachTarget {
    std::string row{};   // the id of the row that it counts for: "live-api"
    std::string by{};    // tcp, dns, ntp, icmp
    std::string host{};  // an address, a name, or "gateway"
    int port = 0;
    Listener listener = Listener::perhaps;
    bool lifeline = false;     // the pod has to reach it
    std::string name() const;  // "TCP 10.43.0.1:443"
};

/// What a cluster has that a caged pod must not reach, and what it must.
struct Surroundings {
    std::vector<Json> services{};
    std::string unlisted{};  // why the Services are not known
    std::vector<Json> nodes{};
    std::vector<Json> api_slices{};
    std::string host_ip{};  // of the pod's node
    std::string provider{};
    std::vector<std::string> lan{};    // "192.168.1.206:30002"
    std::vector<std::string> allow{};  // network.allow and network.dns: what the cage opens is not tried
    std::vector<std::string> dns{};
    std::vector<Witness> witnesses{};  // of the DNS
    std::string no_witness{};          // why there is none; "": the DNS Service has port 53 alone
    bool ipv6_wanted = false;
    bool kube_router = false;  // enforces here, by itself or in k3s
};
/// What they take beside the rest of the observation.
void want_surroundings(kube::Round&);
Surroundings surroundings_of(const Observation&);
std::vector<ReachTarget> reach_targets(const Surroundings&);
/// Whether the pod's own node answers there: some networks let a pod at it, whatever the policies say.
bool leads_to_own_node(const ReachTarget&, const Surroundings&);

/// A target's name -> open, refused, silent, unreachable, denied, unresolved.
using Reached = std::map<std::string, std::string>;
/// Nothing for a text that is not reach.py's. What it says of targets that were not asked for is left out.
std::optional<Reached> parse_reached(std::string_view text, const std::vector<ReachTarget>&);

/// Why what the twin does not reach may prove nothing; "" when it does.
struct TwinCage {
    std::string why{};  // "networkpolicy/x selects the twin too"
    std::string hint{};
};

/// What is known of the twin: what it reached, or why there is none.
struct Twin {
    std::optional<Reached> reached{};
    std::string why_not{};
    TwinCage cage{};
    bool left_out = false;  // on purpose: --quick
};

/// Why the pod was not asked.
struct NoPod {
    std::string why{};
    std::string hint = "hermesctl status";
};

/// A row for each kind of target. Pure.
Checks judge_reach(const std::vector<ReachTarget>&, const std::optional<Reached>& pod, const NoPod&,
                   const Twin&, const Surroundings& = {});

/// The twin's Job: the same node and image as the pod, none of its labels.
Json twin_job(const Names&, const Json& pod);
/// By which of the namespace's policies the twin's pod is selected for egress.
TwinCage twin_cage(const kube::Outcome& policies, const Json& twin);

struct ProofOptions {
    std::vector<std::string> lan_targets{};  // beside network.mustNotReach
    bool quick = false;                      // no twin, and only listeners that are surely there or named
};

/// Seconds: at most 10 once the pod is asked, and 6 before for the twin to start; quick: without the twin.
/// The twin is removed, whatever happens. What cannot be done is said by rows that are inconclusive.
Checks prove_live(kube::Client&, const Observation&, const ProofOptions&, Reporter&);

}  // namespace hermesctl::hermes
