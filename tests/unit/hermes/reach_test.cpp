// What policies let a pod send: rule by rule, then against a second evaluator that looks at one packet at a
// time.
#include "hermesctl/hermes/reach.hpp"

#include "hermesctl/kube/yaml.hpp"

#include <map>
#include <random>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

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
    EXPECT_EQ(reach.grants.at(0).text(), "default: no policy selects the pod");
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
    EXPECT_THAT(who_may_come(hermes_pod, {policy("{policyTypes: [Ingress]}")}).lines, IsEmpty());
    EXPECT_THAT(who_may_come(hermes_pod, {}).lines, ElementsAre(HasSubstr("everybody")));
    EXPECT_THAT(who_may_come(hermes_pod, {policy("{policyTypes: [Egress]}")}).lines,
                ElementsAre(HasSubstr("everybody")));
    EXPECT_THAT(who_may_come(hermes_pod, {policy("{ingress: [{}]}")}).lines,
                ElementsAre(HasSubstr("to everybody")));
    EXPECT_THAT(
        who_may_come(hermes_pod, {policy("{ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}")})
            .lines,
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

/// What is not there is empty.
const Json& part(const Json& object, const char* key) {
    static const Json none = Json::array();
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

bool meets(const Json& expression, const Json& labels) {
    const std::string key = expression["key"];
    if (expression["operator"] == "Exists") return labels.contains(key);
    if (expression["operator"] == "DoesNotExist") return !labels.contains(key);
    bool among = false;
    for (const Json& value : expression["values"])
        among = among || (labels.contains(key) && labels[key] == value);
    return among == (expression["operator"] == "In");
}

bool selected(const Json& selector, const Json& labels) {
    for (const auto& [key, value] : part(selector, "matchLabels").items()) {
        if (!labels.contains(key) || labels[key] != value) return false;
    }
    for (const Json& expression : part(selector, "matchExpressions")) {
        if (!meets(expression, labels)) return false;
    }
    return true;
}

struct Packet {
    std::string to;
    std::string protocol;
    int port;
};

struct World {
    std::vector<Json> pods{};
    std::vector<Json> namespaces{};
    std::vector<Json> policies{};
};

const Json* owner(const std::string& address, const World& world) {
    for (const Json& pod : world.pods) {
        for (const Json& ip : pod["status"]["podIPs"]) {
            if (ip["ip"] == address) return &pod;
        }
    }
    return nullptr;
}

bool port_match(const Json& rule, const Packet& packet, const Json* pod) {
    if (!rule.contains("ports")) return true;
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

bool peer_match(const Json& peer, const Packet& packet, const Json* pod, const World& world) {
    if (peer.contains("ipBlock")) {
        if (!inside(packet.to, peer["ipBlock"]["cidr"])) return false;
        for (const Json& except : part(peer["ipBlock"], "except")) {
            if (inside(packet.to, except)) return false;
        }
        return true;
    }
    if (pod == nullptr) return false;
    const Json& ns = (*pod)["metadata"]["namespace"];
    if (!peer.contains("namespaceSelector") && ns != "hermes") return false;
    for (const Json& one : world.namespaces) {
        if (one["metadata"]["name"] == ns && peer.contains("namespaceSelector") &&
            !selected(peer["namespaceSelector"], one["metadata"]["labels"]))
            return false;
    }
    return !peer.contains("podSelector") || selected(peer["podSelector"], (*pod)["metadata"]["labels"]);
}

bool is_for_egress(const Json& spec) {
    if (!spec.contains("policyTypes")) return spec.contains("egress") && !spec["egress"].empty();
    for (const Json& type : spec["policyTypes"]) {
        if (type == "Egress") return true;
    }
    return false;
}

bool allowed(const Packet& packet, const World& world) {
    bool isolated = false;
    const Json* pod = owner(packet.to, world);
    for (const Json& one : world.policies) {
        const Json& spec = one["spec"];
        if (one["metadata"]["namespace"] != "hermes" || !is_for_egress(spec) ||
            !selected(spec["podSelector"], hermes_pod.labels))
            continue;
        isolated = true;
        for (const Json& rule : part(spec, "egress")) {
            if (!rule.contains("to") && port_match(rule, packet, pod)) return true;
            for (const Json& peer : part(rule, "to")) {
                if (peer_match(peer, packet, pod, world) &&
                    port_match(rule, packet, peer.contains("ipBlock") ? nullptr : pod))
                    return true;
            }
        }
    }
    return !isolated;
}

}  // namespace oracle

/// A small world, so that chance hits what is near the edges of blocks, ranges and selectors.
class RandomWorld {
  public:
    explicit RandomWorld(unsigned seed) : engine_(seed) {}

    oracle::World make() {
        oracle::World world;
        for (const char* name : {"hermes", "other"}) {
            world.namespaces.push_back(
                {{"metadata", {{"name", name}, {"labels", labels({{"name", {name}}, {"b", {"x", "y"}}})}}}});
        }
        for (int i = 0; i < 4; ++i)
            world.pods.push_back(pod(i));
        for (int i = number(0, 3); i > 0; --i)
            world.policies.push_back(policy());
        return world;
    }

  private:
    using Choices = std::map<std::string, std::vector<std::string>>;

    Json pod(int i) {
        Json ports = Json::array();
        for (const char* name : {"web", "api"}) {
            if (number(0, 2) > 0) ports.push_back({{"name", name}, {"containerPort", number(1, 6)}});
            if (!ports.empty() && number(0, 3) == 0) ports.back()["protocol"] = "UDP";
        }
        return {{"metadata", {{"namespace", one_of({"hermes", "other"})}, {"labels", labels(pod_labels_)}}},
                {"spec", {{"containers", {{{"ports", ports}}}}}},
                {"status",
                 {{"phase", "Running"},
                  {"podIPs",
                   {{{"ip", "10.0.0." + std::to_string(2 * i)}}, {{"ip", "fd00::" + std::to_string(i)}}}}}}};
    }

    /// Each with one of its values, or not there.
    Json labels(const Choices& choices) {
        Json made = Json::object();
        for (const auto& [key, values] : choices) {
            if (values.size() == 1 || number(0, 3) > 0) made[key] = one_of(values);
        }
        return made;
    }

    Json policy() {
        Json spec{{"podSelector", number(0, 1) == 0 ? Json::object()
                                                    : selector({{"app", {"hermes", "nas"}}, {"c", {"x"}}})}};
        const int types = number(0, 5);
        if (types > 0) spec["policyTypes"] = {types > 1 ? "Egress" : "Ingress"};
        if (types > 4) spec["policyTypes"].push_back("Ingress");
        for (int i = number(0, 3); i > 0; --i)
            spec["egress"].push_back(rule());
        return {{"metadata", {{"name", "p"}, {"namespace", one_of({"hermes", "hermes", "hermes", "other"})}}},
                {"spec", spec}};
    }

    Json rule() {
        Json made = Json::object();
        for (int i = number(0, 3); i > 0; --i)
            made["to"].push_back(number(0, 1) == 0 ? block() : pods());
        for (int i = number(0, 3); i > 0; --i)
            made["ports"].push_back(port());
        return made;
    }

    Json block() {
        const bool v6 = number(0, 3) == 0;
        Json made{{"cidr", v6 ? one_of({"::/0", "fd00::/125", "fd00::2/127", "fd00::3/128"})
                              : one_of({"0.0.0.0/0", "10.0.0.0/28", "10.0.0.4/30", "10.0.0.7/32"})}};
        for (int i = number(0, 2); i > 0; --i)
            made["except"].push_back(v6 ? one_of({"fd00::/126", "fd00::5/128"})
                                        : one_of({"10.0.0.0/30", "10.0.0.6/31", "10.0.0.9/32"}));
        return {{"ipBlock", made}};
    }

    Json pods() {
        Json made = Json::object();
        if (number(0, 1) == 0)
            made["namespaceSelector"] = selector({{"name", {"hermes", "other"}}, {"b", {"x", "y"}}});
        if (made.empty() || number(0, 1) == 0) made["podSelector"] = selector(pod_labels_);
        return made;
    }

    /// Of labels or expressions or both; now and then of nothing.
    Json selector(const Choices& choices) {
        Json made = Json::object();
        const auto& [key, values] = *std::next(choices.begin(), number(0, 1));
        if (number(0, 2) == 0) made["matchLabels"][key] = one_of(values);
        for (int i = number(0, 2); i > 0; --i)
            made["matchExpressions"].push_back(expression(choices));
        return made;
    }

    Json expression(const Choices& choices) {
        const auto& [key, values] = *std::next(choices.begin(), number(0, 1));
        Json made{{"key", key}, {"operator", one_of({"In", "NotIn", "Exists", "DoesNotExist"})}};
        if (made["operator"] == "In" || made["operator"] == "NotIn") {
            made["values"] = {one_of(values)};
            if (number(0, 2) == 0) made["values"].push_back(one_of(values));
        }
        return made;
    }

    Json port() {
        Json made = Json::object();
        if (number(0, 1) == 1) made["protocol"] = one_of({"TCP", "UDP", "SCTP"});
        const int kind = number(0, 4);
        if (kind == 0) return made;
        if (kind == 1) return made["port"] = one_of({"web", "api"}), made;
        made["port"] = number(1, 6);
        if (kind == 2) made["endPort"] = made["port"].get<int>() + number(0, 3);
        return made;
    }

    int number(int least, int most) { return std::uniform_int_distribution<int>(least, most)(engine_); }
    std::string one_of(const std::vector<std::string>& all) {
        return all[static_cast<std::size_t>(number(0, static_cast<int>(all.size()) - 1))];
    }

    const Choices pod_labels_{{"a", {"x", "y"}}, {"b", {"x", "y"}}};
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
    for (unsigned seed = 1; seed <= 200; ++seed) {
        const oracle::World world = RandomWorld(seed).make();
        const Neighbours neighbours{.pods = world.pods, .namespaces = world.namespaces, .known = true};
        const Traffic all = reach_of(hermes_pod, world.policies, neighbours).all();
        for (const std::string& address : addresses) {
            Packet packet;
            packet.to.v6 = address.find(':') != std::string::npos;
            inet_pton(packet.to.v6 ? AF_INET6 : AF_INET, address.c_str(),
                      packet.to.bytes.data() + (packet.to.v6 ? 0 : 12));
            for (const char* protocol : {"TCP", "UDP", "SCTP"}) {
                packet.protocol = *parse_protocol(protocol);
                for (packet.port = 1; packet.port < 10; ++packet.port) {
                    ASSERT_EQ(all.contains(packet), oracle::allowed({address, protocol, packet.port}, world))
                        << "seed " << seed << ": " << packet.text() << "\n"
                        << Json(world.policies).dump(1) << Json(world.pods).dump(1)
                        << Json(world.namespaces).dump(1);
                }
            }
        }
    }
}

}  // namespace
}  // namespace hermesctl::hermes
