// Rules: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
#include "hermesctl/hermes/reach.hpp"

#include "hermesctl/hermes/label_selector.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "items.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::bool_at;
using kube::int_at;
using kube::text_at;

bool selects_sender(const Json& policy, const Sender& sender) {
    return text_at(policy, "/metadata/namespace", sender.ns) == sender.ns &&
           selects(at(policy, "/spec/podSelector"), sender.labels);
}

Protocol protocol_of(const Json& port) {
    return parse_protocol(text_at(port, "/protocol", "TCP")).value_or(Protocol::tcp);
}

/// The ports of a rule: without a list all. Names are ports of a pod: without one they are none.
Ports ports_of(const Json& rule, const Json* pod) {
    const Json& list = at(rule, "/ports");
    if (list.empty()) return Ports::all();
    Ports ports;
    for (const Json& port : list) {
        const Json& number = at(port, "/port");
        if (number.is_null()) {
            ports = ports | Ports::of(protocol_of(port));
        } else if (number.is_string()) {
            if (pod != nullptr)
                ports = ports | named_port(*pod, number.get<std::string>(), protocol_of(port));
        } else {
            const int first = number.get<int>();
            const int last = static_cast<int>(int_at(port, "/endPort", first));
            if (first <= last) ports = ports | Ports::of(protocol_of(port), first, last);
        }
    }
    return ports;
}

Traffic block(const Json& ip_block, const Ports& ports) {
    Traffic traffic(text_at(ip_block, "/cidr"), ports);
    for (const Json& range : at(ip_block, "/except")) {
        if (range.is_string()) traffic = traffic - Traffic(range.get<std::string>(), Ports::all());
    }
    return traffic;
}

/// The API server itself labels every namespace with its name.
constexpr const char* name_label = "kubernetes.io/metadata.name";

bool asks_for_the_name_alone(const Json& selector) {
    for (const auto& [key, value] : at(selector, "/matchLabels").items()) {
        if (key != name_label) return false;
    }
    const Json& expressions = at(selector, "/matchExpressions");
    return std::all_of(expressions.begin(), expressions.end(),
                       [](const Json& one) { return text_at(one, "/key") == name_label; });
}

/// The evaluation of one sender's rules.
class Evaluation {
  public:
    Evaluation(const Sender& sender, const Neighbours& neighbours)
        : sender_(sender), neighbours_(neighbours) {}

    void add(const Json& rule, Grant& grant) const {
        const Json& to = at(rule, "/to");
        if (to.empty()) {
            grant.ranges = Traffic(ports_of(rule, nullptr));
            if (names_a_port(rule)) grant.pods = to_pods(rule, nullptr);
        }
        for (const Json& peer : to) {
            if (peer.contains("ipBlock")) {
                grant.ranges = grant.ranges | block(peer["ipBlock"], ports_of(rule, nullptr));
            } else if (is_known(peer)) {
                grant.pods = grant.pods | to_pods(rule, &peer);
            } else {
                grant.unknown.push_back(peer_text(peer));
            }
        }
    }

  private:
    /// Whether it can be told which pods a peer selects. A label that may not be read is not a missing one.
    bool is_known(const Json& peer) const {
        return neighbours_.known &&
               (neighbours_.labels_known || asks_for_the_name_alone(at(peer, "/namespaceSelector")));
    }

    /// To the pods that `peer` selects; without a peer to all.
    Traffic to_pods(const Json& rule, const Json* peer) const {
        Traffic traffic;
        for (const Json& pod : neighbours_.pods) {
            if (peer != nullptr && !is_peer(pod, *peer)) continue;
            const Ports ports = ports_of(rule, &pod);
            for (const std::string& address : pod_addresses(pod))
                traffic = traffic | Traffic(address, ports);
        }
        return traffic;
    }

    bool is_peer(const Json& pod, const Json& peer) const {
        const std::string ns = text_at(pod, "/metadata/namespace");
        if (!peer.contains("namespaceSelector")) {
            if (ns != sender_.ns) return false;
        } else if (!selects(peer["namespaceSelector"], labels_of_namespace(ns))) {
            return false;
        }
        return selects(at(peer, "/podSelector"), at(pod, "/metadata/labels"));
    }

    Json labels_of_namespace(const std::string& name) const {
        for (const Json& one : neighbours_.namespaces) {
            if (text_at(one, "/metadata/name") == name) return at(one, "/metadata/labels");
        }
        return {{name_label, name}};
    }

    const Sender& sender_;
    const Neighbours& neighbours_;
};

/// Who wrote the rules last; "" where the object does not tell.
std::string manager_of(const Json& policy) {
    std::string last;
    for (const Json& entry : at(policy, "/metadata/managedFields")) {
        if (!at(entry, "/fieldsV1/f:spec/f:egress").is_null()) last = text_at(entry, "/manager");
    }
    return last;
}

}  // namespace

std::vector<std::string> pod_addresses(const Json& pod) {
    if (is_over(pod) || bool_at(pod, "/spec/hostNetwork")) return {};
    return all_addresses(pod);
}

std::vector<std::string> all_addresses(const Json& pod) {
    std::vector<std::string> addresses;
    for (const Json& entry : at(pod, "/status/podIPs"))
        addresses.push_back(text_at(entry, "/ip"));
    if (addresses.empty()) addresses.push_back(text_at(pod, "/status/podIP"));
    return addresses;
}

bool names_a_port(const Json& rule) {
    const Json& ports = at(rule, "/ports");
    return std::any_of(ports.begin(), ports.end(),
                       [](const Json& port) { return at(port, "/port").is_string(); });
}

std::string Grant::text() const {
    if (rule == 0) return "default: no policy selects the pod";
    const std::string by = manager.empty() ? "" : fmt::format(", written by {}", manager);
    return fmt::format("rule {} of networkpolicy/{}{}", rule, policy, by);
}

bool Reach::exact() const {
    return std::ranges::all_of(grants, [](const Grant& grant) { return grant.unknown.empty(); });
}

Traffic Reach::ranges() const {
    Traffic sum;
    for (const Grant& grant : grants)
        sum = sum | grant.ranges;
    return sum;
}

Traffic Reach::all() const {
    Traffic sum = ranges();
    for (const Grant& grant : grants)
        sum = sum | grant.pods;
    return sum;
}

bool is_for(const Json& policy, std::string_view type) {
    const Json& types = at(policy, "/spec/policyTypes");
    if (types.empty()) return type == "Ingress" || !at(policy, "/spec/egress").empty();
    return std::find(types.begin(), types.end(), type) != types.end();
}

Reach reach_of(const Sender& sender, const std::vector<Json>& policies, const Neighbours& neighbours) {
    Reach reach;
    const Evaluation evaluation(sender, neighbours);
    for (const Json& policy : policies) {
        if (!is_for(policy, "Egress") || !selects_sender(policy, sender)) continue;
        const std::string name = text_at(policy, "/metadata/name");
        reach.policies.push_back(name);
        int number = 0;
        for (const Json& rule : at(policy, "/spec/egress")) {
            Grant grant{.policy = name, .rule = ++number, .manager = manager_of(policy), .json = rule};
            evaluation.add(rule, grant);
            reach.grants.push_back(std::move(grant));
        }
    }
    if (reach.policies.empty()) reach.grants.push_back({.ranges = Traffic(Ports::all())});
    return reach;
}

Ports named_port(const Json& pod, std::string_view name, Protocol protocol) {
    Ports found;
    const auto look_in = [&](const Json& container) {
        for (const Json& one : at(container, "/ports")) {
            if (text_at(one, "/name") != name || protocol_of(one) != protocol) continue;
            const int number = static_cast<int>(int_at(one, "/containerPort"));
            found = found | Ports::of(protocol, number, number);
        }
    };
    for (const Json& container : at(pod, "/spec/containers"))
        look_in(container);
    for (const Json& container : at(pod, "/spec/initContainers")) {
        if (text_at(container, "/restartPolicy") == "Always") look_in(container);  // a sidecar
    }
    return found;
}

Visitors who_may_come(const Sender& sender, const std::vector<Json>& policies) {
    Visitors found;
    for (const Json& policy : policies) {
        if (!is_for(policy, "Ingress") || !selects_sender(policy, sender)) continue;
        found.isolated = true;
        for (const Json& rule : at(policy, "/spec/ingress")) {
            const Json turned{{"to", at(rule, "/from")}, {"ports", at(rule, "/ports")}};
            std::string text = rule_text(turned);
            if (at(rule, "/from").empty()) text = text.substr(0, text.rfind(" to ")) + " to everybody";
            found.lines.push_back(
                fmt::format("networkpolicy/{} opens {}", text_at(policy, "/metadata/name"), text));
        }
    }
    if (!found.isolated)
        found.lines.emplace_back("no policy selects the pod for ingress: everybody may connect to it");
    return found;
}

}  // namespace hermesctl::hermes
