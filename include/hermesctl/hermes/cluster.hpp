// What the cluster says about itself, as far as the cage needs it: DNS, nodes, API server, address ranges.
#pragma once

#include "hermesctl/kube/client.hpp"

#include <string>
#include <vector>

namespace hermesctl::hermes {

using kube::Json;

struct ClusterFacts {
    Json dns_selector = Json::object();  // of the DNS Service's pods ({"k8s-app": "kube-dns"})
    std::string dns_namespace = "kube-system";
    std::vector<std::string> dns_addresses{};  // ClusterIPs of the DNS Service
    std::vector<int> dns_target_ports{53};
    std::vector<std::string> node_addresses{};  // internal and external
    std::vector<std::string> api_addresses{};   // endpoints of the API Service and the kubeconfig's server
    std::vector<std::string> pod_ranges{};
    std::vector<std::string> service_ranges{};
    std::vector<std::string> balancer_addresses{};  // load balancer and external IPs
    std::vector<std::string> unread{};  // what may not be read ("nodes"), for a warning; never a silent gap
};

/// `server`: the kubeconfig's URL. Reads in parallel; what may not be read lands in `unread`.
ClusterFacts read_cluster(kube::Client&, const std::string& server);

}  // namespace hermesctl::hermes
