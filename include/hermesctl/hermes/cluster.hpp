// What the cluster says about itself, as far as the cage needs it: DNS, nodes, API server, address ranges.
#pragma once

#include "hermesctl/kube/round.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace hermesctl::hermes {

using kube::Json;

/// Something that the cage does not know.
struct Gap {
    std::string what{};  // "nodes"
    std::string why{};   // a sentence: "may not list nodes: ...; grant ..."
};

/// A listener of the cluster that is surely there (`doubt` says where it may not be), by which the gate can
/// tell whether the cage holds.
struct Witness {
    std::string address{};  // of its Service, which stays, or of a pod that verify tries
    int port = 0;
    int target_port = 0;                // behind it; policies see one or the other
    std::vector<std::string> behind{};  // addresses and ranges behind it
    std::string doubt{};                // why it may tell nothing (no ready pod behind it, ...); "": it tells
    bool of_dns = false;                // the pods of the cluster's DNS are behind it
    std::vector<std::string> nodes{};   // behind it: a pod on one of these may reach it whatever policies say
    std::string text() const;           // "10.43.0.10:9153"
    std::string word() const;           // what the gate takes: with "/NODE" for each of `nodes`
};

struct ClusterFacts {
    Json dns_selector = Json::object();  // of the DNS Service's pods ({"k8s-app": "kube-dns"})
    std::string dns_namespace = "kube-system";
    std::vector<std::string> dns_addresses{};  // ClusterIPs of the DNS Service
    std::vector<int> dns_target_ports{53};
    bool dns_port_known = true;                 // false: it is a name, and may not be looked up
    std::vector<Json> dns_pods{};               // as far as they may be read
    Json dns_namespace_labels{};                // null: not known
    std::vector<std::string> node_addresses{};  // internal and external
    std::vector<std::string> api_addresses{};   // endpoints of the API Service, and the kubeconfig's server
    std::vector<std::string> pod_ranges{};
    std::vector<std::string> service_ranges{};
    std::vector<std::string> balancer_addresses{};  // load balancer and external IPs
    std::vector<Witness> witnesses{};
    std::vector<Json> other_policies{};  // of the agent's namespace, which may open a witness; see compose
    std::vector<Gap> gaps{};             // for warnings; never a silent gap
    bool incomplete = false;             // a list was refused, or failed
    // From the live policy, where `incomplete` (policy.hpp):
    std::vector<std::string> closed_before{};
    std::optional<bool> v6_before{};  // whether IPv6 is open
};

/// What is listed of it.
struct ClusterLists {
    using Listing = kube::Client::Listing;
    Listing services{"Service", "", {}};
    Listing nodes{"Node", "", {}};
    Listing slices{"EndpointSlice",
                   "default",
                   {.label = "kubernetes.io/service-name=kubernetes", .field = {}}};  // of the API server
    Listing ranges{"ServiceCIDR", "", {}};
    Listing kubeadm{"ConfigMap", "kube-system", {.label = {}, .field = "metadata.name=kubeadm-config"}};
};
const ClusterLists& cluster_lists();

/// The addresses that a host name stands for; none where it stands for nothing.
using Resolve = std::function<std::vector<std::string>(const std::string& name)>;

/// What is known beside what the cluster says.
struct ClusterHints {
    std::string server{};               // the kubeconfig's URL
    std::vector<std::string> except{};  // network.except: what lies in it is closed anyway, and no gap
    Resolve resolve{};                  // without it no name is known
};

void want_cluster(kube::Round&);
/// Once the round has run; where the DNS is an unusual one it runs once more. What may not be read lands in
/// `gaps`.
ClusterFacts cluster_of(kube::Round&, const ClusterHints&);

}  // namespace hermesctl::hermes
