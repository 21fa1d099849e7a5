// Kinds that not every cluster has. RBAC answers before "no such API": a refusal tells nothing of one that is
// not even served.
#pragma once

#include "hermesctl/kube/round.hpp"

#include <string>

namespace hermesctl::hermes {

/// A collection: "/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies". What its version serves is asked too.
void want_if_served(kube::Round&, const std::string& collection);
/// False where it is known that nobody serves it.
bool is_served(const kube::Round&, const std::string& collection);
/// "ciliumclusterwidenetworkpolicies"
std::string resource_of(const std::string& collection);

}  // namespace hermesctl::hermes
