// The rows about policies: each fault is found by its own row, and by no other.
#include "hermesctl/hermes/policy_checks.hpp"

#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/render.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "support/fake_api.hpp"
#include "support/fake_clock.hpp"
#include "support/installation.hpp"
#include "support/recording_reporter.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// What is not a pass, by its id.
std::map<std::string, Check> found(const Checks& checks) {
    std::map<std::string, Check> bad;
    for (const Check& check : checks) {
        if (check.verdict != Verdict::pass && check.verdict != Verdict::not_applicable) bad[check.id] = check;
    }
    return bad;
}

std::vector<std::string> ids(const Checks& checks) {
    std::vector<std::string> all;
    for (const auto& [id, check] : found(checks))
        all.push_back(id);
    return all;
}

const Check& row(const Checks& checks, const std::string& id) {
    for (const Check& check : checks) {
        if (check.id == id) return check;
    }
    throw std::out_of_range(id);
}

class PolicyRows : public ::testing::Test {
  protected:
    PolicyRows() {
        premises_.own = "hermes-egress";
        premises_.in_cluster = true;
        premises_.sender = {"hermes", {{"app", "hermes"}}};
        premises_.cluster = {.dns_selector = {{"k8s-app", "kube-dns"}},
                             .dns_addresses = {"10.43.0.10"},
                             .node_addresses = {"192.168.1.10", "198.41.7.7"},
                             .api_addresses = {"192.168.1.10"},
                             .pod_ranges = {"10.42.0.0/16"},
                             .service_ranges = {"10.43.0.0/16"}};
        premises_.policies = {own()};
    }

    Json own() const {
        const Json rules = egress_rules(premises_.values, premises_.cluster, Json::array());
        return {{"metadata",
                 {{"name", "hermes-egress"},
                  {"namespace", "hermes"},
                  {"annotations", {{"hermesctl/rules", rules_record(rules)}}}}},
                {"spec",
                 {{"podSelector", {{"matchLabels", {{"app", "hermes"}}}}},
                  {"policyTypes", {"Ingress", "Egress"}},
                  {"egress", rules}}}};
    }
    void add(const std::string& spec) {
        Json made = kube::parse_yaml(spec, "test").at(0);
        premises_.policies.push_back(
            {{"metadata", {{"name", "second"}, {"namespace", "hermes"}}}, {"spec", made}});
    }
    Checks rows() const { return policy_checks(premises_); }

    PolicyPremises premises_{};
};

TEST_F(PolicyRows, WhatDeployWritesPasses) {
    EXPECT_THAT(ids(rows()), IsEmpty());
    EXPECT_THAT(row(rows(), "policy-leaks").evidence, HasSubstr("UDP 53 to 10.43.0.10/32"));
}

TEST_F(PolicyRows, ASecondPolicyThatOpensTheLanIsALeak) {
    add("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.168.0.0/16}}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-leaks"));
    const Check leak = found(rows()).at("policy-leaks");
    EXPECT_EQ(leak.verdict, Verdict::fail);
    EXPECT_THAT(leak.evidence, HasSubstr("TCP 192.168.0.1:1 by rule 1 of networkpolicy/second"));
    EXPECT_THAT(leak.hint, HasSubstr("edit the policy that is named (open: 192.168.0.0/16), or"));
    EXPECT_TRUE(leak.decisive);
}

TEST_F(PolicyRows, DnsToAnybodyIsALeakAndAnOpenPort) {
    add("{podSelector: {}, egress: [{ports: [{protocol: UDP, port: 53}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-leaks", "policy-open-ports"));
    EXPECT_THAT(found(rows()).at("policy-open-ports").evidence, HasSubstr("UDP 1.0.0.1:53"));
    EXPECT_THAT(found(rows()).at("policy-open-ports").hint,
                AllOf(HasSubstr("so that it opens TCP 443 and 80 alone"), Not(HasSubstr("(open:"))));
}

constexpr const char* mcp_rule =
    "{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: colony}}, podSelector: "
    "{matchLabels: {app: mcp}}}], ports: [{port: 8002}]}";

TEST_F(PolicyRows, PodsOfAllNamespacesAreTooMany) {
    add("{podSelector: {}, egress: [{to: [{namespaceSelector: {}}], ports: [{protocol: UDP, port: 53}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-pods"));
    EXPECT_THAT(found(rows()).at("policy-pods").evidence, HasSubstr("all pods in all namespaces"));
}

TEST_F(PolicyRows, WhatIsAsWideAsAllIsNotNarrow) {
    const std::string named =
        "{namespaceSelector: {matchLabels: {a: b}}, podSelector: {matchLabels: {c: d}}}";
    struct Case {
        std::string rule;
        Verdict verdict;
    };
    for (const Case& one : std::vector<Case>{
             {"{to: [" + named + "], ports: [{protocol: TCP}]}", Verdict::fail},
             {"{to: [" + named + "], ports: [{port: 1, endPort: 65535}]}", Verdict::fail},
             {"{to: [" + named + "], ports: [{port: 80}]}", Verdict::warn},
             {"{to: [{podSelector: {matchLabels: {}}}], ports: [{port: 80}]}", Verdict::fail},
             {"{to: [{podSelector: {matchExpressions: [{key: a, operator: DoesNotExist}]}}], ports: [{port: "
              "80}]}",
              Verdict::fail},
             {"{to: [{namespaceSelector: {}, podSelector: {matchLabels: {c: d}}}], ports: [{port: 80}]}",
              Verdict::warn},
             {"{ports: [{port: web}]}", Verdict::fail}}) {
        premises_.policies = {own()};
        add("{podSelector: {}, policyTypes: [Egress], egress: [" + one.rule + "]}");
        EXPECT_EQ(row(rows(), "policy-pods").verdict, one.verdict) << one.rule;
    }
}

TEST_F(PolicyRows, PortsByNameAreWarnedOf) {
    const std::string mcp =
        "to: [{namespaceSelector: {matchLabels: {a: b}}, podSelector: {matchLabels: {app: mcp}}}]";
    add("{podSelector: {}, policyTypes: [Egress], egress: [{" + mcp +
        ", ports: [{port: 80}, {port: web}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-pods", "policy-port-names"));
    const Check names = row(rows(), "policy-port-names");
    EXPECT_EQ(names.verdict, Verdict::warn);
    EXPECT_FALSE(names.decisive);
    EXPECT_THAT(names.evidence,
                AllOf(HasSubstr("TCP web to pods app=mcp"), HasSubstr("rule 1 of networkpolicy/second")));
    // Without `to` it is a failure of its own as well.
    premises_.policies = {own()};
    add("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: web}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-pods", "policy-port-names"));
    // Rules for other pods are not the agent's.
    premises_.policies = {own()};
    add("{podSelector: {matchLabels: {app: another}}, egress: [{ports: [{port: web}]}]}");
    EXPECT_THAT(ids(rows()), IsEmpty());
}

TEST_F(PolicyRows, TheOwnPolicyHasToSelectThePod) {
    add("{podSelector: {}, policyTypes: [Egress]}");
    premises_.policies[0]["spec"]["podSelector"]["matchLabels"]["app"] = "another";
    EXPECT_THAT(ids(rows()), Contains("policy-present"));
}

TEST_F(PolicyRows, OneNamedServiceOfTheOwnPolicyIsToldAndPasses) {
    premises_.policies[0]["spec"]["egress"].push_back(kube::parse_yaml(mcp_rule, "rule").at(0));
    EXPECT_THAT(ids(rows()), IsEmpty());
    EXPECT_THAT(row(rows(), "policy-pods").evidence, HasSubstr("TCP 8002 to pods app=mcp"));
    EXPECT_THAT(openings(premises_), Contains(HasSubstr("TCP 8002 to pods app=mcp in namespaces")));
}

TEST_F(PolicyRows, APodThatAPolicyOfOthersOpensIsWarnedOf) {
    add("{podSelector: {}, egress: [{to: [{podSelector: {matchLabels: {app: postgres}}}], ports: [{port: "
        "5432}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-pods"));
    EXPECT_THAT(row(rows(), "policy-pods").evidence,
                "TCP 5432 to pods app=postgres of this namespace by rule 1 of networkpolicy/second");
    premises_.neighbours = {
        .pods = {{{"metadata", {{"namespace", "hermes"}, {"labels", {{"app", "postgres"}}}}},
                  {"status", {{"podIP", "10.42.0.9"}}}}},
        .known = true};
    const Check pods = row(rows(), "policy-pods");
    EXPECT_EQ(pods.verdict, Verdict::warn);
    EXPECT_EQ(pods.evidence,
              "TCP 10.42.0.9:5432 (TCP 5432 to pods app=postgres of this namespace) by rule 1 of "
              "networkpolicy/second");
    EXPECT_THAT(pods.hint, HasSubstr("networkpolicy/hermes-egress"));
    EXPECT_THAT(openings(premises_), Contains("TCP 5432 to pods app=postgres of this namespace (rule 1 of "
                                              "networkpolicy/second)"));
    // A pod of the agent's own namespace is not the cluster's DNS, whatever it is called.
    premises_.policies = {own()};
    add("{podSelector: {}, egress: [{to: [{podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: "
        "53}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-pods"));
    // Nor is one of another namespace.
    premises_.policies = {own()};
    premises_.cluster.dns_namespace_labels = {{"kubernetes.io/metadata.name", "kube-system"}};
    EXPECT_THAT(ids(rows()), IsEmpty());
    add("{podSelector: {}, egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: "
        "lan}}, "
        "podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-pods"));
}

TEST_F(PolicyRows, WhatStaysOpenIsWhatIsComputed) {
    const std::string any = "any public host on TCP 443 and 80";
    const std::string names = "names through the cluster's DNS";
    EXPECT_THAT(openings(premises_), ElementsAre(any, names));
    premises_.values.network.allow = {"192.168.1.10/32:8080"};
    premises_.values.network.dns = {"192.168.1.53"};
    EXPECT_THAT(openings(premises_), ElementsAre(any, names)) << "settings that no policy follows yet";
    premises_.values.network.ipv6 = true;
    premises_.policies = {own()};
    EXPECT_THAT(openings(premises_),
                ElementsAre(any + ", over IPv6 too", names, "names through 192.168.1.53 (network.dns)",
                            "192.168.1.10/32:8080 (network.allow)"));
    premises_.values.network.except = {"85.10.0.0/24"};
    premises_.policies = {own()};
    premises_.values.network.except.clear();
    EXPECT_THAT(openings(premises_), Contains("public hosts on TCP 443 and 80, over IPv6 too"));
    premises_.policies = {premises_.policies[0]};
    premises_.policies[0]["spec"]["egress"] = Json::array();
    EXPECT_THAT(openings(premises_), IsEmpty());
    premises_.failure = "may not list networkpolicies";
    premises_.policies.clear();
    EXPECT_THAT(openings(premises_), IsEmpty());
    EXPECT_THAT(allowed(premises_), IsEmpty());
}

TEST_F(PolicyRows, WhatIsAllowedIsToldExactly) {
    premises_.neighbours = {
        .pods = {{{"metadata", {{"namespace", "kube-system"}, {"labels", {{"k8s-app", "kube-dns"}}}}},
                  {"status", {{"podIP", "10.42.0.3"}}}}},
        .known = true};
    EXPECT_THAT(allowed(premises_),
                ElementsAre(AllOf(HasSubstr("TCP 80, 443 to 1.0.0.0"), HasSubstr("-198.41.7.6"),
                                  Not(HasSubstr("198.41.7.7/"))),
                            "TCP 53, UDP 53 to 10.42.0.3/32, 10.43.0.10/32"));
    premises_.neighbours = {};
    EXPECT_THAT(allowed(premises_), Contains(HasSubstr("pods k8s-app=kube-dns in namespaces")));
}

TEST_F(PolicyRows, WhatWasOpenedByNameIsNoLeak) {
    premises_.values.network.allow = {"192.168.1.20/32:8080"};
    premises_.values.network.dns = {"192.168.1.1"};
    premises_.policies = {own()};
    EXPECT_THAT(ids(rows()), IsEmpty());
    premises_.values.network.allow = {"192.168.1.20/32:8081"};
    EXPECT_THAT(ids(rows()), ElementsAre("policy-drift", "policy-leaks"));
}

TEST_F(PolicyRows, PrivateAddressesBehindNat64AreALeakWhoeverOpensThem) {
    premises_.values.network.nat64 = {"64:ff9b::/96"};
    premises_.policies = {own()};
    EXPECT_THAT(ids(rows()), IsEmpty());
    add("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: '64:ff9b::/96'}}], "
        "ports: [{port: 443}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-leaks"));
    premises_.values.network.nat64.clear();
    premises_.policies[0] = own();
    EXPECT_THAT(ids(rows()), ElementsAre("policy-leaks"));
}

TEST_F(PolicyRows, Ipv6ThatNobodyAskedForIsALeak) {
    add("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: '2000::/3', except: "
        "['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']}}], ports: [{port: 443}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-leaks"));
    EXPECT_THAT(found(rows()).at("policy-leaks").evidence, HasSubstr("TCP [2000::1]:443 by rule 1"));
    premises_.values.network.ipv6 = true;
    premises_.policies[0] = own();
    EXPECT_THAT(ids(rows()), IsEmpty());
    premises_.values.network.ipv6 = false;
    premises_.cluster = {.dns_selector = {{"k8s-app", "kube-dns"}},
                         .dns_addresses = {"169.254.20.10", "fd00:43::a"},
                         .node_addresses = {"fd00::7"},
                         .pod_ranges = {"fd00:42::/56"}};
    premises_.policies[0] = own();
    EXPECT_THAT(ids(rows()), IsEmpty()) << "it has nothing else";
}

TEST_F(PolicyRows, ANodeThatJoinedWithAPublicAddressIsALeakAndDrift) {
    premises_.cluster.node_addresses.emplace_back("198.41.8.8");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-drift", "policy-leaks"));
    EXPECT_THAT(found(rows()).at("policy-leaks").evidence, HasSubstr("TCP 198.41.8.8:80"));
    EXPECT_THAT(found(rows()).at("policy-drift").hint, HasSubstr("hermesctl deploy"));
}

TEST_F(PolicyRows, ADeletedPolicyOpensEverything) {
    premises_.policies.clear();
    EXPECT_THAT(ids(rows()), ElementsAre("policy-drift", "policy-ingress", "policy-leaks",
                                         "policy-open-ports", "policy-present"));
}

TEST_F(PolicyRows, WhoMayConnectIsFound) {
    add("{podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 8642}]}]}");
    EXPECT_THAT(ids(rows()), ElementsAre("policy-ingress"));
    EXPECT_EQ(found(rows()).at("policy-ingress").hint, "remove the rule");
    premises_.policies.clear();
    EXPECT_EQ(found(rows()).at("policy-ingress").hint, "hermesctl deploy");
    premises_.own.clear();
    EXPECT_EQ(found(rows()).at("policy-ingress").hint, "add a policy for Ingress that selects the pod");
}

TEST_F(PolicyRows, WhatIsNotKnownIsNoPass) {
    premises_.cluster.incomplete = true;
    premises_.cluster.gaps = {{"nodes", "may not list nodes"}};
    EXPECT_EQ(found(rows()).at("policy-leaks").verdict, Verdict::inconclusive);
    EXPECT_EQ(found(rows()).at("policy-gaps").verdict, Verdict::warn);
    premises_.failure = "may not list networkpolicies";
    EXPECT_EQ(found(rows()).at("policy-gaps").verdict, Verdict::warn) << "it does not come of the policies";
    EXPECT_EQ(std::ranges::count(rows(), Verdict::inconclusive, &Check::verdict), 7);
    EXPECT_EQ(std::ranges::count(rows(), premises_.failure, &Check::evidence), 1) << "a long text, once";
    EXPECT_EQ(rows().front().evidence, premises_.failure);
    EXPECT_THAT(rows().front().hint, HasSubstr("grant list"));
}

TEST_F(PolicyRows, APodWithAPublicAddressOfNoKnownRangeIsAGap) {
    EXPECT_THAT(row(rows(), "policy-gaps").evidence, HasSubstr("router's own public address"));
    premises_.neighbours = {.pods = {{{"metadata", {{"name", "web"}, {"namespace", "shop"}}},
                                      {"status", {{"podIP", "100.0.0.3"}}}}},
                            .known = true};
    EXPECT_THAT(ids(rows()), ElementsAre("policy-gaps"));
    EXPECT_THAT(row(rows(), "policy-gaps").evidence, HasSubstr("pod web in shop has the address 100.0.0.3"));
    premises_.values.network.except = {"100.0.0.0/16"};
    premises_.policies = {own()};
    EXPECT_THAT(ids(rows()), IsEmpty());
}

TEST_F(PolicyRows, OtherKindsAreListed) {
    premises_.other_kinds = {"ciliumnetworkpolicies.cilium.io/open"};
    EXPECT_THAT(ids(rows()), ElementsAre("policy-other-kinds"));
    EXPECT_FALSE(found(rows()).at("policy-other-kinds").decisive);
    EXPECT_EQ(allowed(premises_).back(), "not counting ciliumnetworkpolicies.cilium.io/open");
    premises_.unread_kinds = {"ciliumclusterwidenetworkpolicies.cilium.io"};
    EXPECT_EQ(found(rows()).at("policy-other-kinds").evidence,
              "not counting ciliumnetworkpolicies.cilium.io/open, ciliumclusterwidenetworkpolicies.cilium.io "
              "(may not be listed)");
    premises_.other_kinds.clear();
    EXPECT_EQ(found(rows()).at("policy-other-kinds").verdict, Verdict::inconclusive);
    EXPECT_THAT(allowed(premises_).back(), HasSubstr("not counting cilium"));
}

std::vector<Json> rendered() {
    Values values;
    const ClusterFacts cluster{.dns_addresses = {"10.43.0.10", "169.254.20.10"},
                               .pod_ranges = {"10.42.0.0/16"}};
    return render(values, {.secrets = {{"A", "b"}}, .salt = "5a17", .cluster = cluster});
}

TEST(PolicyFiles, WhatRenderPrintsPasses) {
    const Checks rows = policy_checks_of(rendered(), "hermes");
    EXPECT_THAT(ids(rows), IsEmpty());
    EXPECT_EQ(row(rows, "policy-gaps").verdict, Verdict::not_applicable);
    for (const Json& object : rendered())
        EXPECT_THAT(complaints_about_policy(object), IsEmpty());
}

TEST(PolicyFiles, AChartThatOpensTheLanDoesNot) {
    const auto objects = kube::parse_yaml(R"(
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: bot}
spec: {template: {metadata: {labels: {app: bot}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: bot}
spec:
  podSelector: {matchLabels: {app: bot}}
  policyTypes: [Egress, Ingress]
  egress:
    - {to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]}}], ports: [{port: 443}]}
)",
                                          "chart");
    const Checks rows = policy_checks_of(objects, "bots");
    EXPECT_THAT(ids(rows), ElementsAre("policy-leaks"));
    EXPECT_THAT(found(rows).at("policy-leaks").evidence,
                HasSubstr("TCP 100.64.0.1:443 by rule 1 of networkpolicy/bot"));
    EXPECT_EQ(found(rows).at("policy-leaks").hint,
              "narrow the rule, or add to its except: 0.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, "
              "192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 198.18.0.0/15, 198.51.100.0/24, 203.0.113.0/24, "
              "224.0.0.0/3");
}

TEST(PolicyFiles, OneRoundOfMendingIsEnough) {
    Json policy = kube::parse_yaml(R"(
kind: NetworkPolicy
metadata: {name: bot}
spec: {podSelector: {}, policyTypes: [Egress, Ingress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 443}]}]}
)",
                                   "chart")
                      .at(0);
    const std::string hint = found(policy_checks_of({policy}, "x")).at("policy-leaks").hint;
    EXPECT_THAT(hint, Not(HasSubstr("more")));
    Json& block = policy["spec"]["egress"][0]["to"][0]["ipBlock"];
    std::istringstream ranges(hint.substr(hint.find(": ") + 2));
    for (std::string range; std::getline(ranges >> std::ws, range, ',');)
        block["except"].push_back(range);
    EXPECT_THAT(ids(policy_checks_of({policy}, "x")), IsEmpty()) << hint;
}

TEST(PolicyFiles, WithoutAPolicyForEgressOneIsAskedFor) {
    const auto objects =
        kube::parse_yaml("kind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}}\n", "one");
    const auto bad = found(policy_checks_of(objects, "x"));
    EXPECT_THAT(bad.at("policy-leaks").evidence,
                HasSubstr("TCP 192.168.0.1:1 by default: no policy selects the pod"));
    for (const char* id : {"policy-present", "policy-leaks", "policy-open-ports"})
        EXPECT_EQ(bad.at(id).hint, "add a policy for Egress that selects the pod") << id;
}

TEST(PolicyFiles, TheSameNameInAnotherNamespaceIsAnotherPod) {
    const auto objects = kube::parse_yaml(R"(
kind: Deployment
metadata: {name: bot, namespace: caged}
spec: {template: {metadata: {labels: {app: bot}}}}
---
kind: Deployment
metadata: {name: bot, namespace: free}
spec: {template: {metadata: {labels: {app: bot}}}}
---
kind: NetworkPolicy
metadata: {name: a, namespace: caged}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
)",
                                          "chart");
    EXPECT_THAT(found(policy_checks_of(objects, "x")).at("policy-present").title,
                HasSubstr("(deployment/bot in free)"));
}

TEST(PolicyFiles, APublicNameServerIsAnOpenPort) {
    const auto objects = kube::parse_yaml(R"(
kind: NetworkPolicy
metadata: {name: a}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{ipBlock: {cidr: 9.9.9.9/32}}], ports: [{protocol: UDP, port: 53}]}]}
)",
                                          "chart");
    EXPECT_THAT(ids(policy_checks_of(objects, "x")), ElementsAre("policy-open-ports"));
}

TEST(PolicyFiles, PoliciesOfOtherMakesAreNamed) {
    const auto objects = kube::parse_yaml(R"(
kind: NetworkPolicy
metadata: {name: a}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: b}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c}
)",
                                          "chart");
    const auto bad = found(policy_checks_of(objects, "x"));
    ASSERT_TRUE(bad.contains("policy-other-kinds"));
    EXPECT_THAT(bad.at("policy-other-kinds").evidence,
                AllOf(HasSubstr("NetworkPolicy/b"), HasSubstr("CiliumNetworkPolicy/c")));
}

TEST(PolicyFiles, WithoutWorkloadsThePoliciesSelectorsAreLookedAt) {
    const auto objects = kube::parse_yaml(R"(
kind: NetworkPolicy
metadata: {name: a}
spec: {podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress, Egress]}
---
kind: NetworkPolicy
metadata: {name: b}
spec: {podSelector: {matchLabels: {app: b}}, egress: [{}]}
)",
                                          "two");
    const Checks rows = policy_checks_of(objects, "x");
    const auto bad = found(rows);
    ASSERT_TRUE(bad.contains("policy-leaks"));
    EXPECT_THAT(bad.at("policy-leaks").title, HasSubstr("(pods app=b in x)"));
}

class PolicyReading : public ::testing::Test {
  protected:
    PolicyReading() {
        for (Json object : rendered())
            api_.put(object);
    }
    PolicyPremises read() {
        Observation seen = observe(client_, {.ns = "hermes", .name = "hermes"}, "https://192.168.1.10:6443");
        return policy_premises(seen);
    }

    testing::FakeClock clock_{};
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
};

TEST_F(PolicyReading, FindsAllPoliciesThatSelectTheLivePod) {
    testing::run_pod(api_, "hermes-1-a", {{"metadata", {{"labels", {{"by-hand", "yes"}}}}}});
    api_.put({{"kind", "NetworkPolicy"},
              {"metadata", {{"name", "second"}, {"namespace", "hermes"}}},
              {"spec",
               {{"podSelector", {{"matchLabels", {{"by-hand", "yes"}}}}},
                {"egress", kube::parse_yaml("[{to: [{ipBlock: {cidr: 192.168.0.0/16}}]}]", "t").at(0)}}}});
    const PolicyPremises premises = read();
    EXPECT_EQ(premises.sender.labels["by-hand"], "yes");
    EXPECT_THAT(ids(policy_checks(premises)), Contains("policy-leaks"));
}

TEST_F(PolicyReading, PodsAreNotGuessedWhereNamespacesMayNotBeListed) {
    api_.put(testing::object_of(
        "Namespace", "", "home",
        {{"metadata", {{"labels", {{"team", "home"}, {"kubernetes.io/metadata.name", "home"}}}}}}));
    api_.put(testing::object_of("Pod", "home", "nas", {{"status", {{"podIP", "10.42.0.3"}}}}));
    const char* rules =
        "[{to: [{namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: [home]}]}}], "
        "ports: [{port: 9}]}, {to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: "
        "home}}}], "
        "ports: [{port: 8}]}]";
    api_.put(testing::object_of("NetworkPolicy", "hermes", "second",
                                {{"spec",
                                  {{"podSelector", Json::object()},
                                   {"policyTypes", {"Egress"}},
                                   {"egress", kube::parse_yaml(rules, "rules").at(0)}}}}));
    const char* guessed =
        "pods in namespaces team notin (home) (addresses are not known) by rule 1 of networkpolicy/second";
    EXPECT_THAT(allowed(read()), AllOf(Contains("TCP 8 to 10.42.0.3/32"), Not(Contains(HasSubstr(guessed)))));
    api_.deny("list", "namespaces");
    EXPECT_THAT(allowed(read()), AllOf(Contains("TCP 8 to 10.42.0.3/32"), Contains(HasSubstr(guessed))));
}

TEST_F(PolicyReading, WhatMayNotBeReadIsNoted) {
    api_.deny("list", "networkpolicies");
    const PolicyPremises premises = read();
    EXPECT_THAT(premises.failure, HasSubstr("policies of namespace hermes cannot be read"));
    EXPECT_EQ(row(policy_checks(premises), "policy-leaks").verdict, Verdict::inconclusive);
}

}  // namespace
}  // namespace hermesctl::hermes
