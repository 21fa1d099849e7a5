// What a pod can send, by all NetworkPolicies that select it: networking.k8s.io/v1, computed exactly. Pure.
#pragma once

#include "hermesctl/hermes/traffic.hpp"
#include "hermesctl/kube/object.hpp"

#include <string>
#include <vector>

namespace hermesctl::hermes {

using kube::Json;

/// Whose reach is asked for.
struct Sender {
    std::string ns{};
    Json labels = Json::object();
};

/// Who else there is, as far as it is known: what a selector selects beyond that has no addresses.
struct Neighbours {
    std::vector<Json> pods{};
    std::vector<Json> namespaces{};
    bool known = false;        // the pods are
    bool labels_known = true;  // of namespaces: else only the one that says their name
};

/// One rule of one policy.
struct Grant {
    std::string policy{};
    int rule = 0;                        // from 1; 0: no policy selects the pod, so that everything is open
    std::string manager{};               // the field manager that wrote it; "" when nobody is named
    Traffic ranges{};                    // by ipBlock, or to everything
    Traffic pods{};                      // to the pods that its selectors select now
    std::vector<std::string> unknown{};  // "pods a=b in namespaces c=d": it cannot be told which these are
    Json json{};                         // the rule itself
    /// What opens it, to stand after "by": "rule 2 of networkpolicy/hermes-egress (kubectl-edit)"
    std::string text() const;
};

struct Reach {
    std::vector<std::string> policies{};  // that select the pod for egress
    std::vector<Grant> grants{};
    bool isolated() const { return !policies.empty(); }
    bool exact() const;      // it could be told which pods each rule selects
    Traffic ranges() const;  // of all grants
    Traffic all() const;     // with the pods
};

/// Egress. `policies` of any namespace: only those of the sender's count.
Reach reach_of(const Sender&, const std::vector<Json>& policies, const Neighbours&);

/// Who may connect to the pod.
struct Visitors {
    bool isolated = false;             // some policy for ingress selects it
    std::vector<std::string> lines{};  // one for each ingress rule; "everybody" without a policy
};
Visitors who_may_come(const Sender&, const std::vector<Json>& policies);

/// A pod's own: one that has ended has lost them; one on the node's network is its node, and no policy's
/// peer.
std::vector<std::string> pod_addresses(const Json& pod);
/// All that it has, be they its node's.
std::vector<std::string> all_addresses(const Json& pod);

/// The numbers of what a pod calls so.
Ports named_port(const Json& pod, std::string_view name, Protocol);
/// Whether a rule has a port by name.
bool names_a_port(const Json& rule);

/// Policies without types are for ingress, and for egress too if they have egress rules.
bool is_for(const Json& policy, std::string_view type);

}  // namespace hermesctl::hermes
