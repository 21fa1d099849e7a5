// The row about the pod's own name servers: what its resolv.conf names, held against what the policies open.
#include "hermesctl/hermes/inspection.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/policy_checks.hpp"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::HasSubstr;

class Resolvers : public ::testing::Test {
  protected:
    Resolvers() {
        policies_.sender = {"hermes", {{"app", "hermes"}}};
        policies_.cluster = {.dns_selector = {{"k8s-app", "kube-dns"}}, .dns_addresses = {"10.43.0.10"}};
        policies_.neighbours.known = true;
        add_dns_pod("a", "10.42.0.7");
        use(egress_rules(policies_.values, policies_.cluster, Json::array()));
        see({"10.43.0.10"});
    }

    void add_dns_pod(const char* name, const char* address) {
        policies_.neighbours.pods.push_back(
            {{"metadata",
              {{"name", name}, {"namespace", "kube-system"}, {"labels", {{"k8s-app", "kube-dns"}}}}},
             {"status", {{"phase", "Running"}, {"podIP", address}}}});
    }
    void open(const char* range) {
        use(Json::array({{{"to", Json::array({{{"ipBlock", {{"cidr", range}}}}})}}}));
    }
    void use(const Json& rules) {
        const Json spec{{"podSelector", Json::object()}, {"policyTypes", {"Egress"}}, {"egress", rules}};
        policies_.policies.assign(
            1, Json{{"metadata", {{"name", "p"}, {"namespace", "hermes"}}}, {"spec", spec}});
    }
    /// As inspect.py tells it.
    void see(const Json& servers) {
        pod_.inside = {{"resolvers", {{"state", "read"}, {"servers", servers}}}};
    }
    Check row() const { return check_resolvers(policies_, pod_); }

    PolicyPremises policies_{};
    Premises pod_{.names = {.ns = "hermes", .name = "hermes"}};
};

TEST_F(Resolvers, OneThatNoRuleOpensIsWarnedOf) {
    see({"10.43.0.10", "169.254.25.10"});
    EXPECT_EQ(row().verdict, Verdict::warn);
    EXPECT_FALSE(row().decisive);
    EXPECT_THAT(row().evidence, HasSubstr("no rule opens UDP and TCP 53 of 169.254.25.10"));
    EXPECT_THAT(row().hint, HasSubstr("169.254.25.10 under network.dns"));
    policies_.values.network.dns = {"169.254.25.10"};
    use(egress_rules(policies_.values, policies_.cluster, Json::array()));
    EXPECT_EQ(row().verdict, Verdict::pass);
    // One of the two protocols is not enough: long answers come over TCP.
    use(R"([{"ports": [{"protocol": "UDP", "port": 53}]}])"_json);
    EXPECT_EQ(row().verdict, Verdict::warn);
}

TEST_F(Resolvers, AreOpenThroughTheirServiceOrItsPods) {
    const Json rules = egress_rules(policies_.values, policies_.cluster, Json::array());
    EXPECT_EQ(row().verdict, Verdict::pass);
    EXPECT_EQ(row().evidence, "10.43.0.10");
    use(Json::array({rules[0]}));  // the pods
    EXPECT_EQ(row().verdict, Verdict::pass);
    use(Json::array({rules[1]}));  // the Service's address
    EXPECT_EQ(row().verdict, Verdict::pass);
    use(Json::array({rules[2]}));  // the internet
    EXPECT_EQ(row().verdict, Verdict::warn);
    policies_.cluster.dns_target_ports = {5353};  // where the pods listen
    use(Json::array({rules[0]}));
    EXPECT_EQ(row().verdict, Verdict::warn);
    // Another server is not behind the Service.
    policies_.cluster.dns_target_ports = {53};
    see({"10.43.0.11"});
    EXPECT_EQ(row().verdict, Verdict::warn);
}

TEST_F(Resolvers, AreOpenThroughPodsOfTheirOwnFamilyAlone) {
    policies_.cluster.dns_addresses.emplace_back("fd00:43::a");
    policies_.neighbours.pods[0]["status"]["podIPs"] =
        Json::array({{{"ip", "10.42.0.7"}}, {{"ip", "fd00:42::7"}}});
    const auto verdicts = [this] {
        see({"10.43.0.10"});
        const Verdict v4 = row().verdict;
        see({"fd00:43::a"});
        return std::pair(v4, row().verdict);
    };
    open("10.42.0.0/16");
    EXPECT_EQ(verdicts(), std::pair(Verdict::pass, Verdict::warn));
    open("fd00:42::/64");
    EXPECT_EQ(verdicts(), std::pair(Verdict::warn, Verdict::pass));
}

TEST_F(Resolvers, InThePodItselfOrWithoutACageAreOpen) {
    see({"127.0.0.53", "::1"});
    EXPECT_EQ(row().verdict, Verdict::pass);
    see({"192.168.1.1"});
    EXPECT_EQ(row().verdict, Verdict::warn);
    policies_.policies.clear();
    EXPECT_EQ(row().verdict, Verdict::pass) << "other rows tell that nothing is closed";
}

TEST_F(Resolvers, WhatCouldNotBeSeenIsNoPass) {
    see({"no-address"});
    EXPECT_EQ(row().verdict, Verdict::inconclusive);
    see(Json::array());
    EXPECT_EQ(row().verdict, Verdict::inconclusive);
    pod_.inside["resolvers"]["state"] = "unreadable";
    EXPECT_EQ(row().verdict, Verdict::inconclusive);
    pod_.inside = nullptr;
    pod_.no_inside = "no agent runs: stopped";
    EXPECT_EQ(row().verdict, Verdict::inconclusive);
    EXPECT_THAT(row().evidence, HasSubstr("no agent runs"));
    see({"10.43.0.10"});
    policies_.failure = "the policies of namespace hermes cannot be read";
    EXPECT_EQ(row().verdict, Verdict::inconclusive);
    EXPECT_FALSE(row().decisive);
    // Where pods may not be listed, what is behind the Service is not known.
    policies_.failure.clear();
    policies_.neighbours = {};
    use(Json::array({egress_rules(policies_.values, policies_.cluster, Json::array())[0]}));
    EXPECT_EQ(row().verdict, Verdict::inconclusive);
}

TEST_F(Resolvers, WhichPodsALabelOfNamespacesMeansIsNotGuessed) {
    policies_.neighbours.labels_known = false;
    EXPECT_EQ(row().verdict, Verdict::pass) << "a namespace's name is known";
    use(R"([{"to": [{"namespaceSelector": {"matchLabels": {"tier": "system"}}}]}])"_json);
    EXPECT_EQ(row().verdict, Verdict::inconclusive);
    policies_.neighbours.labels_known = true;
    EXPECT_EQ(row().verdict, Verdict::warn);
}

}  // namespace
}  // namespace hermesctl::hermes
