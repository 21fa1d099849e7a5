// verify's one round: everything is asked for at once and only once, and who may read less is told what is
// not known.
#include "hermesctl/hermes/observation.hpp"

#include "hermesctl/hermes/inspection.hpp"
#include "hermesctl/hermes/live_proof.hpp"
#include "hermesctl/hermes/policy_checks.hpp"
#include "unit/hermes/inspected.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr auto server = "https://192.168.1.10:6443";

std::vector<std::string> targets_of(const testing::FakeTransport& transport) {
    std::vector<std::string> targets;
    for (const net::Request& request : transport.requests)
        targets.push_back(request.target);
    return targets;
}

TEST(Observe, AsksForEverythingOnce) {
    Inspected world;
    Observation seen = observe(world.client, world.names, server);
    const auto targets = targets_of(world.transport);
    EXPECT_THAT(std::set<std::string>(targets.begin(), targets.end()), SizeIs(targets.size()));
    EXPECT_EQ(seen.agent.pod, "hermes-1-a");
    EXPECT_TRUE(seen.agent.running);
    EXPECT_EQ(seen.agent.object["metadata"]["name"], "hermes-1-a");
    // The parts are made of it alone.
    const std::size_t asked = targets.size();
    EXPECT_THAT(policy_checks(policy_premises(seen)), Not(IsEmpty()));
    EXPECT_THAT(reach_targets(surroundings_of(seen)), Not(IsEmpty()));
    EXPECT_EQ(premises_of(seen.round, seen.names, seen.agent).pod, "hermes-1-a");
    EXPECT_EQ(world.transport.requests.size(), asked);
}

TEST(Observe, ForThePoliciesAsksForLess) {
    Inspected world;
    observe(world.client, world.names, server, Parts::policies);
    for (const std::string& target : targets_of(world.transport))
        EXPECT_THAT(target, Not(HasSubstr("clusterrole")));
}

TEST(Observe, WhoMayNotSeeThePodsSeesNoAgent) {
    Inspected world;
    world.api.deny("list", "pods");
    const Observation seen = observe(world.client, world.names, server);
    EXPECT_FALSE(seen.agent.running);
    EXPECT_THAT(seen.agent.why, HasSubstr("pods"));
}

/// RBAC refuses before anybody looks whether there is such an API.
TEST(Observe, WhatIsNotServedIsNotMissed) {
    Inspected world;
    const std::string version = "/apis/cilium.io/v2";
    world.api.pages[version + "/namespaces/hermes/ciliumnetworkpolicies"] =
        testing::refusal(403, "Forbidden", "ciliumnetworkpolicies is forbidden");
    const auto unread = [&] {
        Observation seen = observe(world.client, world.names, server);
        return policy_premises(seen).unread_kinds;
    };
    const auto serve = [&](const char* resource) {
        world.api.pages[version] =
            testing::answer(200, Json{{"resources", Json::array({{{"name", resource}}})}}.dump());
    };
    EXPECT_THAT(unread(), IsEmpty()) << "no such group";
    serve("ciliumendpoints");
    EXPECT_THAT(unread(), IsEmpty()) << "no such kind";
    serve("ciliumnetworkpolicies");
    EXPECT_THAT(unread(), ElementsAre("ciliumnetworkpolicies.cilium.io"));
    world.api.pages[version] = testing::refusal(403, "Forbidden", "no discovery");
    EXPECT_THAT(unread(), ElementsAre("ciliumnetworkpolicies.cilium.io"));
}

TEST(Observe, EachKindOfOtherPoliciesIsListed) {
    struct Case {
        std::string version;
        std::string collection;  // below it
        std::string found;
    };
    for (const Case& one : std::vector<Case>{
             {"policy.networking.k8s.io/v1alpha1", "adminnetworkpolicies",
              "adminnetworkpolicies.policy.networking.k8s.io"},
             {"policy.networking.k8s.io/v1alpha1", "baselineadminnetworkpolicies",
              "baselineadminnetworkpolicies.policy.networking.k8s.io"},
             {"policy.networking.k8s.io/v1alpha2", "clusternetworkpolicies",
              "clusternetworkpolicies.policy.networking.k8s.io"},
             {"cilium.io/v2", "namespaces/hermes/ciliumnetworkpolicies", "ciliumnetworkpolicies.cilium.io"},
             {"cilium.io/v2", "ciliumclusterwidenetworkpolicies",
              "ciliumclusterwidenetworkpolicies.cilium.io"},
             {"crd.projectcalico.org/v1", "namespaces/hermes/networkpolicies",
              "networkpolicies.crd.projectcalico.org"},
             {"crd.projectcalico.org/v1", "globalnetworkpolicies",
              "globalnetworkpolicies.crd.projectcalico.org"},
             {"projectcalico.org/v3", "namespaces/hermes/networkpolicies",
              "networkpolicies.projectcalico.org"},
             {"projectcalico.org/v3", "globalnetworkpolicies", "globalnetworkpolicies.projectcalico.org"}}) {
        Inspected world;
        const std::string version = "/apis/" + one.version;
        const std::string resource = one.collection.substr(one.collection.rfind('/') + 1);
        world.api.pages[version] =
            testing::answer(200, Json{{"resources", Json::array({{{"name", resource}}})}}.dump());
        const Json item{{"metadata", {{"name", "open"}}}};
        world.api.pages[version + "/" + one.collection] =
            testing::answer(200, Json{{"items", Json::array({item, item})}}.dump());
        Observation seen = observe(world.client, world.names, server);
        const PolicyPremises premises = policy_premises(seen);
        EXPECT_THAT(premises.other_kinds, ElementsAre(one.found + "/open", one.found + "/open"));
        EXPECT_THAT(premises.unread_kinds, IsEmpty());
    }
}

TEST(Observe, WithoutAnInstallationSaysSo) {
    Inspected world;
    try {
        observe(world.client, {.ns = "hermes", .name = "bob"}, server);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::failed);
        EXPECT_THAT(error.message(), HasSubstr("there is no deployment/bob in namespace hermes"));
    }
}

TEST(Observe, Ipv6IsNoTargetWhereThePolicyOpensIt) {
    Inspected world;
    Observation seen = observe(world.client, world.names, server);
    seen.cluster = {.dns_addresses = {"169.254.20.10", "fd00:43::a"}, .node_addresses = {"fd00::7"}};
    EXPECT_TRUE(surroundings_of(seen).ipv6_wanted) << "the cluster has nothing else";
    seen.cluster.node_addresses.emplace_back("192.168.1.20");
    EXPECT_FALSE(surroundings_of(seen).ipv6_wanted);
}

/// The pod that policies, probes and inspection look at is one and the same.
TEST(Observe, AnOldPodIsNotTheAgentsForAnybody) {
    Inspected world;
    Json old = world.api.object({"Pod", "hermes", "hermes-1-a"});
    old["metadata"] = {{"name", "hermes-0-z"},
                       {"namespace", "hermes"},
                       {"labels", {{"app", "hermes"}, {"pod-template-hash", "0"}, {"old", "yes"}}},
                       {"creationTimestamp", "2099-01-01T00:00:00Z"}};
    old["status"]["hostIP"] = "192.168.1.66";
    world.api.put(old);
    Observation seen = observe(world.client, world.names, server);
    EXPECT_EQ(seen.agent.pod, "hermes-1-a");
    EXPECT_FALSE(policy_premises(seen).sender.labels.contains("old"));
    EXPECT_NE(surroundings_of(seen).host_ip, "192.168.1.66");
    EXPECT_EQ(premises_of(seen.round, seen.names, seen.agent).pod, "hermes-1-a");
}

}  // namespace
}  // namespace hermesctl::hermes
