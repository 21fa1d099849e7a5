#include "hermesctl/hermes/diagnosis.hpp"

#include "hermesctl/kube/yaml.hpp"

#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;

Json yaml(std::string_view text) {
    return kube::parse_yaml(text, "test").at(0);
}

/// A Deployment at revision 2 with its ReplicaSet, an older one, and a running pod of each.
Snapshot healthy() {
    Snapshot now;
    now.deployment = yaml(R"(
metadata: {name: hermes, namespace: hermes, uid: d, generation: 2, annotations: {deployment.kubernetes.io/revision: "2"}}
spec: {replicas: 1}
status: {observedGeneration: 2, updatedReplicas: 1}
)");
    for (const char* number : {"1", "2"}) {
        const std::string n = number;
        now.replica_sets["rs" + n] = yaml("metadata: {name: rs" + n + ", uid: rs" + n +
                                          ", annotations: {deployment.kubernetes.io/revision: \"" + n +
                                          "\"}, ownerReferences: [{uid: d}]}");
        now.pods["pod" + n] =
            yaml("metadata: {name: pod" + n + ", uid: p" + n + ", creationTimestamp: \"2026-01-0" + n +
                 "T00:00:00Z\", ownerReferences: [{uid: rs" + n +
                 "}]}\nspec: {nodeName: hz}\nstatus: {phase: Running, containerStatuses: [{name: hermes, "
                 "image: i, started: true, state: {running: {}}}], conditions: [{type: Ready, status: "
                 "\"True\"}]}");
    }
    now.agent = AgentFacts{
        .pod = "pod2", .ready = true, .alive = true, .gateway = "running", .telegram = "connected"};
    return now;
}

Snapshot waiting(const std::string& reason, const std::string& message) {
    Snapshot now = healthy();
    now.agent.reset();
    now.pods["pod2"]["status"]["containerStatuses"][0]["state"] = {
        {"waiting", {{"reason", reason}, {"message", message}}}};
    return now;
}

Trouble trouble_of(const Snapshot& now) {
    const Assessment result = assess(now);
    EXPECT_FALSE(result.answering);
    return result.trouble.value_or(Trouble{});
}

TEST(Diagnosis, TheNewestRevisionsPodCounts) {
    EXPECT_EQ(assess(healthy()).pod, "pod2");
    EXPECT_TRUE(assess(healthy()).answering);
}

TEST(Diagnosis, AnOldOrTerminatingPodNeverCounts) {
    Snapshot now = healthy();
    now.pods.erase("pod2");
    EXPECT_FALSE(assess(now).answering);
    EXPECT_EQ(assess(now).pod, "");
    now = healthy();
    now.pods["pod2"]["metadata"]["deletionTimestamp"] = "2026-01-03T00:00:00Z";
    EXPECT_FALSE(assess(now).answering);
    EXPECT_EQ(assess(now).rows.at(0).detail, "the old pod is stopping");
}

TEST(Diagnosis, BeforeTheControllerHasSeenTheChangeNothingCounts) {
    Snapshot now = healthy();
    now.deployment["metadata"]["generation"] = 3;
    EXPECT_FALSE(assess(now).answering);
}

TEST(Diagnosis, BeforeTheNewTemplateHasAPodTheOldOneDoesNotCount) {
    Snapshot now = healthy();  // Recreate: seen and scaled down, but not yet terminating, nor a new revision
    now.deployment["status"].erase("updatedReplicas");
    EXPECT_FALSE(assess(now).answering);
    EXPECT_EQ(assess(now).pod, "");
    EXPECT_FALSE(assess(now).trouble);
}

TEST(Diagnosis, APausedDeploymentWithAnotherTemplateIsNamed) {
    Snapshot now = healthy();
    now.deployment["spec"]["paused"] = true;
    EXPECT_TRUE(assess(now).answering) << "nothing is held back";
    now.deployment["status"].erase("updatedReplicas");
    auto template_of = [](const char* image) {
        return Json{{"metadata", {{"labels", {{"app", "hermes"}}}}},
                    {"spec", {{"containers", {{{"image", image}}}}}}};
    };
    now.deployment["spec"]["template"] = template_of("new");
    now.replica_sets["rs2"]["spec"]["template"] = template_of("old");
    now.replica_sets["rs2"]["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] = "abc";
    EXPECT_EQ(trouble_of(now).kind, "paused");
    EXPECT_EQ(trouble_of(now).patience, Patience::none);
    now.replica_sets["rs2"]["spec"]["template"]["spec"] = now.deployment["spec"]["template"]["spec"];
    EXPECT_FALSE(assess(now).trouble) << "a paused one still scales what it has";
}

TEST(Diagnosis, WhatAnotherPodSaidDoesNotCount) {
    Snapshot now = healthy();
    now.agent->pod = "pod1";
    EXPECT_FALSE(assess(now).answering);
    EXPECT_EQ(assess(now).rows.at(1).detail, "asking it");
}

TEST(Diagnosis, AStalledRolloutIsNamedThoughThePodIsThere) {
    Snapshot now = waiting("ContainerCreating", "");
    now.deployment["status"]["conditions"] = {{{"type", "Progressing"},
                                               {"status", "False"},
                                               {"reason", "ProgressDeadlineExceeded"},
                                               {"message", "has timed out progressing"}}};
    EXPECT_EQ(trouble_of(now).kind, "deadline");
    EXPECT_EQ(trouble_of(now).hint, "kubectl -n hermes describe deployment/hermes");
}

TEST(Diagnosis, RunningWithoutTelegramIsNotAnswering) {
    Snapshot now = healthy();
    now.agent->ready = false;
    now.agent->telegram = "";
    EXPECT_FALSE(assess(now).answering);
    now.agent.reset();
    EXPECT_FALSE(assess(now).answering);
}

TEST(Diagnosis, WithoutExecThePodsOwnReadyDecides) {
    Snapshot now = healthy();
    now.agent.reset();
    now.exec_denied = true;
    EXPECT_TRUE(assess(now).answering);
    now.pods["pod2"]["status"]["conditions"][0]["status"] = "False";
    EXPECT_FALSE(assess(now).answering);
    EXPECT_EQ(assess(now).rows.back().subject, "gateway") << "in the place of what was asked before";
    EXPECT_THAT(assess(now).rows.back().detail, ::testing::HasSubstr("Ready decides: it is not ready yet"));
}

TEST(Diagnosis, RejectedTokenEndsTheWaitAtOnce) {
    Snapshot now = healthy();
    now.agent = AgentFacts{.pod = "pod2",
                           .alive = true,
                           .gateway = "running",
                           .telegram = "retrying",
                           .code = "telegram_connect_error",
                           .message = "Telegram startup failed: The token `***` was rejected by the server."};
    EXPECT_EQ(trouble_of(now).kind, "token");
    EXPECT_EQ(trouble_of(now).patience, Patience::none);
}

TEST(Diagnosis, ConflictAfterARollIsGivenTime) {
    Snapshot now = healthy();
    now.agent = AgentFacts{.pod = "pod2",
                           .alive = true,
                           .gateway = "running",
                           .telegram = "retrying",
                           .code = {},
                           .message = "Conflict: terminated by other getUpdates request"};
    EXPECT_EQ(trouble_of(now).patience, Patience::minute);
    now.agent->telegram = "fatal";
    now.agent->code = "telegram_polling_conflict";
    EXPECT_EQ(trouble_of(now).patience, Patience::minute);
    now.agent->code = "telegram_network_error";
    EXPECT_EQ(trouble_of(now).patience, Patience::none);
}

TEST(Diagnosis, DeadGatewayInALivingContainer) {
    Snapshot now = healthy();
    now.agent = AgentFacts{.pod = "pod2", .alive = false, .gateway = "stopped"};
    EXPECT_EQ(trouble_of(now).kind, "gateway");
    now.agent->gateway = "startup_failed";
    EXPECT_EQ(trouble_of(now).patience, Patience::none);
}

TEST(Diagnosis, AFullVolumeIsNamedBeforeWhatComesOfIt) {
    Snapshot now = healthy();
    for (const bool alive : {true, false}) {
        now.agent = AgentFacts{.pod = "pod2", .alive = alive, .gateway = "starting", .free = 512};
        EXPECT_EQ(trouble_of(now).kind, "disk");
        EXPECT_EQ(trouble_of(now).cause, "its volume is full: 512 bytes are free on /opt/data");
        EXPECT_EQ(trouble_of(now).patience, Patience::minute) << "somebody may free some";
        EXPECT_EQ(assess(now).rows.at(1).detail, trouble_of(now).cause);
    }
    now.agent->free = enough_room;
    EXPECT_NE(trouble_of(now).kind, "disk");
    now.agent->inodes = 0;
    EXPECT_EQ(trouble_of(now).cause, "its volume is full: no inode is free on /opt/data");
}

TEST(Diagnosis, AFolderOnANodesDiskIsNotSaidToBeEnlarged) {
    Snapshot now = healthy();
    now.agent = AgentFacts{.pod = "pod2", .alive = true, .gateway = "starting", .free = 512};
    EXPECT_NE(trouble_of(now).hint.find("--storage-size SIZE"), std::string::npos);
    for (const char* provisioner :
         {"rancher.io/local-path", "docker.io/hostpath", "k8s.io/minikube-hostpath"}) {
        now.claim = {
            {"metadata", {{"annotations", {{"volume.kubernetes.io/storage-provisioner", provisioner}}}}}};
        EXPECT_EQ(
            trouble_of(now).hint,
            "hermesctl exec -- du -xhd2 /opt/data shows what fills it; it is a folder on its node's disk, "
            "which no --storage-size enlarges");
    }
    now.claim["metadata"]["annotations"]["volume.kubernetes.io/storage-provisioner"] = "csi.hetzner.cloud";
    EXPECT_NE(trouble_of(now).hint.find("hermesctl deploy --storage-size SIZE"), std::string::npos);
}

TEST(Diagnosis, WhatAnswersOnAFullVolumeAnswers) {
    Snapshot now = healthy();
    now.agent->free = 0;
    EXPECT_TRUE(assess(now).answering);
    EXPECT_FALSE(assess(now).trouble);
    EXPECT_TRUE(disk_trouble(*now.agent, "pod/pod2", now.claim));
}

TEST(Diagnosis, AGatewayThatStartsOverAndOverEndsTheWait) {
    Snapshot now = healthy();
    now.gateway_starts = 3;
    now.agent = AgentFacts{.pod = "pod2", .alive = true, .gateway = "starting"};
    EXPECT_FALSE(assess(now).trouble) << "one that its own settings restart";
    now.gateway_starts = 4;
    EXPECT_EQ(trouble_of(now).kind, "crash");
    EXPECT_EQ(trouble_of(now).patience, Patience::none);
    now.agent = AgentFacts{.pod = "pod2", .exit_reason = "no module named x"};
    EXPECT_EQ(trouble_of(now).cause,
              "its gateway does not stay up: it has started 4 times by now: no module named x");
    now.agent->free = 0;
    EXPECT_EQ(trouble_of(now).kind, "disk") << "which is why";
    EXPECT_TRUE(assess(healthy()).answering);
}

TEST(Diagnosis, AnImageThatStillPreparesItselfHasNoGatewayYet) {
    Snapshot now = healthy();
    now.agent = AgentFacts{.pod = "pod2", .alive = false};
    now.pods["pod2"]["status"]["containerStatuses"][0]["started"] = false;
    EXPECT_FALSE(assess(now).trouble) << "the startup probe gives it 15 minutes";
    EXPECT_FALSE(assess(now).answering);
    now.pods["pod2"]["status"]["containerStatuses"][0]["started"] = true;
    EXPECT_EQ(trouble_of(now).kind, "gateway");
}

TEST(Diagnosis, AGatewayWithoutTelegramIsNamed) {
    Snapshot now = healthy();
    now.agent->ready = false;
    for (const char* telegram : {"", "disconnected"}) {
        now.agent->telegram = telegram;
        EXPECT_EQ(trouble_of(now).kind, "telegram") << telegram;
        EXPECT_EQ(trouble_of(now).patience, Patience::minute);
        EXPECT_EQ(trouble_of(now).hint, "hermesctl logs");
    }
    now.agent->telegram = "connecting";
    EXPECT_FALSE(assess(now).trouble) << "its first poll takes up to a minute";
    now.agent->telegram = "";
    now.agent->gateway = "starting";
    EXPECT_FALSE(assess(now).trouble);
    now.agent->gateway = "degraded";
    EXPECT_NE(trouble_of(now).cause.find("degraded"), std::string::npos);
    EXPECT_EQ(trouble_of(now).patience, Patience::minute);
}

TEST(Diagnosis, AMissingTokenIsNamedAtOnceWithItsSecret) {
    Snapshot now = healthy();
    now.agent = AgentFacts{.pod = "pod2", .alive = true, .gateway = "running", .tokenless = true};
    now.pods["pod2"]["spec"]["containers"] = yaml(
        "- {name: other, envFrom: [{secretRef: {name: x}}]}\n"
        "- {name: hermes, envFrom: [{configMapRef: {name: y}}, {secretRef: {name: hermes-secrets}}]}");
    EXPECT_EQ(trouble_of(now).cause, "there is no TELEGRAM_BOT_TOKEN in secret/hermes-secrets");
    EXPECT_EQ(trouble_of(now).hint, "hermesctl rotate-secret TELEGRAM_BOT_TOKEN");
    EXPECT_EQ(trouble_of(now).patience, Patience::none);
    now.agent->gateway = "starting";
    EXPECT_FALSE(assess(now).trouble) << "it may get one from elsewhere";
}

TEST(Diagnosis, Images) {
    EXPECT_EQ(trouble_of(waiting("ErrImagePull", "rpc error: docker.io/x:y: not found")).cause,
              "image i does not exist in its registry");
    EXPECT_EQ(
        trouble_of(waiting("ImagePullBackOff", "Back-off: 429 Too Many Requests toomanyrequests")).cause,
        "the registry's pull limit is reached (429) for image i");
    EXPECT_EQ(trouble_of(waiting("ErrImagePull", "x")).patience, Patience::minute);
    EXPECT_EQ(trouble_of(waiting("InvalidImageName", "")).patience, Patience::none);
    EXPECT_EQ(trouble_of(waiting("ErrImagePull", "no match for platform in manifest")).kind, "platform");
    EXPECT_EQ(trouble_of(waiting("RunContainerError", "exec /init: exec format error")).patience,
              Patience::none);
}

TEST(Diagnosis, TheNameOfAnImageIsNoCauseOfItsPull) {
    const auto cause = [](const std::string& image, const std::string& said) {
        Snapshot now = waiting("ErrImagePull", said);
        now.pods["pod2"]["status"]["containerStatuses"][0]["image"] = image;
        return trouble_of(now).cause;
    };
    for (const char* image :
         {"ghcr.io/x/agent:v1.401", "denied:429", "r.example/unauthorized@sha256:4290401"}) {
        const std::string name = image;
        EXPECT_EQ(
            cause(name, "failed to pull and unpack image \"docker.io/library/" + name +
                            "\": failed to resolve reference \"" + name + "\": " + name + ": not found"),
            "image " + name + " does not exist in its registry");
        EXPECT_EQ(cause(name,
                        "failed to do request: Head \"https://r.example/v2/manifests/v1.401\": dial tcp "
                        "192.0.2.1:44429: i/o timeout"),
                  "image " + name + " cannot be pulled: i/o timeout");
        EXPECT_EQ(cause(name, "unexpected status from HEAD request to https://r.example/v2/" + name +
                                  ": 429 Too Many Requests"),
                  "the registry's pull limit is reached (429) for image " + name);
    }
    for (const char* said :
         {"unexpected status from HEAD request to https://r.example/v2/x: 401 Unauthorized",
          "unexpected status from GET request to https://r.example/token: 403 Forbidden",
          "pull access denied, repository does not exist or may require authorization"}) {
        EXPECT_EQ(cause("a/b:c", said),
                  "the registry refuses image a/b:c (no permission, or no such repository)");
    }
}

TEST(Diagnosis, CrashesEndAtTheThirdRestart) {
    Snapshot now = waiting("CrashLoopBackOff", "back-off");
    Json& status = now.pods["pod2"]["status"]["containerStatuses"][0];
    status["lastState"] = {{"terminated", {{"exitCode", 137}, {"reason", "OOMKilled"}}}};
    status["restartCount"] = 2;
    EXPECT_EQ(trouble_of(now).patience, Patience::minute);
    status["restartCount"] = 3;
    EXPECT_EQ(trouble_of(now).patience, Patience::none);
    EXPECT_NE(trouble_of(now).cause.find("OOMKilled"), std::string::npos);
    EXPECT_EQ(trouble_of(now).kind, "container") << "which no value of the Secret makes";
    status["lastState"]["terminated"]["reason"] = "Error";
    EXPECT_EQ(trouble_of(now).kind, "crash");
}

TEST(Diagnosis, AHardenedPodWhoseImageNeedsRootEndsTheWaitAtOnce) {
    Snapshot now = waiting("CrashLoopBackOff", "back-off");
    Json& pod = now.pods["pod2"];
    Json& status = pod["status"]["containerStatuses"][0];
    status["lastState"] = {{"terminated", {{"exitCode", 100}}}};
    status["restartCount"] = 1;
    EXPECT_EQ(trouble_of(now).patience, Patience::minute);
    pod["spec"]["containers"] = yaml(
        "[{name: hermes, securityContext: {runAsNonRoot: true, runAsUser: 10000, "
        "readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}}]");
    EXPECT_EQ(trouble_of(now).patience, Patience::none);
    EXPECT_NE(trouble_of(now).cause.find("does not start without root"), std::string::npos);
    EXPECT_NE(trouble_of(now).hint.find("--no-hardened"), std::string::npos);
}

/// The gate as a kubelet shows it: still open, started again, then closed.
TEST(Diagnosis, AGateThatStaysOpenEndsTheWait) {
    Snapshot now = waiting("PodInitializing", "");
    Json& statuses = now.pods["pod2"]["status"]["initContainerStatuses"];
    statuses = yaml("[{name: gate, state: {running: {}}}]");
    EXPECT_FALSE(assess(now).trouble);
    EXPECT_NE(assess(now).rows.back().detail.find("gate waits"), std::string::npos);
    const Json ended{{"terminated", {{"exitCode", 3}, {"message", "10.43.0.10:9153"}}}};
    statuses[0]["state"] = ended;
    EXPECT_EQ(trouble_of(now).patience, Patience::none);
    EXPECT_NE(trouble_of(now).cause.find("10.43.0.10:9153 is open"), std::string::npos);
    statuses[0]["state"] = {{"waiting", {{"reason", "CrashLoopBackOff"}}}};
    statuses[0]["lastState"] = ended;
    EXPECT_EQ(trouble_of(now).kind, "gate");
    statuses[0]["state"] = {{"running", Json::object()}};
    EXPECT_FALSE(assess(now).trouble) << "it tries again";
    statuses[0]["state"] = {{"terminated", {{"exitCode", 0}}}};
    EXPECT_FALSE(assess(now).trouble);
    statuses[0]["state"] = {{"terminated", {{"exitCode", 4}, {"message", "no answer"}}}};
    EXPECT_EQ(trouble_of(now).patience, Patience::minute);
}

TEST(Diagnosis, ACrashLoopWithExitCode0HasACauseToo) {
    Snapshot now = waiting("CrashLoopBackOff", "back-off");
    Json& status = now.pods["pod2"]["status"]["containerStatuses"][0];
    status["lastState"] = {{"terminated", {{"exitCode", 0}, {"reason", "Completed"}}}};
    status["restartCount"] = 3;
    EXPECT_EQ(trouble_of(now).kind, "crash");
    EXPECT_NE(trouble_of(now).cause.find("exited with 0 (Completed)"), std::string::npos);
    status["state"] = {{"terminated", {{"exitCode", 0}, {"reason", "Completed"}}}};
    EXPECT_FALSE(assess(now).trouble) << "an init container ends like this";
}

TEST(Diagnosis, HintsAreCommandsThatTellMoreThanStatus) {
    Snapshot now = waiting("CreateContainerConfigError", "secret \"hermes-secrets\" not found");
    now.pods["pod2"]["metadata"]["namespace"] = "work";
    EXPECT_EQ(trouble_of(now).hint, "kubectl -n work describe pod/pod2");
    now.pods["pod2"]["metadata"]["labels"]["app"] = "hermes";
    EXPECT_EQ(trouble_of(now).hint, "hermesctl deploy makes it anew") << "the instance's own";
    now.pods["pod2"]["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] = "ContainerCreating";
    now.events["e"] = {
        {"involvedObject", {{"uid", "p2"}}}, {"reason", "FailedMount"}, {"message", "timed out"}};
    EXPECT_EQ(trouble_of(now).kind, "mount");
    EXPECT_EQ(trouble_of(now).hint, "kubectl -n work describe pod/pod2");
}

TEST(Diagnosis, AnOldPodThatDoesNotEndIsNamed) {
    Snapshot now = healthy();
    now.pods.erase("pod2");
    now.deployment["status"].erase("updatedReplicas");
    now.pods["pod1"]["metadata"]["namespace"] = "hermes";
    now.pods["pod1"]["metadata"]["deletionTimestamp"] = "2026-01-03T00:01:30Z";  // the grace is in it
    now.moment = parse_rfc3339("2026-01-03T00:01:00Z");
    EXPECT_FALSE(assess(now).trouble);
    now.moment = parse_rfc3339("2026-01-03T00:01:35Z");
    EXPECT_FALSE(assess(now).trouble) << "a kill takes its time";
    now.moment = parse_rfc3339("2026-01-03T00:06:40Z");
    EXPECT_EQ(trouble_of(now).subject, "pod/pod1");
    EXPECT_EQ(trouble_of(now).cause,
              "the old pod should have ended 5m10s ago, and its node hz does not say that it has");
    EXPECT_EQ(trouble_of(now).patience, Patience::minute);
    EXPECT_NE(trouble_of(now).hint.find("kubectl describe node hz"), std::string::npos);
    EXPECT_NE(trouble_of(now).hint.find("kubectl -n hermes delete pod/pod1 --force"), std::string::npos);
    now.pods["pod1"]["metadata"]["labels"]["job-name"] = "hermes-gate-a1b2c3";  // hermesctl's own
    EXPECT_FALSE(assess(now).trouble);
    EXPECT_EQ(assess(now).rows.at(0).detail, "being created");
}

TEST(Diagnosis, UnschedulableSaysWhy) {
    Snapshot now = healthy();
    now.agent.reset();
    now.pods["pod2"]["spec"].erase("nodeName");
    now.pods["pod2"]["status"] = {{"conditions",
                                   {{{"type", "PodScheduled"},
                                     {"status", "False"},
                                     {"reason", "Unschedulable"},
                                     {"message", "0/1 nodes are available: 1 Insufficient memory."}}}}};
    EXPECT_EQ(trouble_of(now).kind, "unschedulable");
    EXPECT_NE(trouble_of(now).cause.find("Insufficient memory"), std::string::npos);
    EXPECT_EQ(trouble_of(now).hint.find("kubectl describe nodes"), 0u);
    Json& message = now.pods["pod2"]["status"]["conditions"][0]["message"];
    message = "0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.";
    now.pods["pod2"]["metadata"]["namespace"] = "hermes";
    EXPECT_EQ(trouble_of(now).hint, "kubectl -n hermes describe pod/pod2") << "less memory would not help";
    message = "pod has unbound immediate PersistentVolumeClaims";
    EXPECT_EQ(trouble_of(now).kind, "unschedulable")
        << "a claim that may not be read tells nothing of its class";
    now.claim = yaml("metadata: {name: hermes-data, namespace: hermes, uid: c}\nspec: {}");
    EXPECT_EQ(trouble_of(now).kind, "storage-class");
}

TEST(Diagnosis, AVolumeThatIsNotMadeIsNamedWhileTheSchedulerSaysNothing) {
    Snapshot now = healthy();
    now.agent.reset();
    now.pods["pod2"]["spec"].erase("nodeName");
    now.pods["pod2"]["status"] = {{"phase", "Pending"}};
    now.claim = yaml("metadata: {name: hermes-data, namespace: hermes, uid: c}\nstatus: {phase: Pending}");
    auto event = [&](const std::string& reason, const std::string& message) {
        now.events = {{"e", {{"involvedObject", {{"uid", "c"}}}, {"reason", reason}, {"message", message}}}};
    };
    event("WaitForFirstConsumer", "waiting for first consumer to be created before binding");
    EXPECT_FALSE(assess(now).trouble);
    event("ProvisioningFailed", "no space left on the pool");
    EXPECT_EQ(trouble_of(now).kind, "volume");
    EXPECT_EQ(trouble_of(now).cause, "no space left on the pool");
    event("FailedBinding", "no persistent volumes available for this claim and no storage class is set");
    EXPECT_EQ(trouble_of(now).kind, "storage-class");
    EXPECT_NE(trouble_of(now).hint.find("--storage-class"), std::string::npos);
    now.claim["status"]["phase"] = "Bound";
    EXPECT_FALSE(assess(now).trouble) << "the event is of the past";
}

TEST(Diagnosis, RefusedPods) {
    Snapshot now = healthy();
    now.agent.reset();
    now.pods.erase("pod2");
    auto failing = [&](const std::string& message) {
        now.deployment["status"]["conditions"] = {{{"type", "ReplicaFailure"},
                                                   {"status", "True"},
                                                   {"reason", "FailedCreate"},
                                                   {"message", message}}};
        return trouble_of(now);
    };
    EXPECT_EQ(failing("pods \"x\" is forbidden: exceeded quota: q").patience, Patience::minute);
    EXPECT_EQ(failing("pods \"x\" is forbidden: exceeded quota: q").hint,
              "kubectl -n hermes describe resourcequota,limitrange");
    EXPECT_EQ(failing("pods \"x\" is forbidden: error looking up service account hermes/hermes").hint,
              "kubectl -n hermes get events --field-selector reason=FailedCreate");
    const char* too_soft = "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\"";
    EXPECT_EQ(failing(too_soft).patience, Patience::none);
    EXPECT_EQ(failing(too_soft).hint,
              "hermesctl deploy --hardened, if the image starts without root; else kubectl label --overwrite "
              "namespace hermes pod-security.kubernetes.io/enforce=baseline");
    now.deployment["spec"]["template"]["spec"]["containers"] = yaml(
        "[{name: hermes, securityContext: {runAsNonRoot: true, runAsUser: 10000, "
        "readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}}]");
    EXPECT_EQ(failing(too_soft).hint.find("kubectl get namespace hermes"), 0u) << "it is hardened already";
}

TEST(Diagnosis, PullingIsSeenInTheEvents) {
    Snapshot now = waiting("ContainerCreating", "");
    auto event = [&](const std::string& name, const std::string& reason, const std::string& message) {
        now.events[name] = {{"involvedObject", {{"uid", "p2"}}}, {"reason", reason}, {"message", message}};
    };
    EXPECT_FALSE(assess(now).pulling);
    event("a", "Pulling", "Pulling image \"i\"");
    EXPECT_TRUE(assess(now).pulling);
    event("b", "Pulled", "Successfully pulled image \"i\"");
    EXPECT_FALSE(assess(now).pulling);
}

TEST(Diagnosis, APodsStagesDoNotGoBack) {
    Snapshot now = waiting("PodInitializing", "");
    auto event = [&](const std::string& name, const std::string& reason, const std::string& message) {
        now.events[name] = {{"involvedObject", {{"uid", "p2"}}}, {"reason", reason}, {"message", message}};
    };
    Json& init = now.pods["pod2"]["status"]["initContainerStatuses"];
    init = yaml("[{name: gate, state: {waiting: {}}}, {name: seed-config, state: {waiting: {}}}]");
    const auto stage = [&] { return assess(now).rows.back().detail; };
    EXPECT_EQ(stage(), "its node prepares its volumes and network");
    event("a", "Pulling", "Pulling image \"i\"");
    EXPECT_EQ(stage(), "its image is being pulled");
    event("b", "Pulled", "Successfully pulled image \"i\" in 400ms");
    EXPECT_EQ(stage(), "its containers are starting");
    init[0]["state"] = {{"running", Json::object()}};
    EXPECT_EQ(stage(), "its gate waits until the network policy is in force");
    init[0]["state"] = {{"terminated", {{"exitCode", 0}, {"message", "closed after 0.1 s"}}}};
    for (const char* again : {"c", "d"}) {  // of the same image, for the containers that follow
        event(again, "Pulling", "Pulling image \"i\"");
        EXPECT_EQ(stage(), "the network policy is in force: its agent is starting");
    }
    init[0]["state"]["terminated"]["message"] = "nothing to look at from this node";
    EXPECT_EQ(stage(), "its agent is starting");
    event("e", "Pulling", "Pulling image \"of-a-sidecar\"");
    EXPECT_TRUE(assess(now).pulling);
}

TEST(Diagnosis, StoppedAndMissing) {
    Snapshot now = healthy();
    now.deployment["spec"]["replicas"] = 0;
    EXPECT_EQ(trouble_of(now).kind, "stopped");
    now.deployment = Json();
    EXPECT_EQ(trouble_of(now).kind, "gone");
}

}  // namespace
}  // namespace hermesctl::hermes
