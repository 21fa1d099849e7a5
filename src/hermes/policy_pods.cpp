// What the policies open of pods: the cluster's DNS, one named service, or too many.
#include "hermesctl/hermes/label_selector.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "policy_rows.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

/// Without a selector of namespaces, or with one that leaves the DNS's out, they are other pods that are
/// called like it.
bool is_dns(const ClusterFacts& cluster, const Json& rule, const Json& peer) {
    if (!peer.contains("namespaceSelector")) return false;
    const Json& known = cluster.dns_namespace_labels;
    const Json named{{"kubernetes.io/metadata.name", cluster.dns_namespace}};  // each namespace has this one
    if (!selects(peer["namespaceSelector"], known.is_object() ? known : named)) return false;
    const Json& ports = at(rule, "/ports");
    const auto& targets = cluster.dns_target_ports;
    const bool only_dns = !ports.empty() && std::ranges::all_of(ports, [&](const Json& port) {
        const Json& number = at(port, "/port");
        if (number.is_string()) return number == "dns" || number == "dns-tcp";
        return number.is_number() && !port.contains("endPort") &&
               (number == 53 || std::ranges::find(targets, number.get<int>()) != targets.end());
    });
    const Json& labels = at(peer, "/podSelector/matchLabels");
    const bool of_cluster = !cluster.dns_selector.empty() && labels == cluster.dns_selector;
    const std::string app = text_at(labels, "/k8s-app", text_at(labels, "/app.kubernetes.io~1name"));
    return only_dns && (of_cluster || app == "kube-dns" || app == "coredns");
}

/// Whether a selector names something to choose by. All but a few is as wide as all.
bool chooses(const Json& selector) {
    if (!at(selector, "/matchLabels").empty()) return true;
    const Json& expressions = at(selector, "/matchExpressions");
    return std::any_of(expressions.begin(), expressions.end(), [](const Json& expression) {
        const std::string op = text_at(expression, "/operator");
        return op == "In" || op == "Exists";
    });
}

bool opens_every_port(const Json& rule) {
    const Json& ports = at(rule, "/ports");
    return ports.empty() || std::any_of(ports.begin(), ports.end(), [](const Json& port) {
               const Json& number = at(port, "/port");
               return number.is_null() || (number.is_number() && number.get<int>() <= 1 &&
                                           kube::int_at(port, "/endPort") == 65535);
           });
}

/// How wide a rule's opening to pods is.
Verdict width(const Json& rule, const Json& peer) {
    if (!chooses(at(peer, "/podSelector")) || opens_every_port(rule)) return Verdict::fail;
    return peer.contains("namespaceSelector") && !chooses(peer["namespaceSelector"]) ? Verdict::warn
                                                                                     : Verdict::pass;
}

/// A packet to a pod that `rule` selects now.
std::string example_of(const PolicyPremises& premises, const Json& rule) {
    const Json alone{{"spec",
                      {{"podSelector", Json::object()},
                       {"policyTypes", Json::array({"Egress"})},
                       {"egress", Json::array({rule})}}}};
    const Reach reach = reach_of(premises.sender, {alone}, premises.neighbours);
    const auto packet = reach.grants.front().pods.example();
    return packet ? packet->text() : "";
}

std::string told(const PodOpening& opening) {
    if (opening.example.empty()) return fmt::format("{} by {}", opening.text, opening.by);
    return fmt::format("{} ({}) by {}", opening.example, opening.text, opening.by);
}

}  // namespace

PodOpenings pod_openings(const PolicyPremises& premises, const Reach& reach) {
    PodOpenings all;
    for (const Grant& grant : reach.grants) {
        const bool foreign = !premises.own.empty() && grant.policy != premises.own;
        const auto add = [&](const Json& rule, Verdict verdict) {
            all.others.push_back(
                {rule_text(rule), grant.text(), example_of(premises, rule), verdict, foreign});
        };
        // Ports by name, of whatever pod has one that is called so.
        if (at(grant.json, "/to").empty() && names_a_port(grant.json)) add(grant.json, Verdict::fail);
        for (const Json& peer : at(grant.json, "/to")) {
            if (peer.contains("ipBlock")) continue;
            const Verdict verdict = width(grant.json, peer);
            const bool dns = verdict == Verdict::pass && is_dns(premises.cluster, grant.json, peer);
            all.dns = all.dns || dns;
            if (!dns) add({{"to", Json::array({peer})}, {"ports", at(grant.json, "/ports")}}, verdict);
        }
    }
    return all;
}

Check check_pods(const PolicyPremises& premises, const Reach& reach) {
    Check check{.id = "policy-pods",
                .group = "policy",
                .title = "of pods only the cluster's DNS, or one named service, is open",
                .verdict = Verdict::pass};
    std::vector<std::string> wide;
    std::vector<std::string> foreign;
    std::vector<std::string> narrow;
    for (const PodOpening& opening : pod_openings(premises, reach).others) {
        auto& list = opening.width != Verdict::pass ? wide : opening.foreign ? foreign : narrow;
        list.push_back(told(opening));
        if (opening.width == Verdict::fail) check.verdict = Verdict::fail;
    }
    const bool quiet = wide.empty() && foreign.empty();
    if (!quiet && check.verdict == Verdict::pass) check.verdict = Verdict::warn;
    check.evidence = !wide.empty()      ? some_of(wide)
                     : !foreign.empty() ? some_of(foreign)
                     : !narrow.empty()  ? "beside the DNS: " + some_of(narrow)
                                        : "only the DNS";
    if (!wide.empty()) {
        check.hint = "name the pods and their namespace in the rule, and the port";
    } else if (!foreign.empty()) {
        check.hint = fmt::format(
            "where it is wanted, move the rule to networkpolicy/{}: deploy keeps it there, and the verdict "
            "names it",
            premises.own);
    }
    check.decisive = check.verdict != Verdict::warn;
    return check;
}

}  // namespace hermesctl::hermes
