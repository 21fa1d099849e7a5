#include "hermesctl/hermes/gate.hpp"

#include "diagnosis_parts.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/reach.hpp"
#include "hermesctl/hermes/render.hpp"
#include "ranges.hpp"
#include "throwaway_job.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using kube::at;
using kube::text_at;

/// All that a policy may take it for: before and after its Service's address is translated.
Traffic traffic_of(const Witness& witness) {
    const Ports ports = Ports::of(Protocol::tcp, witness.port, witness.port) |
                        Ports::of(Protocol::tcp, witness.target_port, witness.target_port);
    Traffic sum(witness.address, ports);
    for (const std::string& range : witness.behind)
        sum = sum | Traffic(range, ports);
    return sum;
}

/// The gate alone, where the agent may run, by the image that runs now: the node has it.
Json proof_job(const Names& names, const Json& live, Json gate) {
    const Json& agent = at(live, "/spec/template/spec");
    Json job = throwaway_job("proof.yaml", names, agent);
    gate["image"] = agent_image(agent);
    gate["imagePullPolicy"] = "IfNotPresent";  // :latest would be pulled, and the time is short
    job["/spec/template/spec/containers"_json_pointer] = Json::array({std::move(gate)});
    return job;
}

}  // namespace

const Json& gate_of(const Json& deployment) {
    return kube::with_name(at(deployment, "/spec/template/spec/initContainers"), gate_name);
}

Check check_gate(const Json& deployment) {
    Check check{.id = "gate",
                .group = "policy",
                .title = "the agent is held until the cage is closed",
                .verdict = Verdict::pass,
                .evidence = "by the pod's first container",
                .decisive = false};
    if (text_at(deployment, "/spec/template/spec/initContainers/0/name") == gate_name) return check;
    check.verdict = Verdict::warn;
    check.evidence = fmt::format("{}: what connects in a pod's first second may get out, and stays connected",
                                 gate_of(deployment).is_null()
                                     ? "the gate is off"
                                     : "a container that somebody put before the gate is not held by it");
    check.hint = "hermesctl deploy --gate";
    return check;
}

std::vector<std::string> witnesses_of(const Values& values, const ClusterFacts& cluster,
                                      const Json& kept_rules) {
    std::vector<Json> policies = cluster.other_policies;
    policies.push_back({{"spec",
                         {{"podSelector", Json::object()},
                          {"policyTypes", {"Egress"}},
                          {"egress", egress_rules(values, cluster, kept_rules)}}}});
    const Sender agent{values.ns, pod_labels(values)};
    Neighbours around{
        .pods = cluster.dns_pods, .known = true, .labels_known = cluster.dns_namespace_labels.is_object()};
    if (cluster.dns_namespace_labels.is_object())
        around.namespaces.push_back(
            {{"metadata", {{"name", cluster.dns_namespace}, {"labels", cluster.dns_namespace_labels}}}});
    std::vector<std::string> left;
    for (const Witness& witness : cluster.witnesses) {
        Neighbours behind = around;
        // A rule for the DNS's pods opens what is behind its Service's address, also where they may not be
        // read.
        const auto& dns = cluster.dns_addresses;
        const bool of_dns =
            witness.of_dns || dns.empty() || std::ranges::find(dns, witness.address) != dns.end();
        if (of_dns) {
            behind.pods.push_back(
                {{"metadata", {{"namespace", cluster.dns_namespace}, {"labels", cluster.dns_selector}}},
                 {"status", {{"podIP", witness.address}}}});
        }
        const Reach reach = reach_of(agent, policies, behind);
        // What cannot be told of a rule may be that it opens the DNS.
        const bool doubt = of_dns && !reach.exact();
        if (!doubt && (reach.all() & traffic_of(witness)).empty()) left.push_back(witness.word());
    }
    return left;
}

std::vector<Witness> live_witnesses(const Json& deployment) {
    std::vector<Witness> witnesses;
    const std::string words = text_at(gate_of(deployment), "/command/5");
    for (const std::string_view word : split(words, ",")) {
        const auto parts = split(word, "/");  // where, and the nodes on which it is not looked at
        const auto one = parse_target(std::string(parts.front()));
        if (!one) continue;
        witnesses.push_back({.address = one->host,
                             .port = one->port,
                             .target_port = one->port,
                             .nodes = {parts.begin() + 1, parts.end()}});
    }
    return witnesses;
}

Error not_enforced(const std::string& found) {
    return {
        ExitCode::failed,
        fmt::format("nothing enforces NetworkPolicy in this cluster: {} is open to the pod", found),
        "k3s: start the server without --disable-network-policy, and install ipset; kind, minikube, "
        "flannel: a network that enforces policies (docs/checks.md#gate). Where one does, hermesctl verify "
        "--static tells whether another policy opens it"};
}

bool found_closed(const Json& ended) {
    return kube::int_at(ended, "/exitCode") == 0 && text_at(ended, "/message").starts_with("closed");
}

Error no_dns(const std::string& said) {
    return {ExitCode::failed, fmt::format("the pod gets {}", said),
            "kubectl -n kube-system get pods: is the cluster's DNS up? (docs/checks.md#gate)"};
}

void prove_enforcement(kube::Client& client, const Names& names, const Json& live, const Json& to_come,
                       Reporter& reporter, const std::function<void()>& each_round) {
    const Json& gate = gate_of(to_come);
    if (gate.is_null() || live_witnesses(to_come).empty()) return;
    const std::string subject = "network policy";
    reporter.on({"gate", subject, State::waiting, "a pod tries whether it is in force"});
    const auto unproved = [&](const std::string& why) {
        reporter.on(
            {"gate", subject, State::warning,
             "could not be tried beside the running agent: " + why + "; the new pod's gate tries it"});
    };
    Json ended;
    std::string cause;  // why its pod does not run
    try {
        ThrowawayJob job(client, proof_job(names, live, gate));
        ended = job.wait_for_end(reporter, [&](const Json& pod) {
            const auto trouble = pod_state(pod, nullptr, {}).trouble;
            cause = trouble ? ": " + trouble->cause : "";
            if (each_round) each_round();
        });
    } catch (const kube::ApiError& error) {
        return unproved(error.message());
    }
    if (ended.is_null()) return unproved("its pod did not run" + cause);
    const auto code = kube::int_at(ended, "/exitCode");
    if (code == gate_still_open) throw not_enforced(text_at(ended, "/message"));
    if (code == gate_no_dns) throw no_dns(text_at(ended, "/message"));
    if (!found_closed(ended))
        return unproved(text_at(ended, "/message", "its container ended with an error"));
    reporter.on({"gate", subject, State::done, "in force"});
}

}  // namespace hermesctl::hermes
