// What policies let a pod send: rule by rule, then against a second evaluator that looks at one packet at a
// time.
#include "hermesctl/hermes/reach.hpp"

#include "hermesctl/kube/yaml.hpp"

#include <random>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Sender hermes_pod{"hermes", {{"app", "hermes"}}};

std::vector<Json> yaml(const std::string& text) {
    return kube::parse_yaml(text, "test");
}

/// A policy of namespace hermes for app=hermes with this spec besides.
Json policy(const std::string& spec, const std::string& name = "p") {
    Json made = yaml(spec).at(0);
    made["podSelector"] = {{"matchLabels", {{"app", "hermes"}}}};
    return {{"metadata", {{"name", name}, {"namespace", "hermes"}}}, {"spec", made}};
}

std::vector<std::string> open(const std::vector<Json>& policies, const Neighbours& neighbours = {}) {
    return reach_of(hermes_pod, policies, neighbours).all().text();
}

Neighbours two_pods() {
    const auto pods = yaml(R"(
metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns, tier: core}}
spec: {containers: [{ports: [{name: metrics, containerPort: 9153}, {name: dns, containerPort: 53, protocol: UDP}]}]}
status: {phase: Running, podIP: 10.42.0.2, podIPs: [{ip: 10.42.0.2}, {ip: "fd42::2"}]}
---
metadata: {name: nas, namespace: hermes, labels: {app: nas}}
spec: {containers: [{ports: [{name: web, containerPort: 8080}]}]}
status: {phase: Running, podIP: 10.42.0.3}
---
metadata: {name: job, namespace: hermes, labels: {app: nas}}
status: {phase: Succeeded, podIP: 10.42.0.4}
---
metadata: {name: host, namespace: hermes, labels: {app: nas}}
spec: {hostNetwork: true}
status: {phase: Running, podIP: 192.168.1.2}
)");
    return {.pods = pods, .known = true};
}

TEST(ReachOf, NobodySelectedIsOpenToAll) {
    const Reach reach = reach_of(hermes_pod, {}, {});
    EXPECT_FALSE(reach.isolated());
    EXPECT_EQ(reach.all(), Traffic(Ports::all()));
    EXPECT_EQ(reach.grants.at(0).text(), "no policy selects the pod");
    Json elsewhere = policy("{policyTypes: [Egress]}");
    elsewhere["metadata"]["namespace"] = "other";
    EXPECT_FALSE(reach_of(hermes_pod, {elsewhere}, {}).isolated());
    Json others = policy("{policyTypes: [Egress]}");
    others["spec"]["podSelector"] = {{"matchLabels", {{"app", "nas"}}}};
    EXPECT_FALSE(reach_of(hermes_pod, {others}, {}).isolated());
}

TEST(ReachOf, TypesDefaultAsTheApiServerSetsThem) {
    EXPECT_FALSE(reach_of(hermes_pod, {policy("{ingress: []}")}, {}).isolated());
    EXPECT_FALSE(reach_of(hermes_pod, {policy("{egress: []}")}, {}).isolated());
    EXPECT_TRUE(reach_of(hermes_pod, {policy("{egress: [{ports: [{port: 1}]}]}")}, {}).isolated());
    EXPECT_TRUE(reach_of(hermes_pod, {policy("{policyTypes: [Egress]}")}, {}).isolated());
    EXPECT_FALSE(reach_of(hermes_pod, {policy("{policyTypes: [Ingress], egress: [{}]}")}, {}).isolated());
}

TEST(ReachOf, RulesAddUpAndLeaveOutIsEverything) {
    EXPECT_THAT(open({policy("{policyTypes: [Egress]}")}), IsEmpty());
    EXPECT_EQ(reach_of(hermes_pod, {policy("{egress: [{}]}")}, {}).all(), Traffic(Ports::all()));
    EXPECT_EQ(reach_of(hermes_pod, {policy("{egress: [{to: [], ports: []}]}")}, {}).all(),
              Traffic(Ports::all()));
    EXPECT_THAT(open({policy("{egress: [{ports: [{port: 53, protocol: UDP}]}]}")}),
                ElementsAre("UDP 53 to 0.0.0.0/0, ::/0"));
    EXPECT_THAT(open({policy("{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 80}]}]}"),
                      policy("{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 81}]}]}", "q")}),
                ElementsAre("TCP 80-81 to 10.0.0.0/8"));
}

TEST(ReachOf, BlocksPortsAndExceptions) {
    EXPECT_THAT(open({policy("{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/30, except: [10.0.0.1/32]}}],"
                             " ports: [{port: 80, endPort: 90}, {protocol: UDP}]}]}")}),
                ElementsAre("TCP 80-90, UDP every port to 10.0.0.0/32, 10.0.0.2/31"));
    // One rule's exception closes nothing that another one opens.
    EXPECT_THAT(open({policy("{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/30, except: [10.0.0.0/31]}},"
                             " {ipBlock: {cidr: 10.0.0.1/32}}], ports: [{port: 80}]}]}")}),
                ElementsAre("TCP 80 to 10.0.0.1/32, 10.0.0.2/31"));
}

TEST(ReachOf, SelectorsMeanTheAddressesOfTheirPods) {
    const auto to = [](const std::string& peer) {
        return open({policy("{egress: [{to: [" + peer + "], ports: [{port: 9}]}]}")}, two_pods());
    };
    EXPECT_THAT(to("{podSelector: {}}"), ElementsAre("TCP 9 to 10.42.0.3/32")) << "its own namespace";
    EXPECT_THAT(to("{namespaceSelector: {}}"), ElementsAre("TCP 9 to 10.42.0.2/31, fd42::2/128"));
    EXPECT_THAT(to("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}},"
                   " podSelector: {matchExpressions: [{key: tier, operator: In, values: [core]}]}}"),
                ElementsAre("TCP 9 to 10.42.0.2/32, fd42::2/128"));
    EXPECT_THAT(
        to("{namespaceSelector: {}, podSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}"),
        ElementsAre("TCP 9 to 10.42.0.3/32"));
    EXPECT_THAT(to("{namespaceSelector: {matchLabels: {team: none}}}"), IsEmpty());
}

TEST(ReachOf, NamedPortsAreThoseOfTheSelectedPods) {
    EXPECT_THAT(
        open({policy("{egress: [{to: [{namespaceSelector: {}}], ports: [{port: metrics}, {port: web}]}]}")},
             two_pods()),
        ElementsAre("TCP 9153 to 10.42.0.2/32, fd42::2/128", "TCP 8080 to 10.42.0.3/32"));
    EXPECT_THAT(
        open({policy("{egress: [{to: [{namespaceSelector: {}}], ports: [{port: dns}]}]}")}, two_pods()),
        IsEmpty())
        << "that one is UDP";
    EXPECT_THAT(
        open({policy("{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: web}]}]}")}, two_pods()),
        IsEmpty());
    EXPECT_THAT(open({policy("{egress: [{ports: [{port: web}]}]}")}, two_pods()),
                ElementsAre("TCP 8080 to 10.42.0.3/32"));
}

TEST(ReachOf, NamesWhoLetsItThrough) {
    Json written = policy("{egress: [{ports: [{port: 1}]}, {ports: [{port: 2}]}]}", "by-hand");
    written["metadata"]["managedFields"] = yaml(R"(
- {manager: hermesctl, fieldsV1: {"f:metadata": {}}}
- {manager: kubectl-edit, fieldsV1: {"f:spec": {"f:egress": {}}}}
)")
                                               .at(0);
    const Reach reach = reach_of(hermes_pod, {written}, {});
    EXPECT_EQ(reach.grants.at(1).text(), "rule 2 of networkpolicy/by-hand, written by kubectl-edit");
}

TEST(WhoMayCome, IsNobodyOnlyWithAPolicyThatSaysSo) {
    EXPECT_THAT(who_may_come(hermes_pod, {policy("{policyTypes: [Ingress]}")}), IsEmpty());
    EXPECT_THAT(who_may_come(hermes_pod, {}), ElementsAre(HasSubstr("everybody")));
    EXPECT_THAT(who_may_come(hermes_pod, {policy("{policyTypes: [Egress]}")}),
                ElementsAre(HasSubstr("everybody")));
    EXPECT_THAT(who_may_come(hermes_pod, {policy("{ingress: [{}]}")}),
                ElementsAre(HasSubstr("to everybody")));
    EXPECT_THAT(
        who_may_come(hermes_pod, {policy("{ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}")}),
        ElementsAre(HasSubstr("TCP 80 to all pods of this namespace")));
}

/// The second evaluator: one packet, straight from the JSON, nothing shared with the first.
namespace oracle {

bool inside(const std::string& address, const std::string& cidr) {
    const std::string base = cidr.substr(0, cidr.find('/'));
    const bool v6 = base.find(':') != std::string::npos;
    if (v6 != (address.find(':') != std::string::npos)) return false;
    std::array<unsigned char, 16> a{};
    std::array<unsigned char, 16> b{};
    inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), a.data());
    inet_pton(v6 ? AF_INET6 : AF_INET, base.c_str(), b.data());
    const auto bits = static_cast<std::size_t>(std::stoi(cidr.substr(cidr.find('/') + 1)));
    for (std::size_t i = 0; i < bits; ++i) {
        if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1) != 0) return false;
    }
    return true;
}

bool label_match(const Json& selector, const Json& labels) {
    for (const auto& [key, value] : at(selector, "/matchLabels").items()) {
        if (labels.value(key, "") != value) return false;
    }
    return true;
}

struct Packet {
    std::string to;
    std::string protocol;
    int port;
};

const Json* owner(const std::string& address, const std::vector<Json>& pods) {
    for (const Json& pod : pods) {
        for (const Json& ip : at(pod, "/status/podIPs")) {
            if (ip["ip"] == address) return &pod;
        }
    }
    return nullptr;
}

bool port_match(const Json& rule, const Packet& packet, const Json* pod) {
    if (at(rule, "/ports").empty()) return true;
    for (const Json& port : rule["ports"]) {
        if (port.value("protocol", "TCP") != packet.protocol) continue;
        if (!port.contains("port")) return true;
        if (port["port"].is_string()) {
            if (pod == nullptr) continue;
            for (const Json& one : (*pod)["spec"]["containers"][0]["ports"]) {
                if (one["name"] == port["port"] && one.value("protocol", "TCP") == packet.protocol &&
                    one["containerPort"] == packet.port)
                    return true;
            }
        } else if (packet.port >= port["port"] &&
                   packet.port <= port.value("endPort", port["port"].get<int>())) {
            return true;
        }
    }
    return false;
}

bool peer_match(const Json& peer, const Packet& packet, const Json* pod) {
    if (peer.contains("ipBlock")) {
        if (!inside(packet.to, peer["ipBlock"]["cidr"])) return false;
        for (const Json& except : at(peer, "/ipBlock/except")) {
            if (inside(packet.to, except)) return false;
        }
        return true;
    }
    if (pod == nullptr) return false;
    const std::string ns = text_at(*pod, "/metadata/namespace");
    if (peer.contains("namespaceSelector")) {
        if (!label_match(peer["namespaceSelector"], {{"kubernetes.io/metadata.name", ns}})) return false;
    } else if (ns != "hermes") {
        return false;
    }
    return label_match(at(peer, "/podSelector"), at(*pod, "/metadata/labels"));
}

bool allowed(const Packet& packet, const std::vector<Json>& policies, const std::vector<Json>& pods) {
    bool isolated = false;
    const Json* pod = owner(packet.to, pods);
    for (const Json& one : policies) {
        if (!label_match(one["spec"]["podSelector"], hermes_pod.labels)) continue;
        isolated = true;
        for (const Json& rule : one["spec"]["egress"]) {
            const Json* named = nullptr;
            bool reached = at(rule, "/to").empty();
            if (reached) named = pod;
            for (const Json& peer : at(rule, "/to")) {
                if (!peer_match(peer, packet, pod)) continue;
                if (port_match(rule, packet, peer.contains("ipBlock") ? nullptr : pod)) return true;
            }
            if (reached && port_match(rule, packet, named)) return true;
        }
    }
    return !isolated;
}

}  // namespace oracle

class RandomPolicies {
  public:
    explicit RandomPolicies(unsigned seed) : engine_(seed) {}

    std::vector<Json> pods() {
        std::vector<Json> made;
        for (int i = 0; i < 4; ++i) {
            made.push_back(
                {{"metadata",
                  {{"namespace", one_of({"hermes", "other"})}, {"labels", {{"a", one_of({"x", "y"})}}}}},
                 {"spec",
                  {{"containers", {{{"ports", {{{"name", "web"}, {"containerPort", number(1, 6)}}}}}}}}},
                 {"status",
                  {{"phase", "Running"},
                   {"podIPs",
                    {{{"ip", "10.0.0." + std::to_string(2 * i)}},
                     {{"ip", "fd00::" + std::to_string(i)}}}}}}});
        }
        return made;
    }

    std::vector<Json> policies() {
        std::vector<Json> made;
        for (int i = number(0, 3); i > 0; --i) {
            Json rules = Json::array();
            for (int j = number(0, 3); j > 0; --j)
                rules.push_back(rule());
            made.push_back(
                {{"metadata", {{"name", "p"}, {"namespace", "hermes"}}},
                 {"spec",
                  {{"podSelector", {{"matchLabels", {{"app", one_of({"hermes", "hermes", "nas"})}}}}},
                   {"policyTypes", {"Egress"}},
                   {"egress", rules}}}});
        }
        return made;
    }

  private:
    Json rule() {
        Json made = Json::object();
        for (int i = number(0, 3); i > 0; --i)
            made["to"].push_back(peer());
        for (int i = number(0, 3); i > 0; --i)
            made["ports"].push_back(port());
        return made;
    }

    Json peer() {
        if (number(0, 2) > 0) {
            const bool v6 = number(0, 3) == 0;
            Json block{{"cidr", v6 ? one_of({"::/0", "fd00::/125", "fd00::2/127", "fd00::3/128"})
                                   : one_of({"0.0.0.0/0", "10.0.0.0/28", "10.0.0.4/30", "10.0.0.7/32"})}};
            for (int i = number(0, 2); i > 0; --i)
                block["except"].push_back(v6 ? one_of({"fd00::/126", "fd00::5/128"})
                                             : one_of({"10.0.0.0/30", "10.0.0.6/31", "10.0.0.9/32"}));
            return {{"ipBlock", block}};
        }
        Json made = Json::object();
        if (number(0, 1) == 1)
            made["namespaceSelector"] =
                number(0, 1) == 0 ? Json::object()
                                  : Json{{"matchLabels", {{"kubernetes.io/metadata.name", "other"}}}};
        if (made.empty() || number(0, 1) == 1)
            made["podSelector"] = number(0, 1) == 0 ? Json::object() : Json{{"matchLabels", {{"a", "x"}}}};
        return made;
    }

    Json port() {
        Json made = Json::object();
        if (number(0, 1) == 1) made["protocol"] = one_of({"TCP", "UDP", "SCTP"});
        const int kind = number(0, 4);
        if (kind == 0) return made;
        if (kind == 1) return made["port"] = "web", made;
        made["port"] = number(1, 6);
        if (kind == 2) made["endPort"] = made["port"].get<int>() + number(0, 3);
        return made;
    }

    int number(int least, int most) { return std::uniform_int_distribution<int>(least, most)(engine_); }
    std::string one_of(std::vector<std::string> all) {
        return all[static_cast<std::size_t>(number(0, static_cast<int>(all.size()) - 1))];
    }

    std::mt19937 engine_;
};

std::vector<std::string> some_addresses() {
    std::vector<std::string> all{"9.255.255.255", "10.0.0.16", "255.255.255.255", "::", "fcff::1", "fd00::8"};
    for (int i = 0; i < 11; ++i)
        all.push_back("10.0.0." + std::to_string(i));
    for (int i = 0; i < 7; ++i)
        all.push_back("fd00::" + std::to_string(i));
    return all;
}

TEST(ReachOf, AgreesWithASecondEvaluatorOnEveryPacket) {
    const auto addresses = some_addresses();
    for (unsigned seed = 1; seed <= 400; ++seed) {
        RandomPolicies random(seed);
        const auto pods = random.pods();
        const auto policies = random.policies();
        const Traffic all = reach_of(hermes_pod, policies, {.pods = pods, .known = true}).all();
        for (const std::string& address : addresses) {
            Packet packet;
            packet.to.v6 = address.find(':') != std::string::npos;
            inet_pton(packet.to.v6 ? AF_INET6 : AF_INET, address.c_str(),
                      packet.to.bytes.data() + (packet.to.v6 ? 0 : 12));
            for (const char* protocol : {"TCP", "UDP", "SCTP"}) {
                packet.protocol = *parse_protocol(protocol);
                for (packet.port = 1; packet.port < 10; ++packet.port) {
                    ASSERT_EQ(all.contains(packet),
                              oracle::allowed({address, protocol, packet.port}, policies, pods))
                        << "seed " << seed << ": " << packet.text() << "\n"
                        << Json(policies).dump(1) << Json(pods).dump(1);
                }
            }
        }
    }
}

}  // namespace
}  // namespace hermesctl::hermes
