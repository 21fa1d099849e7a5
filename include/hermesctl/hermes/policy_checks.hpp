// The rows of group policy: what all policies that select the pod let it send, held against what it should.
#pragma once

#include "hermesctl/hermes/check.hpp"
#include "hermesctl/hermes/observation.hpp"
#include "hermesctl/hermes/reach.hpp"

#include <string>
#include <vector>

namespace hermesctl::hermes {

/// What the rows are about: an installation in a cluster, or the pods of a file.
struct PolicyPremises {
    Sender sender{};
    std::string own{};  // the name of the policy that deploy writes; "" for files
    std::vector<Json> policies{};
    std::string failure{};  // why the policies could not be read
    Neighbours neighbours{};
    ClusterFacts cluster{};
    bool in_cluster = false;
    Values values{};
    std::vector<std::string> other_kinds{};   // "ciliumnetworkpolicy/x": what is not computed here
    std::vector<std::string> unread_kinds{};  // "ciliumnetworkpolicies.cilium.io"
};

void want_policies(kube::Round&, const Names&);
/// What may not be read is noted. Takes out of the round what only it needs.
PolicyPremises policy_premises(Observation&);

Checks policy_checks(const PolicyPremises&);

/// What stays open that no row fails for, in words. Nothing where the policies could not be read.
std::vector<std::string> openings(const PolicyPremises&);
/// The exact set of what all policies together let the pod send; what is selected and not known is told too.
std::vector<std::string> allowed(const PolicyPremises&);

struct Premises;
/// Whether the name servers of the pod's own resolv.conf are open to it: what the policies say of what was
/// seen inside of the pod. Never decisive: it is about a bot that finds no names.
Check check_resolvers(const PolicyPremises&, const Premises& pod);

/// What the API server would refuse of a NetworkPolicy, "networkpolicy/a: spec.egress: must be a list";
/// nothing for other objects. Only where it is empty do the rows below mean anything.
std::vector<std::string> complaints_about_policy(const Json& object);

/// The rows for objects without a cluster (a chart's, say): for each pod and pod template among them, or for
/// the pods that the policies select where there is none. Objects without a namespace are in `ns`.
Checks policy_checks_of(const std::vector<Json>& objects, const std::string& ns);
std::vector<std::string> allowed_of(const std::vector<Json>& objects, const std::string& ns);

}  // namespace hermesctl::hermes
