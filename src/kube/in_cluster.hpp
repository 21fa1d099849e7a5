// The connection of a process that runs in a pod (client-go rest.InClusterConfig).
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/kube/kubeconfig.hpp"

#include <string>

namespace hermesctl::kube {

inline constexpr const char* service_account_directory = "/var/run/secrets/kubernetes.io/serviceaccount";

bool in_cluster_possible(const Environment&, const std::string& directory = service_account_directory);
Connection in_cluster_connection(const Environment&, Clock&,
                                 const std::string& directory = service_account_directory);

}  // namespace hermesctl::kube
