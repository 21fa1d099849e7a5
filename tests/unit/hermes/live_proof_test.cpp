// The proof against an API server in memory: the twin comes, is asked, and goes.
#include "hermesctl/hermes/live_proof.hpp"

#include "hermesctl/hermes/render.hpp"
#include "support/fake_api.hpp"
#include "support/fake_clock.hpp"
#include "support/installation.hpp"
#include "support/recording_reporter.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using ::testing::HasSubstr;

const Names names{.ns = "hermes", .name = "hermes"};

class LiveProof : public ::testing::Test {
  protected:
    LiveProof() {
        Values values;
        values.allowed_users = {1};
        for (const Json& object :
             render(values, {.secrets = {{"TELEGRAM_ALLOWED_USERS", "1"}}, .salt = "5a17"}))
            api_.put(object);
        api_.put({{"kind", "Service"},
                  {"metadata", {{"name", "kubernetes"}, {"namespace", "default"}}},
                  {"spec", {{"clusterIP", "10.43.0.1"}, {"ports", {{{"port", 443}}}}}}});
        const Json running{{"name", "hermes"}, {"image", "a/b:1"}, {"state", {{"running", Json::object()}}}};
        testing::run_pod(api_, "hermes-1-a",
                         {{"spec", {{"nodeName", "n1"}}},
                          {"status",
                           {{"phase", "Running"},
                            {"hostIP", "192.168.1.10"},
                            {"containerStatuses", Json::array({running})}}}});
        api_.on_write = [this](const std::string& type, const Json& object) {
            if (text_at(object, "/kind") == "Job" && type == "ADDED") start_twin(object);
        };
        api_.on_exec = [this](testing::FakeProcess& process) { answer(process); };
    }

    /// The Job's controller and the kubelet.
    void start_twin(const Json& job) {
        job_ = text_at(job, "/metadata/name");
        if (!twin_starts) return;
        const Json status{{"name", "twin"}, {"state", {{"running", Json::object()}}}};
        const Json pod{
            {"kind", "Pod"},
            {"metadata", {{"name", job_ + "-x"}, {"namespace", "hermes"}, {"labels", {{"job-name", job_}}}}},
            {"status", {{"phase", "Running"}, {"containerStatuses", Json::array({status})}}}};
        transport_.after(twin_after, [this, pod] { api_.put(pod); });
    }

    /// A twin that reaches all, and a pod that reaches what it should.
    void answer(testing::FakeProcess& process) {
        seconds_ = *std::prev(process.argv.end(), 2);
        tried_ = Json::parse(process.argv.back());
        asked_[process.container] = clock_.elapsed();
        if (process.container == interrupt_in) throw Error(ExitCode::interrupted, "interrupted");
        if (process.container == "hermes" && pod_breaks) return process.exit(1);
        Json reached = Json::object();
        for (const Json& target : tried_) {
            const std::string host = target["host"];
            const bool lifeline = host.starts_with("api.");
            const bool twin = process.container == "twin" && !twin_caged;
            reached[target["name"].get<std::string>()] =
                twin || lifeline || host == leak ? "open" : "refused";
        }
        process.out(Json{{"gateway", Json::array()}, {"reached", reached}}.dump() + "\n");
        process.exit(0);
    }

    Checks prove(const ProofOptions& options = {}) {
        const Observation seen = observe(client_, names, "https://192.168.1.10:6443");
        return prove_live(client_, seen, options, reporter_);
    }
    static const Check& row(const Checks& checks, const std::string& id) {
        const auto found = std::ranges::find(checks, id, &Check::id);
        if (found == checks.end()) throw std::out_of_range(id);
        return *found;
    }
    static Verdict verdict(const Checks& checks, const std::string& id) { return row(checks, id).verdict; }
    /// network.mustNotReach of the installation.
    void name_in_settings(const std::string& target) {
        const Json settings{{"network", {{"mustNotReach", Json::array({target})}}}};
        api_.merge(names.deployment(),
                   {{"metadata", {{"annotations", {{"hermesctl/settings", settings.dump()}}}}}});
    }
    bool has_jobs() const {
        return std::ranges::any_of(api_.objects(), [](const auto& one) { return one.first.kind == "Job"; });
    }

    testing::FakeClock clock_{};
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
    std::string job_{};
    std::string seconds_{};                           // that the probes were given
    Json tried_{};                                    // the targets
    std::map<std::string, Clock::Duration> asked_{};  // when, by container
    bool twin_starts = true;
    Clock::Duration twin_after{0};
    bool twin_caged = false;
    bool pod_breaks = false;
    std::string interrupt_in{};  // the container whose probe it comes in
    std::string leak{};
};

TEST_F(LiveProof, PassesWhereOnlyTheTwinReaches) {
    const Checks checks = prove({.lan_targets = {"192.168.1.206:30002"}});
    for (const char* id : {"live-api", "live-kubelet", "live-lan", "live-resolvers", "live-telegram"})
        EXPECT_EQ(verdict(checks, id), Verdict::pass) << id;
    EXPECT_EQ(verdict(checks, "live-nodeports"), Verdict::not_applicable);
    EXPECT_NE(job_, "");
    EXPECT_FALSE(has_jobs());
}

TEST_F(LiveProof, WhatThePodReachesIsAFailureOfItsRowAlone) {
    leak = "192.168.1.206";
    const Checks checks = prove({.lan_targets = {"192.168.1.206:30002"}});
    for (const Check& check : checks)
        EXPECT_EQ(check.verdict == Verdict::fail, check.id == "live-lan") << check.id;
}

TEST_F(LiveProof, WithoutATwinOnlySureListenersTell) {
    api_.deny("create", "jobs");
    const Checks checks = prove({.lan_targets = {"192.168.1.206:30002"}});
    EXPECT_EQ(verdict(checks, "live-api"), Verdict::pass);
    EXPECT_EQ(verdict(checks, "live-lan"), Verdict::inconclusive);
    EXPECT_EQ(verdict(checks, "live-resolvers"), Verdict::inconclusive);
    EXPECT_THAT(reporter_.events.at(1).detail, HasSubstr("no twin could be made"));
}

TEST_F(LiveProof, TheTwinGoesAlsoWhenItNeverStarted) {
    twin_starts = false;
    EXPECT_EQ(verdict(prove(), "live-resolvers"), Verdict::inconclusive);
    EXPECT_LE(clock_.elapsed(), std::chrono::seconds(7)) << "with 3 for the probe it is under ten";
    EXPECT_EQ(seconds_, "3");
    EXPECT_NE(job_, "");
    EXPECT_FALSE(has_jobs());
}

TEST_F(LiveProof, APodThatSaysNothingIsGivenUp) {
    api_.on_exec = [](testing::FakeProcess&) {};
    const auto takes = [this](const ProofOptions& options) {
        const auto begun = clock_.elapsed();
        EXPECT_THAT(row(prove(options), "live-api").evidence, HasSubstr("it gave no answer in time"));
        EXPECT_FALSE(has_jobs());
        return clock_.elapsed() - begun;
    };
    EXPECT_LE(takes({.quick = true}), std::chrono::seconds(11));
    twin_after = std::chrono::seconds(5);
    EXPECT_LE(takes({}), twin_after + std::chrono::seconds(11));
}

TEST_F(LiveProof, AProviderThatHermesIsNotSentToIsNoLifeline) {
    EXPECT_EQ(verdict(prove(), "live-provider"), Verdict::pass);
    api_.merge(names.secret(), {{"data", {{"MINIMAX_BASE_URL", "aHR0cDovL3g="}}}});
    EXPECT_EQ(verdict(prove(), "live-provider"), Verdict::not_applicable);
}

TEST_F(LiveProof, PodAndTwinAreAskedAtTheSameTime) {
    twin_after = std::chrono::seconds(3);
    prove();
    EXPECT_GE(asked_["twin"], twin_after);
    EXPECT_LE(asked_["hermes"] - asked_["twin"], std::chrono::milliseconds(100));
    EXPECT_GE(asked_["hermes"], asked_["twin"]);
    // Without one that comes there is nothing to wait for.
    asked_.clear();
    api_.deny("create", "jobs");
    const auto begun = clock_.elapsed();
    prove();
    EXPECT_LE(asked_["hermes"] - begun, std::chrono::milliseconds(100));
}

TEST_F(LiveProof, OfAFloodOfComplaintsTheBeginningIsKept) {
    api_.on_exec = [](testing::FakeProcess& process) {
        process.err(std::string(900, 'y'));
        process.err(std::string(900, 'z'));
        process.exit(1);
    };
    EXPECT_THAT(row(prove(), "live-api").evidence, HasSubstr("yz"));
}

TEST_F(LiveProof, AnInterruptLeavesNoJobBehind) {
    for (const char* moment : {"hermes", "twin"}) {
        interrupt_in = moment;
        EXPECT_THROW(prove(), Error) << moment;
        EXPECT_NE(job_, "");
        EXPECT_FALSE(has_jobs()) << moment;
    }
    // The server has made it, and nobody heard of it.
    api_.on_write = [](const std::string& type, const Json& object) {
        if (text_at(object, "/kind") == "Job" && type == "ADDED")
            throw Error(ExitCode::interrupted, "interrupted");
    };
    EXPECT_THROW(prove(), Error);
    EXPECT_FALSE(has_jobs());
}

TEST_F(LiveProof, TheJobThatGoesIsTheOneThatWasMade) {
    prove();
    const auto deletion = std::ranges::find(transport_.requests, "DELETE", &net::Request::method);
    ASSERT_NE(deletion, transport_.requests.end());
    const Json body = Json::parse(deletion->body);
    EXPECT_EQ(text_at(body, "/propagationPolicy"), "Background");
    EXPECT_NE(text_at(body, "/preconditions/uid"), "");
}

TEST_F(LiveProof, WhichPolicySelectsTheTwinIsSaidAndNothingPassesByIt) {
    api_.put({{"kind", "NetworkPolicy"},
              {"metadata", {{"name", "deny-all"}, {"namespace", "hermes"}}},
              {"spec", {{"podSelector", Json::object()}, {"policyTypes", {"Egress"}}}}});
    twin_caged = true;
    const Checks checks = prove({.lan_targets = {"192.168.1.206:30002"}});
    EXPECT_EQ(verdict(checks, "live-api"), Verdict::pass) << "there surely is a listener";
    for (const char* id : {"live-lan", "live-resolvers", "live-gateway"})
        EXPECT_EQ(verdict(checks, id), Verdict::inconclusive) << id;
    EXPECT_TRUE(std::ranges::any_of(reporter_.events, [](const Event& event) {
        return event.detail.starts_with("networkpolicy/deny-all selects the twin too");
    }));
}

TEST_F(LiveProof, APodThatCannotBeAskedIsNoPass) {
    pod_breaks = true;
    for (const Check& check : prove())
        EXPECT_NE(check.verdict, Verdict::pass) << check.id;
    EXPECT_FALSE(has_jobs());
}

TEST_F(LiveProof, WithoutTheRightToExecTheHintNamesIt) {
    api_.deny("get", "pods/exec");
    for (const Check& check : prove({.quick = true})) {
        if (check.verdict == Verdict::inconclusive)
            EXPECT_THAT(check.hint, HasSubstr("can grant get and create on pods/exec in namespace hermes"));
    }
    api_.erase({"Pod", "hermes", "hermes-1-a"});
    EXPECT_EQ(prove({.quick = true}).front().hint, "hermesctl status");
}

TEST_F(LiveProof, WhyNoPortOfTheDnsIsTriedIsTrue) {
    const auto evidence = [this] {
        for (const Check& check : prove({.quick = false})) {
            if (check.id == "live-dns-ports") return check.evidence;
        }
        return std::string();
    };
    const auto put_dns = [this](Json ports, bool on_nodes) {
        api_.put({{"kind", "Service"},
                  {"metadata", {{"name", "kube-dns"}, {"namespace", "kube-system"}}},
                  {"spec",
                   {{"clusterIP", "10.43.0.10"},
                    {"selector", {{"k8s-app", "kube-dns"}}},
                    {"ports", std::move(ports)}}}});
        api_.put({{"kind", "Pod"},
                  {"metadata",
                   {{"name", "dns-x"}, {"namespace", "kube-system"}, {"labels", {{"k8s-app", "kube-dns"}}}}},
                  {"spec", {{"hostNetwork", on_nodes}}},
                  {"status", {{"podIP", "10.42.0.2"}}}});
    };
    const Json name_port{{"name", "dns"}, {"port", 53}, {"protocol", "UDP"}};
    const Json metrics{{"name", "metrics"}, {"port", 9153}};
    put_dns(Json::array({name_port}), false);
    EXPECT_EQ(evidence(), "the DNS Service has port 53 alone");
    put_dns(Json::array({name_port, metrics}), true);
    EXPECT_THAT(evidence(), HasSubstr("on its nodes' own network"));
    put_dns(Json::array({name_port, metrics}), false);
    EXPECT_THAT(evidence(), HasSubstr("TCP 10.43.0.10:9153 refused"));
    Json policy = api_.object(names.policy());
    policy["spec"]["egress"].push_back(
        {{"to", Json::array({{{"ipBlock", {{"cidr", "10.43.0.10/32"}}}}})}, {"ports", {{{"port", 9153}}}}});
    api_.put(policy);
    EXPECT_THAT(evidence(), HasSubstr("a policy opens what the DNS serves beside port 53: 10.43.0.10:9153"));
}

TEST_F(LiveProof, WhatPodsOfTheDnsServeBesideItsServiceIsTriedAtTheirAddresses) {
    api_.put({{"kind", "Service"},
              {"metadata", {{"name", "kube-dns"}, {"namespace", "kube-system"}}},
              {"spec",
               {{"clusterIP", "10.43.0.10"},
                {"selector", {{"k8s-app", "kube-dns"}}},
                {"ports", Json::array({{{"port", 53}, {"protocol", "UDP"}, {"targetPort", 1053}}})}}}});
    const auto put_pod = [this](const char* address, const char* ready, bool on_node) {
        Json ports = Json::array({{{"containerPort", 1053}, {"protocol", "UDP"}},
                                  {{"containerPort", 1053}},
                                  {{"containerPort", 53}},
                                  {{"containerPort", 9153}}});
        api_.put(
            {{"kind", "Pod"},
             {"metadata",
              {{"name", "dns-x"}, {"namespace", "kube-system"}, {"labels", {{"k8s-app", "kube-dns"}}}}},
             {"spec",
              {{"hostNetwork", on_node}, {"containers", Json::array({{{"ports", std::move(ports)}}})}}},
             {"status",
              {{"podIP", address}, {"conditions", Json::array({{{"type", "Ready"}, {"status", ready}}})}}}});
    };
    put_pod("10.42.0.2", "True", false);
    const Check found = row(prove(), "live-dns-ports");
    EXPECT_EQ(found.verdict, Verdict::pass);
    EXPECT_EQ(found.evidence, "TCP 10.42.0.2:9153 refused; the twin reaches it");
    leak = "10.42.0.2";
    EXPECT_EQ(verdict(prove(), "live-dns-ports"), Verdict::fail);
    leak = "";
    put_pod("10.42.0.2", "False", false);
    EXPECT_EQ(verdict(prove(), "live-dns-ports"), Verdict::not_applicable) << "nobody may listen";
    put_pod("192.168.1.10", "True", true);
    EXPECT_EQ(verdict(prove(), "live-dns-ports"), Verdict::not_applicable) << "policies may not hold there";
    put_pod("10.42.0.2", "True", false);
    Json policy = api_.object(names.policy());
    policy["spec"]["egress"].push_back(
        {{"to", Json::array({{{"ipBlock", {{"cidr", "10.42.0.2/32"}}}}})}, {"ports", {{{"port", 9153}}}}});
    api_.put(policy);
    EXPECT_THAT(row(prove(), "live-dns-ports").evidence,
                HasSubstr("a policy opens what the DNS serves beside port 53: 10.42.0.2:9153"));
}

TEST_F(LiveProof, WhatKubeRouterLeavesOpenOnTheNodeIsSaid) {
    const auto says_so = [this] {
        for (const Check& check : prove()) {
            if (check.id != "live-nodeports") continue;
            EXPECT_EQ(check.verdict, Verdict::not_applicable);
            return check.evidence.find("30000 to 32767") != std::string::npos;
        }
        return false;
    };
    const auto put_node = [this](const char* version, const char* arguments) {
        api_.put({{"kind", "Node"},
                  {"metadata", {{"name", "n1"}, {"annotations", {{"k3s.io/node-args", arguments}}}}},
                  {"status", {{"nodeInfo", {{"kubeletVersion", version}}}}}});
    };
    put_node("v1.34.3", "[]");
    EXPECT_FALSE(says_so());
    put_node("v1.34.3+k3s1", R"(["server"])");
    EXPECT_TRUE(says_so());
    put_node("v1.34.3+k3s1", R"(["server","--flannel-backend","none","--disable-network-policy"])");
    EXPECT_FALSE(says_so());
    api_.put({{"kind", "Pod"},
              {"metadata",
               {{"name", "r"}, {"namespace", "kube-system"}, {"labels", {{"k8s-app", "kube-router"}}}}}});
    EXPECT_TRUE(says_so());
}

TEST_F(LiveProof, QuickLeavesOutTheSameRowsWhereNoAgentRuns) {
    api_.erase({"Pod", "hermes", "hermes-1-a"});
    for (const Check& check : prove({.quick = true}))
        EXPECT_EQ(check.verdict, Verdict::inconclusive) << check.id << ": " << check.evidence;
}

TEST_F(LiveProof, QuickMakesNoTwinAndTriesNothingThatMayNotListen) {
    const Checks checks = prove({.quick = true});
    EXPECT_EQ(job_, "");
    EXPECT_EQ(seconds_, "1.2") << "of two seconds in all";
    prove();
    EXPECT_EQ(seconds_, "3");
    EXPECT_EQ(verdict(checks, "live-api"), Verdict::pass);
    EXPECT_TRUE(
        std::ranges::none_of(checks, [](const Check& check) { return check.id == "live-resolvers"; }));
}

TEST_F(LiveProof, QuickTriesWhatWasNamed) {
    const std::string nas = "192.168.1.206:30002";
    const Check unsure = row(prove({.lan_targets = {nas}, .quick = true}), "live-lan");
    EXPECT_EQ(unsure.verdict, Verdict::inconclusive) << "a refusal may come from where nobody listens";
    EXPECT_TRUE(unsure.decisive);
    leak = "192.168.1.206";
    EXPECT_EQ(verdict(prove({.lan_targets = {nas}, .quick = true}), "live-lan"), Verdict::fail);
}

/// deploy ends with a quick look: it is to end well, but not beside a NAS that is open.
TEST_F(LiveProof, InAQuickLookWhatSettingsNameDecidesWhereItIsOpen) {
    name_in_settings("192.168.1.206:30002");
    const Check unsure = row(prove({.quick = true}), "live-lan");
    EXPECT_EQ(unsure.verdict, Verdict::inconclusive);
    EXPECT_FALSE(unsure.decisive);
    leak = "192.168.1.206";
    const Check open = row(prove({.quick = true}), "live-lan");
    EXPECT_EQ(open.verdict, Verdict::fail);
    EXPECT_TRUE(open.decisive);
}

}  // namespace
}  // namespace hermesctl::hermes
