// What else lives in an installation's namespace, of every kind that the server knows.
#pragma once

#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <string>

namespace hermesctl::hermes {

/// "it also has secret/mine": what is in the namespace beside the installation's own objects, what is being
/// deleted, and what Kubernetes puts into each namespace; of an owner and what it owns only the owner. What
/// may not be seen is named as well: nobody can say that it is not there. "" when there is nothing.
std::string inhabitants(kube::Client&, const Names&);

}  // namespace hermesctl::hermes
