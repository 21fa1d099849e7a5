// What pod and twin reached, as rows: could not tell is never a pass.
#include "hermesctl/hermes/live_proof.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

ReachTarget target(const std::string& row, Listener listener = Listener::perhaps) {
    return {.row = row, .by = "tcp", .host = "192.168.1.7", .port = 80, .listener = listener};
}

/// The row's verdict when the pod and (if it is there) the twin saw this.
Check judged(const ReachTarget& one, const std::string& pod, const std::string& twin, bool quick = false) {
    const std::string name = one.name();
    Twin beside{.why_not = twin.empty() ? "no twin could be made" : "", .left_out = quick};
    if (!twin.empty()) beside.reached = Reached{{name, twin}};
    for (const Check& check : judge_reach({one}, Reached{{name, pod}}, {}, beside)) {
        if (check.id == one.row) return check;
    }
    throw std::out_of_range(one.row);
}

TEST(JudgeReach, OnlyTwinReachesAndPodDoesNotIsAPass) {
    struct Case {
        std::string pod;
        std::string twin;
        Listener listener;
        Verdict verdict;
    };
    for (const Case& one : std::vector<Case>{{"refused", "open", Listener::sure, Verdict::pass},
                                             {"silent", "open", Listener::perhaps, Verdict::pass},
                                             {"unresolved", "open", Listener::asked, Verdict::inconclusive},
                                             {"open", "open", Listener::sure, Verdict::fail},
                                             {"open", "silent", Listener::perhaps, Verdict::fail},
                                             {"refused", "refused", Listener::sure, Verdict::inconclusive},
                                             {"silent", "silent", Listener::asked, Verdict::inconclusive},
                                             {"silent", "silent", Listener::perhaps, Verdict::not_applicable},
                                             {"denied", "silent", Listener::perhaps, Verdict::pass},
                                             // Without a twin:
                                             {"refused", "", Listener::sure, Verdict::pass},
                                             {"refused", "", Listener::asked, Verdict::inconclusive},
                                             {"refused", "", Listener::perhaps, Verdict::inconclusive},
                                             {"open", "", Listener::perhaps, Verdict::fail}}) {
        const Check check = judged(target("live-lan", one.listener), one.pod, one.twin);
        EXPECT_EQ(check.verdict, one.verdict) << one.pod << " / " << one.twin << ": " << check.evidence;
        EXPECT_THAT(check.evidence, HasSubstr("TCP 192.168.1.7:80"));
    }
}

TEST(JudgeReach, TheHintNamesWhatWouldTell) {
    const ReachTarget lan = target("live-lan", Listener::asked);
    const ReachTarget api = target("live-api", Listener::sure);
    EXPECT_THAT(judged(lan, "refused", "refused").hint, HasSubstr("--lan-target"));
    EXPECT_THAT(judged(lan, "refused", "").hint, AllOf(HasSubstr("rights on jobs"), Not(HasSubstr("--lan"))))
        << "another listener could not be told of either";
    EXPECT_THAT(judged(target("live-nodes"), "silent", "").hint, HasSubstr("rights on jobs"));
    EXPECT_THAT(judged(lan, "refused", "", true).hint, HasSubstr("the same --lan-target"));
    EXPECT_THAT(judged(api, "refused", "refused").hint, Not(HasSubstr("--lan-target")))
        << "it names nothing that counts for this row";
    ReachTarget lifeline = target("live-telegram");
    lifeline.lifeline = true;
    EXPECT_THAT(judged(lifeline, "silent", "open").hint, HasSubstr("networkpolicies"));
    EXPECT_THAT(judged(lifeline, "silent", "silent").hint, Not(HasSubstr("networkpolicies")));
}

TEST(JudgeReach, ATwinThatIsCagedItselfIsNoComparison) {
    struct Case {
        std::string twin;
        Listener listener;
        Verdict verdict;
    };
    for (const Case& one : std::vector<Case>{{"silent", Listener::perhaps, Verdict::inconclusive},
                                             {"refused", Listener::asked, Verdict::inconclusive},
                                             {"refused", Listener::sure, Verdict::pass},  // as without a twin
                                             {"open", Listener::asked, Verdict::pass}}) {
        const ReachTarget lan = target("live-lan", one.listener);
        const Twin twin{.reached = Reached{{lan.name(), one.twin}},
                        .cage = {"networkpolicy/second selects the twin too", "leave it out"}};
        for (const Check& check : judge_reach({lan}, Reached{{lan.name(), "refused"}}, {}, twin)) {
            if (check.id != "live-lan") continue;
            EXPECT_EQ(check.verdict, one.verdict) << one.twin << ": " << check.evidence;
            if (check.verdict == Verdict::pass) continue;
            EXPECT_THAT(check.evidence, HasSubstr("networkpolicy/second selects the twin too"));
            EXPECT_EQ(check.hint, "leave it out");
        }
    }
}

TEST(TwinCage, IsWhateverPolicySelectsItForEgress) {
    const auto policy = [](const char* name, const char* spec) {
        return Json{{"metadata", {{"name", name}, {"namespace", "hermes"}}},
                    {"spec", kube::parse_yaml(spec, "policy").at(0)}};
    };
    const Json twin{
        {"metadata", {{"namespace", "hermes"}, {"labels", {{"app.kubernetes.io/instance", "hermes"}}}}}};
    const Json own = policy("own", "{podSelector: {matchLabels: {app: hermes}}, policyTypes: [Egress]}");
    const Json all = policy("all", "{podSelector: {}, policyTypes: [Egress]}");
    const Json ingress = policy("ingress", "{podSelector: {}, policyTypes: [Ingress]}");
    const Json ours = policy("ours",
                             "{podSelector: {matchLabels: {app.kubernetes.io/instance: hermes}}, "
                             "policyTypes: [Egress], egress: [{}]}");
    const auto cage = [&](const std::vector<Json>& policies) {
        return twin_cage({.object = Json{{"items", policies}}}, twin);
    };
    EXPECT_EQ(cage({own, ingress}).why, "");
    EXPECT_EQ(cage({own, all}).why, "networkpolicy/all selects the twin too");
    EXPECT_THAT(cage({own, all}).hint, HasSubstr("app.kubernetes.io/component=twin"));
    EXPECT_EQ(cage({all, ours}).why, "networkpolicy/all and networkpolicy/ours select the twin too");
    kube::Outcome refused;
    refused.error.emplace(net::Response{.status = 403}, "listing networkpolicies");
    EXPECT_THAT(twin_cage(refused, twin).why, HasSubstr("is not known"));
    EXPECT_THAT(twin_cage(refused, twin).hint, HasSubstr("list networkpolicies"));
}

TEST(JudgeReach, OneClosedTargetDoesNotSpeakForAnother) {
    ReachTarget other = target("live-lan", Listener::asked);
    other.host = "192.168.1.8";
    const std::vector<ReachTarget> both{target("live-lan", Listener::asked), other};
    const Reached pod{{both[0].name(), "refused"}, {both[1].name(), "silent"}};
    const Twin twin{.reached = Reached{{both[0].name(), "open"}, {both[1].name(), "silent"}}};
    for (const Check& check : judge_reach(both, pod, {}, twin)) {
        if (check.id != "live-lan") continue;
        EXPECT_EQ(check.verdict, Verdict::inconclusive);
        EXPECT_THAT(check.evidence, HasSubstr("192.168.1.8"));
    }
}

TEST(JudgeReach, ALifelineThatIsCutIsAFailure) {
    ReachTarget lifeline = target("live-telegram");
    lifeline.lifeline = true;
    EXPECT_EQ(judged(lifeline, "open", "open").verdict, Verdict::pass);
    EXPECT_EQ(judged(lifeline, "silent", "open").verdict, Verdict::fail);
    EXPECT_THAT(judged(lifeline, "silent", "silent").evidence, HasSubstr("for the twin too"));
    EXPECT_EQ(judged(lifeline, "unresolved", "").verdict, Verdict::fail);
    // The quick look has no time to tell slow from cut.
    EXPECT_EQ(judged(lifeline, "refused", "", true).verdict, Verdict::fail);
    for (const char* slow : {"silent", "unresolved"}) {
        const Check check = judged(lifeline, slow, "", true);
        EXPECT_EQ(check.verdict, Verdict::inconclusive) << slow;
        EXPECT_EQ(check.hint, "hermesctl verify");
    }
}

TEST(JudgeReach, InAQuickLookWhatWasNamedIsOpenOrNotKnown) {
    const ReachTarget lan = target("live-lan", Listener::asked);
    EXPECT_EQ(judged(lan, "open", "", true).verdict, Verdict::fail);
    for (const char* seen : {"refused", "silent", "unresolved"}) {
        const Check check = judged(lan, seen, "", true);
        EXPECT_EQ(check.verdict, Verdict::inconclusive) << seen;
        EXPECT_THAT(check.evidence, HasSubstr(seen));
        EXPECT_THAT(check.hint, HasSubstr("the same --lan-target"));
    }
}

TEST(JudgeReach, WithoutTheAgentNothingIsKnown) {
    for (const Check& check :
         judge_reach({target("live-api", Listener::sure)}, std::nullopt, {"no agent runs"}, {})) {
        EXPECT_EQ(check.verdict, check.id == "live-api" ? Verdict::inconclusive : Verdict::not_applicable)
            << check.id;
    }
}

/// That there is none may be said only where the Services could be read.
TEST(JudgeReach, WhatServicesWouldNameIsNotKnownWithoutThem) {
    const Reached none;
    for (const Check& check :
         judge_reach({}, none, {}, {.reached = none}, {.unlisted = "services is forbidden"})) {
        const bool named =
            check.id == "live-api" || check.id == "live-nodeports" || check.id == "live-dns-ports";
        EXPECT_EQ(check.verdict, named ? Verdict::inconclusive : Verdict::not_applicable) << check.id;
        if (!named) continue;
        EXPECT_THAT(check.evidence, HasSubstr("services is forbidden"));
        EXPECT_THAT(check.hint, HasSubstr("list services"));
    }
}

/// What a pod reaches of its own node may be the network's way; of anything else it is nobody's.
TEST(JudgeReach, OnlyThePodsOwnNodeIsExcused) {
    const auto api = [](const char* address) {
        return kube::parse_yaml(
            fmt::format("{{endpoints: [{{addresses: [{}]}}], ports: [{{port: 6443}}]}}", address), "slice");
    };
    Surroundings around{
        .services = kube::parse_yaml("{kind: Service, metadata: {name: kubernetes, namespace: default}, "
                                     "spec: {clusterIP: 10.43.0.1}}",
                                     "service"),
        .nodes = kube::parse_yaml(
            "status: {addresses: [{type: InternalIP, address: 192.168.1.10}, {type: ExternalIP, address: "
            "203.0.113.9}]}\n---\nstatus: {addresses: [{type: InternalIP, address: 192.168.1.11}]}",
            "nodes"),
        .api_slices = api("203.0.113.9"),
        .host_ip = "192.168.1.10"};
    const auto is_excused = [&](const char* row, const char* host) {
        const ReachTarget one{.row = row, .by = "tcp", .host = host, .port = 1};
        for (const Check& check : judge_reach({one}, Reached{{one.name(), "open"}}, {}, {}, around)) {
            if (check.id == row) return check.evidence.find("its own node") != std::string::npos;
        }
        return false;
    };
    EXPECT_TRUE(is_excused("live-kubelet", "192.168.1.10"));
    EXPECT_FALSE(is_excused("live-kubelet", "192.168.1.11"));
    EXPECT_TRUE(is_excused("live-nodes", "203.0.113.9"));
    EXPECT_TRUE(is_excused("live-nodeports", "192.168.1.10"));
    EXPECT_FALSE(is_excused("live-lan", "192.168.1.206"));
    EXPECT_TRUE(is_excused("live-api", "10.43.0.1")) << "what is behind it answers";
    EXPECT_TRUE(is_excused("live-api", "203.0.113.9"));
    around.api_slices = api("192.168.1.11");
    EXPECT_FALSE(is_excused("live-api", "10.43.0.1"));
    EXPECT_FALSE(is_excused("live-api", "192.168.1.11"));
}

TEST(JudgeReach, WhatWasNotTriedIsNotKnown) {
    const Check check = [] {
        const ReachTarget one = target("live-api", Listener::sure);
        for (const Check& row : judge_reach({one}, Reached{}, {}, {})) {
            if (row.id == "live-api") return row;
        }
        return Check{};
    }();
    EXPECT_EQ(check.verdict, Verdict::inconclusive);
    EXPECT_THAT(check.evidence, HasSubstr("was not tried"));
}

TEST(ParseReached, TakesOnlyWhatWasAskedForInItsWords) {
    const std::vector<ReachTarget> asked{target("live-lan")};
    const auto reached = parse_reached(
        R"({"gateway":[],"reached":{"TCP 192.168.1.7:80":"refused","TCP 1.2.3.4:5":"open"}})", asked);
    ASSERT_TRUE(reached);
    EXPECT_EQ(*reached, (Reached{{"TCP 192.168.1.7:80", "refused"}}));
    EXPECT_TRUE(parse_reached(R"({"reached":{"TCP 192.168.1.7:80":"fine \u001b[2J"}})", asked)->empty());
    EXPECT_FALSE(parse_reached("Traceback", asked));
}

std::vector<std::string> names_of_targets(const std::vector<ReachTarget>& targets, const std::string& row) {
    std::vector<std::string> names;
    for (const ReachTarget& one : targets) {
        if (one.row == row) names.push_back(one.name());
    }
    return names;
}

TEST(ReachTargets, AreWhatTheClusterHas) {
    const auto services = kube::parse_yaml(R"(
kind: Service
metadata: {name: kubernetes, namespace: default}
spec: {clusterIP: 10.43.0.1, ports: [{port: 443}]}
---
kind: Service
metadata: {name: web, namespace: home}
spec: {clusterIP: 10.43.0.7, ports: [{port: 80, nodePort: 30080}, {port: 81}]}
)",
                                           "services");
    const auto nodes = kube::parse_yaml(
        "status: {addresses: [{type: InternalIP, address: 192.168.1.10}, {type: Hostname, address: n}]}",
        "nodes");
    const auto slices =
        kube::parse_yaml("{endpoints: [{addresses: [192.168.1.10]}], ports: [{port: 6443}]}", "slices");
    const auto targets = reach_targets({.services = services,
                                        .nodes = nodes,
                                        .api_slices = slices,
                                        .host_ip = "192.168.1.10",
                                        .provider = "minimax",
                                        .lan = {"192.168.1.206:30002", "[fd00::1]:80"},
                                        .witnesses = {{"10.43.0.10", 9153, 9153, {}, ""}}});
    EXPECT_TRUE(targets.front().lifeline) << "reach.py leaves the last ones of very many out";
    EXPECT_THAT(names_of_targets(reach_targets({.host_ip = "192.168.1.10"}), "live-nodes"),
                ::testing::ElementsAre("TCP 192.168.1.10:22"))
        << "nodes may not be listed";
    EXPECT_THAT(names_of_targets(targets, "live-api"),
                IsSupersetOf({"TCP 10.43.0.1:443", "TCP 192.168.1.10:6443"}));
    EXPECT_THAT(names_of_targets(targets, "live-kubelet"), ::testing::ElementsAre("TCP 192.168.1.10:10250"));
    EXPECT_THAT(names_of_targets(targets, "live-nodeports"),
                ::testing::ElementsAre("TCP 192.168.1.10:30080"));
    EXPECT_THAT(names_of_targets(targets, "live-dns-ports"), ::testing::ElementsAre("TCP 10.43.0.10:9153"));
    EXPECT_THAT(names_of_targets(targets, "live-lan"),
                IsSupersetOf({"TCP 192.168.1.206:30002", "TCP [fd00::1]:80"}));
    EXPECT_THAT(names_of_targets(targets, "live-provider"), Contains("TCP api.minimax.io:443"));
    EXPECT_THAT(names_of_targets(targets, "live-ipv6"), Not(::testing::IsEmpty()));
    EXPECT_TRUE(names_of_targets(reach_targets({.ipv6_wanted = true}), "live-ipv6").empty());
    EXPECT_THAT(names_of_targets(reach_targets({.allow = {"169.254.0.0/16:80"}, .dns = {"1.1.1.1"}}),
                                 "live-resolvers"),
                ::testing::ElementsAre("TCP 1.1.1.1:853"));
    EXPECT_TRUE(names_of_targets(reach_targets({.allow = {"169.254.0.0/16:80"}}), "live-metadata").empty());
}

TEST(TwinJob, IsTheSameImageOnTheSameNodeOutsideTheCage) {
    const Json pod = kube::parse_yaml(R"(
metadata: {labels: {app: hermes, pod-template-hash: "1"}}
spec: {nodeName: n1, imagePullSecrets: [{name: hub}]}
status: {containerStatuses: [{name: hermes, image: "docker.io/a/b:1", imageID: "docker.io/a/b@sha256:1"}]}
)",
                                      "pod")
                         .at(0);
    const Json job = twin_job({.ns = "hermes", .name = "hermes"}, pod);
    EXPECT_TRUE(text_at(job, "/metadata/name").starts_with("hermes-twin-"));
    EXPECT_EQ(text_at(job, "/metadata/namespace"), "hermes");
    const Json& spec = at(job, "/spec/template/spec");
    EXPECT_EQ(text_at(spec, "/nodeName"), "n1");
    EXPECT_EQ(text_at(spec, "/containers/0/image"), "docker.io/a/b@sha256:1");
    EXPECT_EQ(text_at(spec, "/imagePullSecrets/0/name"), "hub");
    EXPECT_FALSE(at(job, "/spec/template/metadata/labels").contains("app"));
    EXPECT_EQ(at(job, "/spec/ttlSecondsAfterFinished"), 0);
    EXPECT_EQ(at(job, "/spec/activeDeadlineSeconds"), 60);
    EXPECT_EQ(at(spec, "/automountServiceAccountToken"), false);
    EXPECT_EQ(at(spec, "/containers/0/securityContext/runAsUser"), 65534);
}

}  // namespace
}  // namespace hermesctl::hermes
