#include "cluster_dns.hpp"

#include "diagnosis_parts.hpp"
#include "hermesctl/hermes/label_selector.hpp"
#include "hermesctl/hermes/reach.hpp"
#include "items.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using Listing = kube::Client::Listing;

const Json& find_service(const kube::Round& round, const Listing& services) {
    static constexpr std::array<std::array<std::string_view, 2>, 4> known{
        {{"kube-system", "kube-dns"},
         {"kube-system", "coredns"},
         {"kube-system", "rke2-coredns-rke2-coredns"},
         {"openshift-dns", "dns-default"}}};
    static const Json none;
    const Json& all = items_in(round.of(services));
    for (const auto& [ns, name] : known) {
        for (const Json& service : all) {
            const auto ref = kube::ref_of(service);
            if (ref.ns == ns && ref.name == name) return service;
        }
    }
    for (const Json& service : all) {
        const bool labelled = text_at(service, "/metadata/labels/k8s-app") == "kube-dns";
        if (labelled && at(service, "/spec/selector").is_object()) return service;
    }
    return none;
}

/// Where its pods are asked for.
Listing pods_of(const Json& service) {
    const std::string ns = kube::ref_of(service).ns;
    const Json& selector = at(service, "/spec/selector");
    if (ns == usual_dns_pods().ns && text_at(selector, "/k8s-app") == "kube-dns") return usual_dns_pods();
    std::vector<std::string> labels;
    for (const auto& [key, value] : selector.items())
        labels.push_back(fmt::format("{}={}", key, value.is_string() ? value.get<std::string>() : ""));
    return {"Pod", ns, {.label = fmt::format("{}", fmt::join(labels, ",")), .field = {}}};
}

kube::Ref namespace_of(const Json& service) {
    return {"Namespace", "", kube::ref_of(service).ns};
}

}  // namespace

const Json& items_in(const kube::Outcome& outcome) {
    static const Json none = Json::array();
    const Json& list = outcome.object ? at(*outcome.object, "/items") : none;
    return list.is_array() ? list : none;
}

const Listing& usual_dns_pods() {
    static const Listing pods{
        "Pod", "kube-system", {.label = "k8s-app in (kube-dns,node-local-dns)", .field = {}}};
    return pods;
}

void want_usual_dns(kube::Round& round) {
    round.want(usual_dns_pods());
    round.want(kube::Ref{"Namespace", "", usual_dns_pods().ns});
}

void want_unusual_dns(kube::Round& round, const Listing& services) {
    const Json& service = find_service(round, services);
    if (!at(service, "/spec/selector").is_object()) return;
    round.want(pods_of(service));
    round.want(namespace_of(service));
}

Dns dns_of(const kube::Round& round, const Listing& services) {
    Dns dns;
    for (const Json& pod : items_in(round.of(usual_dns_pods())))
        dns.node_local = dns.node_local || text_at(pod, "/metadata/labels/k8s-app") == "node-local-dns";
    const Json& service = find_service(round, services);
    if (service.is_null()) return dns;
    dns.service = &service;
    const Json& selector = at(service, "/spec/selector");
    if (!selector.is_object()) return dns;
    const kube::Outcome& pods = round.of(pods_of(service));
    if (pods.error) dns.unread = pods.error->message();
    for (const Json& pod : items_in(pods)) {
        if (has_ended(pod) || !selects({{"matchLabels", selector}}, at(pod, "/metadata/labels"))) continue;
        dns.pods.push_back(pod);
        dns.on_nodes = dns.on_nodes || kube::bool_at(pod, "/spec/hostNetwork");
    }
    const kube::Outcome& space = round.of(namespace_of(service));
    if (space.object) dns.namespace_labels = at(*space.object, "/metadata/labels");
    return dns;
}

int Dns::target_of(const Json& port) const {
    const Json& target = at(port, "/targetPort");
    if (!target.is_string())
        return static_cast<int>(kube::int_at(port, "/targetPort", kube::int_at(port, "/port")));
    const auto protocol = parse_protocol(text_at(port, "/protocol", "TCP")).value_or(Protocol::tcp);
    for (const Json& pod : pods) {
        const Ports numbers = named_port(pod, target.get<std::string>(), protocol);
        if (!numbers.empty()) return numbers.lowest().second;
    }
    return 0;
}

std::vector<std::string> Dns::addresses() const {
    std::vector<std::string> found;
    for (const Json& pod : pods)
        found.push_back(text_at(pod, "/status/podIP"));
    return found;
}

std::string Dns::doubt(int target) const {
    if (!unread.empty()) return "the pods of the cluster's DNS could not be read: " + unread;
    if (std::ranges::none_of(pods, pod_is_ready)) return "no ready pod of the cluster's DNS is behind it";
    return target == 0 ? "its port is a name that no pod of the cluster's DNS has" : "";
}

}  // namespace hermesctl::hermes
