// Rows of group policy with files of their own, and what they share.
#pragma once

#include "hermesctl/hermes/policy_checks.hpp"

namespace hermesctl::hermes {

/// TCP 443 and 80.
const Ports& web_ports();
/// UDP and TCP 53.
const Ports& dns_ports();

Reach reach_of(const PolicyPremises&);
Traffic to_all(const std::vector<std::string>& ranges, const Ports&);
/// What no pod in a cage has to reach: special ranges, the cluster's own, what was closed by name, IPv6 where
/// it was not asked for.
Traffic inside(const PolicyPremises&);
/// A NetworkPolicy of Kubernetes itself.
bool is_policy(const Json& object);

/// The first of them, and how many more there are.
std::string some_of(const std::vector<std::string>& all, std::string_view between = "; ",
                    std::size_t most_shown = 4);

/// "not counting KIND/NAME": what may open and close beside the policies that are computed; "" for nothing.
std::string not_counted(const PolicyPremises&);

/// What a rule opens by selectors, beside the cluster's DNS.
struct PodOpening {
    std::string text{};             // "TCP 5432 to pods app=postgres of this namespace"
    std::string by{};               // "rule 1 of networkpolicy/second"
    std::string example{};          // a packet to a pod that is there now; "" if none is known
    Verdict width = Verdict::pass;  // pass: one named service
    bool foreign = false;           // of a policy that deploy does not write
};
struct PodOpenings {
    bool dns = false;  // of the cluster, by its pods
    std::vector<PodOpening> others{};
};
PodOpenings pod_openings(const PolicyPremises&, const Reach&);

Check check_pods(const PolicyPremises&, const Reach&);
/// Rules that name a port instead of its number, which not every enforcer reads as the API does.
Check check_port_names(const Reach&);

}  // namespace hermesctl::hermes
