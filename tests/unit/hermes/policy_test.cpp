// The cage: what is open, what stays closed, and whose rules are whose.
#include "hermesctl/hermes/policy.hpp"

#include "hermesctl/hermes/reach.hpp"
#include "hermesctl/hermes/render.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

/// Step 7 of the guide, and its rule for the colony server.
constexpr std::string_view guide = R"(
spec:
  egress:
    - ports:
        - { protocol: UDP, port: 53 }
        - { protocol: TCP, port: 53 }
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]
      ports:
        - { protocol: TCP, port: 443 }
        - { protocol: TCP, port: 80 }
    - to:
        - namespaceSelector:
            matchLabels: {kubernetes.io/metadata.name: colony-app}
          podSelector:
            matchLabels: {app.kubernetes.io/component: mcp}
      ports:
        - { protocol: TCP, port: 8002 }
)";

Json colony_rule() {
    return kube::parse_yaml(guide, "guide").at(0)["spec"]["egress"][2];
}

/// The "except" of the rule that has this "cidr"; null when there is none.
Json except_of(const Json& rules, std::string_view cidr) {
    for (const Json& rule : rules) {
        for (const Json& peer : kube::at(rule, "/to")) {
            if (kube::text_at(peer, "/ipBlock/cidr") == cidr) return kube::at(peer, "/ipBlock/except");
        }
    }
    return nullptr;
}

Json rules_of(const Values& values, const ClusterFacts& cluster) {
    return egress_rules(values, cluster, Json::array());
}

/// What the rules let a pod send.
Traffic traffic_of(const Json& rules) {
    const Json policy{
        {"spec", {{"podSelector", Json::object()}, {"policyTypes", {"Egress"}}, {"egress", rules}}}};
    return reach_of({.ns = "hermes"}, {policy}, {}).ranges();
}

bool opens(const Values& values, const ClusterFacts& cluster, const char* address, int port = 443) {
    return !(traffic_of(rules_of(values, cluster)) & Traffic(address, Ports::of(Protocol::tcp, port, port)))
                .empty();
}

TEST(EgressRules, CloseEverySpecialRange) {
    const auto except = except_of(rules_of({}, {}), "0.0.0.0/0").get<std::vector<std::string>>();
    EXPECT_THAT(except, IsSupersetOf({"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                                      "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"}));
    EXPECT_TRUE(std::is_sorted(except.begin(), except.end(), [](const std::string& a, const std::string& b) {
        return std::stoi(a) < std::stoi(b);
    }));
}

TEST(EgressRules, CloseWhatTheClusterIs) {
    ClusterFacts cluster;
    cluster.node_addresses = {"85.10.0.7", "192.168.1.20"};
    cluster.api_addresses = {"85.10.0.7", "85.10.0.8"};
    cluster.pod_ranges = {"100.0.0.0/16"};
    cluster.service_ranges = {"101.0.0.0/16", "101.0.5.0/24"};
    cluster.balancer_addresses = {"102.0.0.1"};
    Values values;
    values.network.except = {"85.10.0.8/29"};
    const auto except = except_of(rules_of(values, cluster), "0.0.0.0/0").get<std::vector<std::string>>();
    EXPECT_THAT(except, IsSupersetOf({"85.10.0.7/32", "85.10.0.8/29", "100.0.0.0/16", "101.0.0.0/16",
                                      "102.0.0.1/32"}));
    EXPECT_THAT(except, Not(Contains("85.10.0.8/32"))) << "is inside another range";
    EXPECT_THAT(except, Not(Contains("101.0.5.0/24"))) << "is inside another range";
    EXPECT_THAT(except, Not(Contains("192.168.1.20/32"))) << "is private anyway";
}

TEST(EgressRules, CloseNeighboursTogetherButNeverAll) {
    const ClusterFacts cluster{.node_addresses = {"198.41.7.4", "198.41.7.6", "198.41.7.5", "198.41.7.7"},
                               .api_addresses = {"198.41.7.8"}};
    EXPECT_THAT(except_of(rules_of({}, cluster), "0.0.0.0/0").get<std::vector<std::string>>(),
                AllOf(IsSupersetOf({"198.41.7.4/30", "198.41.7.8/32"}), Not(Contains("198.41.7.6/31"))));
    // The API takes no exception that is as wide as its range: both halves are left as they are.
    Values values;
    values.network.ipv6 = true;
    values.network.except = {"0.0.0.0/1", "128.0.0.0/1", "2000::/4", "3000::/4"};
    EXPECT_FALSE(opens(values, {}, "8.8.8.8"));
    EXPECT_FALSE(opens(values, {}, "2606:4700::1111"));
    values.network.nat64 = {"64:ff9b::/96"};
    EXPECT_FALSE(opens(values, {}, "64:ff9b::808:808"));
}

TEST(EgressRules, LeaveIpv6ClosedUnlessAsked) {
    ClusterFacts cluster;
    cluster.node_addresses = {"192.168.1.20", "2a01:4f8:1:2::7"};
    EXPECT_TRUE(except_of(rules_of({}, cluster), "2000::/3").is_null());
    Values values;
    values.network.ipv6 = true;
    values.network.except = {"2a01:4f8:9::/48"};
    const auto except = except_of(rules_of(values, cluster), "2000::/3").get<std::vector<std::string>>();
    EXPECT_THAT(except, ElementsAre("2001::/23", "2001:db8::/32", "2002::/16", "2a01:4f8:1:2::/64",
                                    "2a01:4f8:9::/48", "3fff::/20"));
    cluster.node_addresses = {"fd00::7"};
    EXPECT_FALSE(except_of(rules_of({}, cluster), "2000::/3").is_null()) << "it has nothing else";
}

TEST(EgressRules, OpenIpv6WhereThereIsNothingElseThoughDnsIsNodeLocal) {
    ClusterFacts cluster{.dns_addresses = {"169.254.20.10", "fd00:43::a"},
                         .node_addresses = {"fd00::7"},
                         .pod_ranges = {"fd00:42::/56"}};
    EXPECT_TRUE(opens_v6({}, cluster));
    EXPECT_FALSE(except_of(rules_of({}, cluster), "2000::/3").is_null());
    cluster.node_addresses.emplace_back("192.168.1.20");
    EXPECT_FALSE(opens_v6({}, cluster));
    EXPECT_FALSE(opens_v6({}, {.dns_addresses = {"169.254.20.10"}})) << "nothing is known";
}

TEST(EgressRules, CloseNat64UnlessAskedAndThenWhatMapsPrivateIpv4) {
    const ClusterFacts cluster{.node_addresses = {"192.168.1.20", "85.10.0.7"}};
    Values values;
    values.network.ipv6 = true;
    EXPECT_TRUE(opens(values, cluster, "2606:4700::1111"));
    for (const char* range : {"64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::ffff:0:0/96"})
        EXPECT_FALSE(opens(values, cluster, range)) << range;

    // 192.168.1.1, 10.0.0.1, 169.254.169.254, and the node's public address
    const char* closed[] = {"64:ff9b::c0a8:101", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::550a:7"};
    values.network.ipv6 = false;
    values.network.nat64 = {"64:ff9b::/96"};
    EXPECT_TRUE(opens(values, cluster, "64:ff9b::808:808"));
    EXPECT_FALSE(opens(values, cluster, "64:ff9b::808:808", 22));
    EXPECT_FALSE(opens(values, cluster, "64:ff9b:1::/48"));
    EXPECT_FALSE(opens(values, cluster, "2606:4700::1111"));
    for (const char* address : closed)
        EXPECT_FALSE(opens(values, cluster, address)) << address;
    values.network.except = {"8.8.8.0/24", "64:ff9b::909:0/112"};
    EXPECT_FALSE(opens(values, cluster, "64:ff9b::808:808"));
    EXPECT_FALSE(opens(values, cluster, "64:ff9b::909:909"));
}

TEST(EgressRules, CloseAPrefixOfOnesOwnInsideOfThePublicOnes) {
    Values values;
    values.network.ipv6 = true;
    values.network.nat64 = {"2a01:4f8:64::/96"};
    EXPECT_TRUE(opens(values, {}, "2a01:4f8:64::808:808"));
    EXPECT_FALSE(opens(values, {}, "2a01:4f8:64::c0a8:101"));
}

TEST(EgressRules, OpenDnsOfTheClusterOnly) {
    ClusterFacts cluster;
    cluster.dns_selector = {{"k8s-app", "coredns"}};
    cluster.dns_addresses = {"10.43.0.10", "169.254.20.10"};
    cluster.dns_target_ports = {5353};
    Values values;
    values.network.dns = {"192.168.1.53"};
    const Json rules = rules_of(values, cluster);
    EXPECT_EQ(
        rules[0],
        R"({"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
                                    "podSelector": {"matchLabels": {"k8s-app": "coredns"}}}],
                            "ports": [{"protocol": "UDP", "port": 5353}, {"protocol": "TCP", "port": 5353}]})"_json);
    EXPECT_EQ(rules[1],
              R"({"to": [{"ipBlock": {"cidr": "10.43.0.10/32"}}, {"ipBlock": {"cidr": "169.254.20.10/32"}},
                                   {"ipBlock": {"cidr": "192.168.1.53/32"}}],
                            "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]})"_json);
    // Unread, the selector must not become "every pod of kube-system".
    EXPECT_EQ(rules_of({}, {})[0]["to"][0]["podSelector"],
              R"({"matchLabels": {"k8s-app": "kube-dns"}})"_json);
}

TEST(EgressRules, OpenAsNarrowAsStated) {
    Values values;
    values.network.allow = {"192.168.1.10:8080", "[fd00:1::/64]:443"};
    const Json rules = rules_of(values, {});
    ASSERT_EQ(rules.size(), 4u);
    EXPECT_EQ(rules[2], R"({"to": [{"ipBlock": {"cidr": "192.168.1.10/32"}}],
                            "ports": [{"protocol": "TCP", "port": 8080}]})"_json);
    EXPECT_EQ(rules[3]["to"][0]["ipBlock"]["cidr"], "fd00:1::/64");
}

TEST(ForeignRules, AreWhatTheGuideDoesNotHave) {
    EXPECT_EQ(foreign_rules(kube::parse_yaml(guide, "guide").at(0)), Json::array({colony_rule()}));
}

TEST(ForeignRules, AreNotWhatDeployWrote) {
    Values values;
    values.network.allow = {"192.168.1.10:8080"};
    values.network.dns = {"192.168.1.53"};
    const RenderInput input{.kept_rules = Json::array({colony_rule()})};
    Json policy = render(values, input).at(5);
    ASSERT_EQ(policy["kind"], "NetworkPolicy");
    EXPECT_EQ(foreign_rules(policy), Json::array({colony_rule()}))
        << "an opening taken back must not come again";
    const Json by_hand =
        R"({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"protocol": "TCP", "port": 22}]})"_json;
    policy["spec"]["egress"].push_back(by_hand);
    EXPECT_EQ(foreign_rules(policy), Json::array({colony_rule(), by_hand}));
    // Kept once and for all: the next policy has each of them once.
    const Json again = egress_rules(values, {}, foreign_rules(policy));
    EXPECT_EQ(again, policy["spec"]["egress"]);
}

TEST(ForeignRules, KeepARuleThatOpensEverything) {
    EXPECT_EQ(foreign_rules(R"({"spec": {"egress": [{}]}})"_json), R"([{}])"_json) << "verify tells about it";
    EXPECT_EQ(foreign_rules(R"({"spec": {}})"_json), Json::array());
}

TEST(ExceptionsByHand, AreNotWhatDeployClosesEverywhere) {
    Json policy{{"spec", {{"egress", rules_of({}, {})}}}};  // without a record all of it may be by hand
    EXPECT_THAT(exceptions_by_hand(policy), IsEmpty());
    policy["spec"]["egress"].back()["to"][0]["ipBlock"]["except"].push_back("85.10.0.0/24");
    EXPECT_THAT(exceptions_by_hand(policy), ElementsAre("85.10.0.0/24"));
}

TEST(PolicyOrigins, NameWhereEachLineComesFrom) {
    Values values;
    values.network.allow = {"192.168.1.20/32:8080"};
    values.network.except = {"85.10.0.0/24"};
    values.network.nat64 = {"64:ff9b::/96"};
    const ClusterFacts cluster{.dns_selector = {{"k8s-app", "kube-dns"}},
                               .dns_addresses = {"10.43.0.10"},
                               .node_addresses = {"198.41.7.7"},
                               .api_addresses = {"198.41.7.7"},
                               .pod_ranges = {"10.42.0.0/16"}};
    const Json policy{{"spec", {{"egress", egress_rules(values, cluster, Json::array({colony_rule()}))}}}};
    std::map<std::string, std::string> why;
    for (const auto& [line, source] : policy_origins(values, cluster, policy))
        why[line] = source;
    EXPECT_EQ(why["closed  198.41.7.7/32"], "a node, the API server");
    EXPECT_EQ(why["closed  85.10.0.0/24"], "network.except");
    EXPECT_EQ(why["closed  10.0.0.0/8"], "special-purpose range (IANA), pods");
    EXPECT_EQ(why["open    TCP 8080 to 192.168.1.20/32"], "network.allow");
    EXPECT_EQ(why["open    TCP 443, TCP 80 to 64:ff9b::/96"],
              "network.nat64: the public IPv4 internet behind it");
    EXPECT_EQ(why["closed  64:ff9b::c629:707/128"], "198.41.7.7/32 behind NAT64: a node, the API server");
    EXPECT_EQ(why["open    UDP 53, TCP 53 to 10.43.0.10/32"], "the cluster's name server");
    EXPECT_EQ(why["open    TCP 443, TCP 80 to 0.0.0.0/0"],
              "the public internet, for Telegram and the provider");
    EXPECT_EQ(std::count_if(why.begin(), why.end(),
                            [](const auto& one) { return one.second.starts_with("not deploy's"); }),
              1);
}

TEST(PolicyOrigins, WhatSomebodyAddedIsNotTakenForDeploysOwn) {
    Values values;
    values.network.allow = {"10.43.0.10:9154"};
    const ClusterFacts cluster{.dns_selector = {{"k8s-app", "kube-dns"}}, .dns_addresses = {"10.43.0.10"}};
    const Json own = egress_rules(values, cluster, Json::array());
    Json by_hand = R"([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}],
                        "ports": [{"protocol": "TCP", "port": 22}]},
                       {"to": [{"ipBlock": {"cidr": "10.43.0.10/32"}}],
                        "ports": [{"protocol": "TCP", "port": 9153}]},
                       {"ports": [{"protocol": "TCP", "port": 25}]}])"_json;
    by_hand.push_back({{"to", own[0]["to"]}, {"ports", {{{"protocol", "TCP"}, {"port", 9153}}}}});
    std::vector<std::string> added;
    for (const auto& [line, why] :
         policy_origins(values, cluster, {{"spec", {{"egress", egress_rules(values, cluster, by_hand)}}}})) {
        if (why.starts_with("not deploy's")) added.push_back(line);
        EXPECT_TRUE(line != "open    TCP 9154 to 10.43.0.10/32" || why == "network.allow") << why;
    }
    EXPECT_THAT(added, ElementsAre("open    TCP 22 to 0.0.0.0/0", "closed  10.0.0.0/8",
                                   "open    TCP 9153 to 10.43.0.10/32", "open    TCP 25 to everywhere",
                                   "open    TCP 9153 to pods k8s-app=kube-dns in namespaces "
                                   "kubernetes.io/metadata.name=kube-system"));
}

TEST(PolicyOrigins, TheUsualDnsIsDeploysOwnWhereServicesCouldNotBeRead) {
    const Json policy{{"spec", {{"egress", egress_rules({}, {}, Json::array())}}}};
    const auto origins = policy_origins({}, {}, policy);
    ASSERT_FALSE(origins.empty());
    EXPECT_THAT(origins[0].line, ::testing::HasSubstr("pods k8s-app=kube-dns"));
    EXPECT_THAT(origins[0].why, ::testing::StartsWith("the pods of the cluster's DNS"));
}

}  // namespace
}  // namespace hermesctl::hermes
