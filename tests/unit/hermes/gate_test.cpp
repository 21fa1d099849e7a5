// By which addresses the gate tells, and the proof beside an agent that runs.
#include "hermesctl/hermes/gate.hpp"

#include "hermesctl/hermes/render.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "support/fake_api.hpp"
#include "support/fake_clock.hpp"
#include "support/recording_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Names names{.ns = "hermes", .name = "hermes"};

ClusterFacts facts() {
    return {.dns_selector = {{"k8s-app", "kube-dns"}},
            .dns_addresses = {"10.43.0.10"},
            .api_addresses = {"198.41.0.9"},
            .witnesses = {{"10.43.0.10", 9153, 8181, {"10.42.0.0/16"}},
                          {"10.43.0.1", 443, 6443, {"198.41.0.9"}}}};
}

Json deployment_of(const Values& values, const ClusterFacts& cluster = facts()) {
    return render(values, {.salt = "5a17", .cluster = cluster}).back();
}

TEST(Witnesses, AreWhatThePolicyDoesNotOpen) {
    Values values;
    EXPECT_THAT(witnesses_of(values, facts(), Json::array()),
                ElementsAre("10.43.0.10:9153", "10.43.0.1:443"));
    values.network.allow = {"10.43.0.1/32:443"};
    EXPECT_THAT(witnesses_of(values, facts(), Json::array()), ElementsAre("10.43.0.10:9153"));
    const Json kept = kube::parse_yaml(R"(
- to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]
  ports: [{port: 9153}]
)",
                                       "kept")
                          .at(0);
    EXPECT_THAT(witnesses_of(values, facts(), kept), IsEmpty()) << "it opens the DNS's pods";
    // Policies may look behind the Service's address.
    values.network.allow = {"10.42.0.0/16:8181"};
    EXPECT_THAT(witnesses_of(values, facts(), Json::array()), ElementsAre("10.43.0.1:443"));
    values.network.allow = {"198.41.0.9/32:6443"};
    EXPECT_THAT(witnesses_of(values, facts(), Json::array()), ElementsAre("10.43.0.10:9153"));
}

TEST(Gate, IsTheFirstContainerAndHasNothing) {
    const Json deployment = deployment_of({});
    const Json& gate = at(deployment, "/spec/template/spec/initContainers/0");
    EXPECT_EQ(text_at(gate, "/name"), gate_name);
    EXPECT_FALSE(gate.contains("volumeMounts"));
    EXPECT_EQ(kube::int_at(gate, "/securityContext/runAsUser"), 65534);
    EXPECT_EQ(at(gate, "/securityContext/capabilities"), Json({{"drop", {"ALL"}}}));
    EXPECT_THAT(text_at(gate, "/command/4"), HasSubstr("def dns_answers"));
    const auto live = live_witnesses(deployment);
    ASSERT_EQ(live.size(), 2u);
    EXPECT_EQ(live[0].text(), "10.43.0.10:9153");
    EXPECT_EQ(live[1].text(), "10.43.0.1:443");
    // Who may read less keeps them, but for what is opened by name.
    Values values;
    values.network.allow = {"10.43.0.1/32:443"};
    ClusterFacts less = facts();
    less.witnesses = live;
    EXPECT_THAT(witnesses_of(values, less, Json::array()), ElementsAre("10.43.0.10:9153"));
}

TEST(Gate, CanBeLeftOutAndThatIsKept) {
    Values values;
    values.network.gate = false;
    const Json deployment = deployment_of(values);
    EXPECT_EQ(text_at(deployment, "/spec/template/spec/initContainers/0/name"), "seed-config");
    Live live;
    live.objects[names.deployment()] = deployment;
    EXPECT_FALSE(
        values_of(merged(settings_of(live, names), {{"telegram", {{"allowedUsers", {1}}}}})).network.gate);
}

/// A kubelet that ends the proof's container so.
class Proof : public ::testing::Test {
  protected:
    Proof() { api_.put({{"kind", "Namespace"}, {"metadata", {{"name", "hermes"}}}}); }
    void kubelet(int code, const std::string& message) {
        api_.on_write = [this, code, message](const std::string& type, const Json& object) {
            if (text_at(object, "/kind") != "Pod" || type != "ADDED") return;
            pod_ = object;
            api_.merge(kube::ref_of(object),
                       {{"status",
                         {{"phase", code == 0 ? "Succeeded" : "Failed"},
                          {"containerStatuses",
                           {{{"name", "gate"},
                             {"state", {{"terminated", {{"exitCode", code}, {"message", message}}}}}}}}}}});
        };
    }
    void prove(const Values& values = {}) {
        Json live = deployment_of({});
        live["spec"]["template"]["spec"]["containers"][0]["image"] = "a/running:1";
        live["spec"]["template"]["spec"]["nodeSelector"] = {{"disk", "ssd"}};
        prove_enforcement(client_, names, live, deployment_of(values), reporter_);
    }
    bool has_pods() const {
        return std::any_of(api_.objects().begin(), api_.objects().end(),
                           [](const auto& one) { return one.first.kind == "Pod"; });
    }

    testing::FakeClock clock_{};
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
    Json pod_{};
};

TEST_F(Proof, RunsTheGateAsThePolicySeesTheAgentAndLeavesNothing) {
    kubelet(0, "closed after 0.2 s");
    prove();
    EXPECT_EQ(text_at(pod_, "/metadata/labels/app"), "hermes");
    EXPECT_FALSE(at(pod_, "/metadata/labels").contains("pod-template-hash"));
    EXPECT_EQ(text_at(pod_, "/spec/containers/0/image"), "a/running:1");
    EXPECT_EQ(text_at(pod_, "/spec/nodeSelector/disk"), "ssd");
    EXPECT_EQ(text_at(pod_, "/spec/containers/0/command/5"), "10.43.0.10:9153,10.43.0.1:443");
    EXPECT_FALSE(has_pods());
}

TEST_F(Proof, AnOpenWitnessIsAnErrorThatSaysWhatToDo) {
    kubelet(gate_still_open, "10.43.0.10:9153");
    try {
        prove();
        FAIL() << "it passed";
    } catch (const Error& error) {
        EXPECT_THAT(error.message(),
                    HasSubstr("nothing enforces NetworkPolicy in this cluster: 10.43.0.10:9153"));
        EXPECT_THAT(error.hint(), HasSubstr("--disable-network-policy"));
    }
    EXPECT_FALSE(has_pods());
}

TEST_F(Proof, WithoutDnsTheRunningAgentIsLeftAlone) {
    kubelet(gate_no_dns, "no answer from the name servers 10.43.0.10");
    EXPECT_THROW(prove(), Error);
}

TEST_F(Proof, WhatCannotBeTriedIsSaidAndLeftToTheGate) {
    api_.deny("create", "pods");
    prove();
    EXPECT_THAT(reporter_.events.back().detail, HasSubstr("could not be tried"));
}

TEST_F(Proof, WithoutAGateNothingIsTried) {
    Values values;
    values.network.gate = false;
    prove(values);
    EXPECT_TRUE(reporter_.events.empty());
}

}  // namespace
}  // namespace hermesctl::hermes
