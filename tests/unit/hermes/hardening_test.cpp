// The pod of deploy --hardened, and the trial of an image that may need root.
#include "hermesctl/hermes/hardening.hpp"

#include "hermesctl/hermes/gate.hpp"
#include "hermesctl/hermes/render.hpp"
#include "support/fake_api.hpp"
#include "support/fake_clock.hpp"
#include "support/installation.hpp"
#include "support/recording_reporter.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using kube::at;
using kube::text_at;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Names names{.ns = "hermes", .name = "hermes"};

Json deployment_of(bool hardened, const std::string& image = "example/hermes:1") {
    Values values;
    values.image = image;
    values.pod.hardened = hardened;
    return render(values, {.secrets = {{"A", "hunter2"}}, .salt = "5a17"}).back();
}

Json pod_of(bool hardened) {
    return deployment_of(hardened)["spec"]["template"]["spec"];
}

/// https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
void expect_restricted(const Json& pod) {
    const std::set<std::string> kinds{"configMap", "emptyDir", "persistentVolumeClaim"};
    for (const Json& volume : pod["volumes"]) {
        for (const auto& [key, value] : volume.items())
            EXPECT_TRUE(key == "name" || kinds.contains(key)) << volume.dump();
    }
    EXPECT_EQ(at(pod, "/securityContext/seccompProfile/type"), "RuntimeDefault");
    for (const char* list : {"initContainers", "containers"}) {
        for (const Json& container : pod.value(list, Json::array())) {
            const Json& own = at(container, "/securityContext");
            EXPECT_EQ(at(own, "/runAsNonRoot"), true) << container["name"];
            EXPECT_NE(kube::int_at(own, "/runAsUser"), 0) << container["name"];
            EXPECT_EQ(at(own, "/allowPrivilegeEscalation"), false) << container["name"];
            EXPECT_EQ(at(own, "/capabilities"), R"({"drop": ["ALL"]})"_json) << container["name"];
        }
    }
}

TEST(Hardening, MeetsPodSecurityRestricted) {
    const Json pod = pod_of(true);
    expect_restricted(pod);
    EXPECT_EQ(pod["securityContext"]["runAsUser"], 10000);
    EXPECT_EQ(pod["securityContext"]["fsGroup"], 10000);
    EXPECT_EQ(at(pod, "/containers/0/securityContext/runAsGroup"), 10000);
    EXPECT_EQ(at(pod, "/initContainers/0/securityContext/runAsUser"), 65534) << "the gate";
    EXPECT_EQ(at(pod, "/initContainers/1/securityContext/runAsUser"), 10000) << "it seeds config.yaml";
}

TEST(Hardening, OnlyThreeFoldersCanBeWritten) {
    const Json pod = pod_of(true);
    std::set<std::string> mounts;
    for (const Json& mount : at(pod, "/containers/0/volumeMounts"))
        mounts.insert(mount["mountPath"]);
    EXPECT_EQ(mounts, std::set<std::string>({"/opt/data", "/run", "/tmp"}));
    for (const char* list : {"initContainers", "containers"}) {
        for (const Json& container : pod[list])
            EXPECT_EQ(at(container, "/securityContext/readOnlyRootFilesystem"), true) << container["name"];
    }
    for (const Json& volume : pod["volumes"]) {
        EXPECT_TRUE(!volume.contains("emptyDir") || !text_at(volume, "/emptyDir/sizeLimit").empty())
            << volume;
    }
}

TEST(Hardening, IsKeptByALaterDeployUntilItIsTakenBack) {
    Live live;
    live.objects[names.deployment()] = deployment_of(true);
    Json settings = settings_of(live, names);
    settings["telegram"]["allowedUsers"] = {1};
    EXPECT_TRUE(values_of(settings).pod.hardened);
    EXPECT_FALSE(values_of(merged(settings, R"({"pod": {"hardened": false}})"_json)).pod.hardened);
    EXPECT_TRUE(wants_hardness(deployment_of(true)));
    EXPECT_FALSE(wants_hardness(deployment_of(false)));
}

TEST(Hardening, IsNoticedWhenItIsNotThereAnyMore) {
    EXPECT_EQ(lacking_hardness(pod_of(true)), "");
    EXPECT_THAT(lacking_hardness(pod_of(false)), HasSubstr("may run as root"));
    const auto without = [](const char* change) {
        Json pod = pod_of(true);
        pod["containers"][0]["securityContext"].merge_patch(Json::parse(change));
        return lacking_hardness(pod);
    };
    EXPECT_THAT(without(R"({"runAsUser": 0})"), HasSubstr("container hermes may run as root"));
    EXPECT_THAT(without(R"({"runAsNonRoot": false})"), HasSubstr("root"));
    EXPECT_THAT(without(R"({"readOnlyRootFilesystem": null})"), HasSubstr("may write"));
    EXPECT_THAT(without(R"({"capabilities": {"add": ["CHOWN"]}})"), HasSubstr("capabilities"));
    EXPECT_THAT(without(R"({"capabilities": null})"), HasSubstr("capabilities"));
    EXPECT_EQ(without(R"({"runAsUser": null, "runAsNonRoot": null})"), "") << "the pod's own holds";
}

/// A Job's controller, and a kubelet that shows the trial's container so.
class StartTrial : public ::testing::Test {
  protected:
    StartTrial() { api_.put({{"kind", "Namespace"}, {"metadata", {{"name", "hermes"}}}}); }
    void kubelet(const Json& status) {
        api_.on_write = [this, status](const std::string& type, const Json& object) {
            if (text_at(object, "/kind") != "Job" || type != "ADDED") return;
            job_ = object;
            const std::string name = text_at(object, "/metadata/name");
            pod_ = testing::object_of("Pod", "hermes", name + "-x", at(object, "/spec/template"));
            pod_["metadata"]["labels"]["job-name"] = name;
            pod_["spec"]["nodeName"] = "node";
            pod_["status"] = status;
            api_.put(pod_);
        };
    }
    void ends(int code, const std::string& message) {
        kubelet({{"phase", code == 0 ? "Succeeded" : "Failed"},
                 {"containerStatuses",
                  {{{"name", "start"},
                    {"state", {{"terminated", {{"exitCode", code}, {"message", message}}}}}}}}});
    }
    std::string refusal(const Json& live) {
        try {
            prove_start(client_, names, live, deployment_of(true), reporter_);
        } catch (const Error& error) {
            hint_ = error.hint();
            return error.message();
        }
        return "";
    }
    static Json running() {
        Json live = deployment_of(false);
        live["status"]["replicas"] = 1;  // and not ready: it lives while Telegram is away
        return live;
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
    Json pod_{};
    std::string hint_{};
};

TEST_F(StartTrial, RunsTheImageHardenedWithoutASecretAndLeavesNothing) {
    ends(0, "Hermes Agent v0.19.0");
    EXPECT_EQ(refusal(running()), "");
    expect_restricted(pod_["spec"]);
    EXPECT_EQ(at(pod_, "/spec/containers/0/image"), "example/hermes:1");
    EXPECT_EQ(at(pod_, "/spec/containers/0/args"), Json({"--version"}));
    EXPECT_FALSE(at(pod_, "/spec/containers/0").contains("command")) << "the image's own entry";
    EXPECT_EQ(text_at(pod_, "/metadata/labels/app"), "hermes") << "the policy selects it";
    EXPECT_FALSE(at(pod_, "/metadata/labels").contains("pod-template-hash")) << "no agent's";
    EXPECT_THAT(pod_.dump(), AllOf(Not(HasSubstr("secretRef")), Not(HasSubstr("persistentVolumeClaim"))));
    EXPECT_FALSE(has_jobs());
    EXPECT_EQ(reporter_.events.back().detail, "starts without root");
}

TEST_F(StartTrial, AnImageThatNeedsRootIsRefusedWithWhatItSaid) {
    ends(100, "s6-overlay\npreinit: fatal: /run belongs to uid 0 instead of 10000\n");
    EXPECT_THAT(refusal(running()),
                AllOf(HasSubstr("image example/hermes:1 does not start without root"), HasSubstr("with 100"),
                      HasSubstr("preinit: fatal: /run belongs to uid 0"), Not(HasSubstr("s6-overlay"))));
    EXPECT_THAT(hint_, StartsWith("deploy without --hardened, or choose an image"));
    refusal(deployment_of(true, "example/hermes:0"));
    EXPECT_THAT(hint_, StartsWith("hermesctl deploy --no-hardened, or"))
        << "it is hardened, by another image";
    EXPECT_FALSE(has_jobs());
}

TEST_F(StartTrial, IsNotMadeForWhatRunsSoAlready) {
    EXPECT_EQ(refusal(deployment_of(true)), "");
    EXPECT_TRUE(pod_.is_null());
    prove_start(client_, names, running(), deployment_of(false), reporter_);
    EXPECT_TRUE(pod_.is_null());
    ends(0, "");
    EXPECT_EQ(refusal(deployment_of(true, "example/hermes:0")), "");
    EXPECT_FALSE(pod_.is_null()) << "another image";
}

TEST_F(StartTrial, AnAgentThatRunsIsNotPutAtRisk) {
    EXPECT_THAT(refusal(running()), HasSubstr("its pod did not run")) << "a Job, and no pod comes";
    EXPECT_LT(clock_.elapsed(), std::chrono::seconds(15));
    EXPECT_FALSE(has_jobs());
    api_.deny("create", "jobs");
    EXPECT_THAT(refusal(running()), HasSubstr("could not be tried"));
    EXPECT_THAT(hint_, HasSubstr("hermesctl stop"));
    EXPECT_EQ(refusal(nullptr), "");
    EXPECT_EQ(reporter_.events.back().state, State::warning);
}

TEST_F(StartTrial, GoesByItsDeadlineAndWithTheDeploymentWhereHermesctlIsKilled) {
    ends(0, "");
    Json live = running();
    live["metadata"]["uid"] = "u1";
    EXPECT_EQ(refusal(live), "");
    EXPECT_EQ(kube::int_at(job_, "/spec/activeDeadlineSeconds"), 3600);
    EXPECT_EQ(kube::int_at(job_, "/spec/ttlSecondsAfterFinished", -1), 30);
    EXPECT_EQ(kube::int_at(job_, "/spec/backoffLimit", -1), 0);
    EXPECT_EQ(text_at(job_, "/metadata/ownerReferences/0/uid"), "u1");
}

TEST_F(StartTrial, AnInterruptLeavesNoJobBehind) {
    kubelet({{"phase", "Pending"}});
    EXPECT_THROW(prove_start(client_, names, running(), deployment_of(true), reporter_,
                             [] { throw Error(ExitCode::interrupted, "interrupted"); }),
                 Error);
    EXPECT_EQ(text_at(job_, "/kind"), "Job");
    EXPECT_FALSE(has_jobs());
}

TEST_F(StartTrial, AnImageThatCannotBePulledIsNamed) {
    kubelet({{"phase", "Pending"},
             {"containerStatuses",
              {{{"name", "start"},
                {"image", "example/hermes:1"},
                {"state", {{"waiting", {{"reason", "ImagePullBackOff"}, {"message", "not found"}}}}}}}}});
    const auto before = clock_.now();
    EXPECT_THAT(refusal(running()), HasSubstr("does not exist in its registry"));
    EXPECT_GE(clock_.now() - before, std::chrono::seconds(60));
    EXPECT_LT(clock_.now() - before, std::chrono::seconds(70));
    EXPECT_FALSE(has_jobs());
}

}  // namespace
}  // namespace hermesctl::hermes
