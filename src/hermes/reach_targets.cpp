// What a caged pod must not reach, and what it must.
#include "cluster_dns.hpp"
#include "diagnosis_parts.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "hermesctl/hermes/live_proof.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "items.hpp"
#include "ranges.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::int_at;
using kube::text_at;

constexpr int kubelet_port = 10250;
constexpr std::size_t most_of_a_kind = 8;  // of nodes, NodePorts, pods: enough to tell

class List {
  public:
    void add(const char* row, const char* by, const std::string& host, std::int64_t port, Listener listener) {
        if (host.empty()) return;
        ReachTarget target{
            .row = row, .by = by, .host = host, .port = static_cast<int>(port), .listener = listener};
        const bool known =
            std::ranges::any_of(all_, [&](const ReachTarget& one) { return one.name() == target.name(); });
        if (!known) all_.push_back(std::move(target));
    }
    void lifeline(const char* row, const std::string& host) {
        if (host.empty()) return;
        all_.push_back({.row = row, .by = "tcp", .host = host, .port = 443, .lifeline = true});
    }
    std::vector<ReachTarget> take() { return std::move(all_); }

  private:
    std::vector<ReachTarget> all_{};
};

void add_api(List& list, const Surroundings& around) {
    for (const Json& service : around.services) {
        const auto ref = kube::ref_of(service);
        if (ref.ns == "default" && ref.name == "kubernetes")
            list.add("live-api", "tcp", text_at(service, "/spec/clusterIP"), 443, Listener::sure);
    }
    for (const Json& slice : around.api_slices) {
        for (const Json& endpoint : at(slice, "/endpoints"))
            list.add("live-api", "tcp", text_at(endpoint, "/addresses/0"),
                     int_at(slice, "/ports/0/port", 6443), Listener::sure);
    }
}

std::set<std::string> addresses_of(const Json& node) {
    std::set<std::string> found;
    for (const Json& address : at(node, "/status/addresses"))
        found.insert(text_at(address, "/address"));
    return found;
}

void add_nodes(List& list, const Surroundings& around) {
    list.add("live-kubelet", "tcp", around.host_ip, kubelet_port, Listener::sure);
    list.add("live-nodes", "tcp", around.host_ip, 22, Listener::perhaps);
    std::size_t seen = 0;
    for (const Json& node : around.nodes) {
        if (seen++ == most_of_a_kind) break;
        for (const Json& address : at(node, "/status/addresses")) {
            const std::string type = text_at(address, "/type");
            const std::string text = text_at(address, "/address");
            if (type == "InternalIP") list.add("live-kubelet", "tcp", text, kubelet_port, Listener::sure);
            if (type == "InternalIP" || type == "ExternalIP")
                list.add("live-nodes", "tcp", text, 22, Listener::perhaps);
        }
    }
    for (const int port : {53, 80, 443})
        list.add("live-gateway", "tcp", "gateway", port, Listener::perhaps);
}

void add_node_ports(List& list, const Surroundings& around) {
    std::size_t seen = 0;
    for (const Json& service : around.services) {
        for (const Json& port : at(service, "/spec/ports")) {
            const auto number = int_at(port, "/nodePort");
            if (number == 0 || text_at(port, "/protocol", "TCP") != "TCP" || seen++ >= most_of_a_kind)
                continue;
            list.add("live-nodeports", "tcp", around.host_ip, number, Listener::perhaps);
        }
    }
}

/// Resolvers and time servers that everybody may use; the cage lets nobody at them.
void add_internet(List& list, const Surroundings& around) {
    list.add("live-resolvers", "dns", "1.1.1.1", 53, Listener::perhaps);
    list.add("live-resolvers", "tcp", "1.1.1.1", 53, Listener::perhaps);
    list.add("live-resolvers", "tcp", "1.1.1.1", 853, Listener::perhaps);
    list.add("live-ntp", "ntp", "162.159.200.123", 123, Listener::perhaps);
    list.add("live-icmp", "icmp", "gateway", 0, Listener::perhaps);
    list.add("live-icmp", "icmp", "1.1.1.1", 0, Listener::perhaps);
    if (!around.ipv6_wanted) list.add("live-ipv6", "tcp", "2606:4700:4700::1111", 443, Listener::perhaps);
    list.add("live-metadata", "tcp", "169.254.169.254", 80, Listener::perhaps);
    list.add("live-tailnet", "tcp", "100.100.100.100", 53, Listener::perhaps);
    list.add("live-tailnet", "tcp", "100.100.100.100", 80, Listener::perhaps);
}

/// What the cage opens by name is no target, but for what was named as one.
bool is_opened(const ReachTarget& target, const Surroundings& around) {
    const auto host = parse_range(target.host);
    if (!host || target.row == "live-lan") return false;
    if (target.port == 53 && lies_in(*host, around.dns)) return true;
    return target.by == "tcp" && std::ranges::any_of(around.allow, [&](const std::string& text) {
               const auto opening = parse_target(text);
               return opening && opening->port == target.port && lies_in(*host, {opening->host});
           });
}

void add_opening(List& list, const char* row, const std::string& text, Listener listener) {
    if (const auto opening = parse_target(text)) list.add(row, "tcp", opening->host, opening->port, listener);
}

/// TCP, beside those for names.
std::vector<int> declared_ports(const Json& pod, const ClusterFacts& cluster) {
    std::vector<int> found;
    for (const Json& container : at(pod, "/spec/containers")) {
        for (const Json& port : at(container, "/ports")) {
            const int number = static_cast<int>(int_at(port, "/containerPort"));
            if (number != 53 && std::ranges::count(cluster.dns_target_ports, number) == 0 &&
                text_at(port, "/protocol", "TCP") == "TCP")
                found.push_back(number);
        }
    }
    return found;
}

/// What the DNS's ready pods declare, at their own addresses. These come and go, so that the gate cannot name
/// them; a probe can.
std::vector<Witness> at_dns_pods(const ClusterFacts& cluster) {
    std::vector<Witness> found;
    for (const Json& pod : cluster.dns_pods) {
        const std::string address = text_at(pod, "/status/podIP");
        if (address.empty() || !pod_is_ready(pod) || kube::bool_at(pod, "/spec/hostNetwork")) continue;
        for (const int port : declared_ports(pod, cluster))
            found.push_back({.address = address,
                             .port = port,
                             .target_port = port,
                             .doubt = "a declared port need not have a listener",
                             .of_dns = true});
    }
    found.resize(std::min(found.size(), most_of_a_kind));
    return found;
}

/// What the DNS serves beside port 53, as far as the policy closes it.
void add_witnesses(Surroundings& around, const Observation& seen) {
    ClusterFacts cluster = seen.cluster;
    std::ranges::copy(at_dns_pods(cluster), std::back_inserter(cluster.witnesses));
    const auto closed = witnesses_of(seen.values, cluster, foreign_rules(seen.live.of(seen.names.policy())));
    std::vector<std::string> opened;
    for (const Witness& witness : cluster.witnesses) {
        if (!witness.of_dns) continue;  // a row of its own looks at the API's
        if (std::ranges::find(closed, witness.word()) != closed.end()) {
            around.witnesses.push_back(witness);
        } else {
            opened.push_back(witness.text());
        }
    }
    const bool on_nodes = std::ranges::any_of(
        seen.cluster.dns_pods, [](const Json& pod) { return kube::bool_at(pod, "/spec/hostNetwork"); });
    if (!opened.empty()) {
        around.no_witness =
            fmt::format("a policy opens what the DNS serves beside port 53: {}", fmt::join(opened, ", "));
    } else if (on_nodes) {
        around.no_witness = "the DNS is on its nodes' own network, where policies may not hold";
    } else if (seen.cluster.dns_pods.empty()) {
        around.no_witness = "the DNS Service has port 53 alone, and its pods are not known";
    }
}

const kube::Client::Listing& kube_router_pods() {
    static const kube::Client::Listing pods{
        "Pod", "kube-system", {.label = "k8s-app=kube-router", .field = {}}};
    return pods;
}

/// k3s has it built in, unless told otherwise; its nodes say so.
bool has_kube_router(const Observation& seen) {
    if (!items_in(seen.round.of(kube_router_pods())).empty()) return true;
    bool k3s = false;
    for (const Json& node : items_in(seen.round.of(cluster_lists().nodes))) {
        const std::string arguments = text_at(node, "/metadata/annotations/k3s.io~1node-args");
        if (arguments.find("--disable-network-policy") != std::string::npos) return false;
        k3s = k3s || text_at(node, "/status/nodeInfo/kubeletVersion").find("+k3s") != std::string::npos;
    }
    return k3s;
}

/// Where Hermes sends to an address of the owner's own, the provider's is no lifeline.
bool asks_elsewhere(const Observation& seen) {
    const auto names_one = [](const std::string& variable) { return variable.ends_with("_BASE_URL"); };
    for (const auto& [variable, value] : seen.values.pod.env) {
        if (names_one(variable)) return true;
    }
    for (const auto& [key, value] : at(seen.live.of(seen.names.secret()), "/data").items()) {
        if (names_one(key)) return true;
    }
    return !text_at(seen.values.config, "/model/base_url").empty();
}

}  // namespace

std::string ReachTarget::name() const {
    if (by == "icmp") return fmt::format("ICMP {}", host);
    return fmt::format(fmt::runtime(host.find(':') == std::string::npos ? "{} {}:{}" : "{} [{}]:{}"),
                       upper(by), host, port);
}

void want_surroundings(kube::Round& round) {
    round.want(kube_router_pods());
}

Surroundings surroundings_of(const Observation& seen) {
    const Network& network = seen.values.network;
    const kube::Outcome& services = seen.round.of(cluster_lists().services);
    Surroundings around{.services = items_of(services),
                        .unlisted = services.error ? services.error->message() : "",
                        .nodes = items_of(seen.round.of(cluster_lists().nodes)),
                        .api_slices = items_of(seen.round.of(cluster_lists().slices)),
                        .host_ip = text_at(seen.agent.object, "/status/hostIP"),
                        .provider = asks_elsewhere(seen) ? "" : seen.values.provider,
                        .lan = network.must_not_reach,
                        .allow = network.allow,
                        .dns = network.dns,
                        .ipv6_wanted = opens_v6(seen.values, seen.cluster),
                        .kube_router = has_kube_router(seen)};
    add_witnesses(around, seen);
    return around;
}

bool leads_to_own_node(const ReachTarget& target, const Surroundings& around) {
    std::set<std::string> own{around.host_ip};
    for (const Json& node : around.nodes) {
        const auto addresses = addresses_of(node);
        if (addresses.contains(around.host_ip)) own.insert(addresses.begin(), addresses.end());
    }
    own.erase("");
    std::set<std::string> behind;
    for (const Json& slice : around.api_slices) {
        for (const Json& endpoint : at(slice, "/endpoints"))
            behind.insert(text_at(endpoint, "/addresses/0"));
    }
    const bool api_service = target.row == "live-api" && !behind.contains(target.host);
    if (!api_service) return own.contains(target.host);
    return std::ranges::any_of(behind, [&](const std::string& one) { return own.contains(one); });
}

std::vector<ReachTarget> reach_targets(const Surroundings& around) {
    List list;
    // First: of very many targets reach.py leaves the last ones out.
    list.lifeline("live-telegram", "api.telegram.org");
    list.lifeline("live-provider", host_of_provider(around.provider));
    add_api(list, around);
    add_nodes(list, around);
    for (const Witness& witness : around.witnesses)
        list.add("live-dns-ports", "tcp", witness.address, witness.port,
                 witness.doubt.empty() ? Listener::sure : Listener::perhaps);
    add_node_ports(list, around);
    for (const std::string& target : around.lan)
        add_opening(list, "live-lan", target, Listener::asked);
    add_internet(list, around);
    auto targets = list.take();
    std::erase_if(targets, [&](const ReachTarget& target) { return is_opened(target, around); });
    return targets;
}

}  // namespace hermesctl::hermes
