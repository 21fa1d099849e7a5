// The connection of a process that runs in a pod (client-go rest.InClusterConfig).
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/kube/kubeconfig.hpp"

#include <string>

namespace hermesctl::kube {

/// `directory`: the service account's, with token and ca.crt.
bool in_cluster_possible(const Environment&, const std::string& directory);
Connection in_cluster_connection(const Environment&, Clock&, const std::string& directory);

}  // namespace hermesctl::kube
