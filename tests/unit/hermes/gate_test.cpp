// By which addresses the gate tells, and the proof beside an agent that runs.
#include "hermesctl/hermes/gate.hpp"

#include "hermesctl/hermes/render.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "support/fake_api.hpp"
#include "support/fake_clock.hpp"
#include "support/recording_reporter.hpp"

#include <algorithm>

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
            .witnesses = {{"10.43.0.10", 9153, 8181, {"10.42.0.0/16"}, ""},
                          {"10.43.0.1", 443, 6443, {"198.41.0.9"}, ""}}};
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

/// Another Service of the DNS, whose pods may not be read.
TEST(Witnesses, OfTheDnsAreOpenedByARuleForItsPods) {
    ClusterFacts cluster = facts();
    cluster.witnesses = {{"10.43.0.77", 9153, 9153, {}, "", true}};
    EXPECT_THAT(witnesses_of({}, cluster, Json::array()), ElementsAre("10.43.0.77:9153"));
    const Json kept = kube::parse_yaml(
                          "- to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: "
                          "kube-system}}}]\n  ports: [{port: 9153}]",
                          "kept")
                          .at(0);
    EXPECT_THAT(witnesses_of({}, cluster, kept), IsEmpty());
}

Json policy_of_others(const char* spec) {
    return {{"metadata", {{"name", "other"}, {"namespace", "hermes"}}},
            {"spec", kube::parse_yaml(spec, "other").at(0)}};
}

TEST(Witnesses, AreWhatNoPolicyOfOthersOpens) {
    ClusterFacts cluster = facts();
    cluster.dns_pods = {kube::parse_yaml(R"(
metadata: {namespace: kube-system, labels: {k8s-app: kube-dns, tier: dns}}
spec: {containers: [{ports: [{name: metrics, containerPort: 8181}]}]}
status: {podIP: 10.42.0.3}
)",
                                         "pod")
                            .at(0)};
    cluster.dns_namespace_labels = {{"team", "platform"}};
    struct Case {
        const char* spec;
        std::size_t left;
    };
    for (const Case& one : std::vector<Case>{
             {"{podSelector: {}, egress: [{to: [{namespaceSelector: {matchLabels: {team: platform}}}]}]}", 1},
             {"{podSelector: {matchLabels: {app: hermes}}, egress: [{to: [{namespaceSelector: {}, "
              "podSelector: "
              "{matchLabels: {tier: dns}}}], ports: [{port: metrics}]}]}",
              1},
             {"{podSelector: {matchLabels: {app.kubernetes.io/name: hermes}}, egress: [{}]}", 0},
             {"{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.43.0.0/16}}]}]}", 0},
             // These select another pod, another way, other pods, another port.
             {"{podSelector: {matchLabels: {app: other}}, egress: [{}]}", 2},
             {"{podSelector: {}, policyTypes: [Ingress], ingress: [{}]}", 2},
             {"{podSelector: {}, egress: [{to: [{namespaceSelector: {matchLabels: {team: apps}}}]}]}", 2},
             {"{podSelector: {}, egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53}]}]}", 2}}) {
        cluster.other_policies = {policy_of_others(one.spec)};
        EXPECT_EQ(witnesses_of({}, cluster, Json::array()).size(), one.left) << one.spec;
    }
    // Where its labels may not be read, the DNS's namespace may be the one.
    cluster.dns_namespace_labels = nullptr;
    cluster.other_policies = {policy_of_others(
        "{podSelector: {}, egress: [{to: [{namespaceSelector: {matchLabels: {team: apps}}}]}]}")};
    EXPECT_THAT(witnesses_of({}, cluster, Json::array()), ElementsAre(HasSubstr("10.43.0.1:443")));
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

TEST(Gate, KnowsOnWhichNodesAWitnessTellsNothing) {
    ClusterFacts cluster = facts();
    cluster.witnesses.back().nodes = {"192.168.1.20", "fd00::20"};
    const Json deployment = deployment_of({}, cluster);
    const Json& gate = at(deployment, "/spec/template/spec/initContainers/0");
    EXPECT_EQ(text_at(gate, "/command/5"), "10.43.0.10:9153,10.43.0.1:443/192.168.1.20/fd00::20");
    EXPECT_EQ(text_at(gate, "/env/0/valueFrom/fieldRef/fieldPath"), "status.hostIP");
    const auto live = live_witnesses(deployment);
    ASSERT_EQ(live.size(), 2u);
    EXPECT_EQ(live[1].text(), "10.43.0.1:443");
    EXPECT_THAT(live[1].nodes, ElementsAre("192.168.1.20", "fd00::20"));
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

/// A Job's controller, and a kubelet that ends the proof's container so.
class Proof : public ::testing::Test {
  protected:
    Proof() { api_.put({{"kind", "Namespace"}, {"metadata", {{"name", "hermes"}}}}); }
    void kubelet(int code, const std::string& message) {
        api_.on_write = [this, code, message](const std::string& type, const Json& object) {
            if (text_at(object, "/kind") != "Job" || type != "ADDED") return;
            job_ = object;
            const Json ended{{"exitCode", code}, {"message", message}};
            api_.put({{"kind", "Pod"},
                      {"metadata",
                       {{"name", text_at(object, "/metadata/name") + "-x"},
                        {"namespace", "hermes"},
                        {"labels", {{"job-name", text_at(object, "/metadata/name")}}}}},
                      {"status",
                       {{"phase", code == 0 ? "Succeeded" : "Failed"},
                        {"containerStatuses", {{{"name", "gate"}, {"state", {{"terminated", ended}}}}}}}}});
        };
    }
    void prove(const Values& values = {}) {
        Json live = deployment_of({});
        live["spec"]["template"]["spec"]["containers"][0]["image"] = "a/running:1";
        live["spec"]["template"]["spec"]["nodeSelector"] = {{"disk", "ssd"}};
        prove_enforcement(client_, names, live, deployment_of(values), reporter_);
    }
    bool has_jobs() const {
        return std::ranges::any_of(api_.objects(), [](const auto& one) { return one.first.kind == "Job"; });
    }

    testing::FakeClock clock_{};
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
    Json job_{};
};

TEST_F(Proof, RunsTheGateAsThePolicySeesTheAgentAndLeavesNothing) {
    kubelet(0, "closed after 0.2 s");
    prove();
    const Json& pod = at(job_, "/spec/template");
    EXPECT_EQ(text_at(pod, "/metadata/labels/app"), "hermes");
    EXPECT_FALSE(at(pod, "/metadata/labels").contains("pod-template-hash"));
    EXPECT_EQ(text_at(pod, "/spec/containers/0/image"), "a/running:1");
    EXPECT_EQ(text_at(pod, "/spec/containers/0/imagePullPolicy"), "IfNotPresent");
    EXPECT_EQ(text_at(pod, "/spec/nodeSelector/disk"), "ssd");
    EXPECT_EQ(text_at(pod, "/spec/containers/0/command/5"), "10.43.0.10:9153,10.43.0.1:443");
    EXPECT_FALSE(has_jobs());
}

TEST_F(Proof, OfWhatHadNothingToLookAtIsNone) {
    kubelet(0, "nothing to look at from this node");
    prove();
    EXPECT_EQ(reporter_.events.back().state, State::warning);
    EXPECT_THAT(reporter_.events.back().detail,
                HasSubstr("could not be tried beside the running agent: nothing to"));
}

TEST_F(Proof, GoesByItsDeadlineWhereHermesctlIsKilled) {
    kubelet(0, "closed after 0.2 s");
    prove();
    EXPECT_EQ(kube::int_at(job_, "/spec/activeDeadlineSeconds"), 90);
    EXPECT_EQ(kube::int_at(job_, "/spec/ttlSecondsAfterFinished", -1), 30);
    EXPECT_EQ(kube::int_at(job_, "/spec/backoffLimit", -1), 0);
}

TEST_F(Proof, AnInterruptLeavesNoJobBehind) {
    api_.on_write = [this](const std::string& type, const Json& object) {
        if (type == "ADDED") job_ = object;  // and no pod comes
    };
    EXPECT_THROW(prove_enforcement(client_, names, deployment_of({}), deployment_of({}), reporter_,
                                   [] { throw Error(ExitCode::interrupted, "interrupted"); }),
                 Error);
    EXPECT_EQ(text_at(job_, "/kind"), "Job");
    EXPECT_FALSE(has_jobs());
}

TEST_F(Proof, AJobWithoutAPodIsNotWaitedForLong) {
    prove();
    EXPECT_THAT(reporter_.events.back().detail, HasSubstr("its pod did not run"));
    EXPECT_LT(clock_.elapsed(), std::chrono::seconds(15));
    EXPECT_FALSE(has_jobs());
}

TEST_F(Proof, APodThatDoesNotRunSaysWhy) {
    api_.on_write = [this](const std::string& type, const Json& object) {
        if (text_at(object, "/kind") != "Job" || type != "ADDED") return;
        const Json waiting{{"reason", "ImagePullBackOff"}, {"message", "not found"}};
        api_.put({{"kind", "Pod"},
                  {"metadata",
                   {{"name", text_at(object, "/metadata/name") + "-x"},
                    {"namespace", "hermes"},
                    {"labels", {{"job-name", text_at(object, "/metadata/name")}}}}},
                  {"spec", {{"nodeName", "node"}}},
                  {"status",
                   {{"phase", "Pending"},
                    {"containerStatuses",
                     {{{"name", "gate"}, {"image", "a/running:1"}, {"state", {{"waiting", waiting}}}}}}}}});
    };
    prove();
    EXPECT_THAT(reporter_.events.back().detail,
                HasSubstr("its pod did not run: image a/running:1 does not exist in its registry"));
    EXPECT_FALSE(has_jobs());
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
    EXPECT_FALSE(has_jobs());
}

TEST_F(Proof, WithoutDnsTheRunningAgentIsLeftAlone) {
    kubelet(gate_no_dns, "no answer from the name servers 10.43.0.10");
    EXPECT_THROW(prove(), Error);
}

TEST_F(Proof, WhatCannotBeTriedIsSaidAndLeftToTheGate) {
    api_.deny("create", "jobs");
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
