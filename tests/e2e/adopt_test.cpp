// An installation made by hand with the guide is taken over in place, and nothing of it is lost.
#include "e2e/node.hpp"

#include <sstream>

#include <fmt/format.h>

namespace hermesctl::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Adopt : public Node {
  protected:
    void SetUp() override {
        Node::SetUp();
        if (!IsSkipped()) use_namespace("hermes");  // the guide's own
    }

    /// The guide's steps 3 to 7, then its wait.
    void install_guide() {
        for (const char* file : {"1-namespace-storage", "3-config", "5-networkpolicy"}) {
            const Finished done =
                kubectl({"apply", "-f", fmt::format("{}/e2e/guide/{}.yaml", TESTS_DIR, file)});
            ASSERT_EQ(done.code, 0) << done.err;
        }
        const Finished secret =
            kubectl({"-n", "hermes", "create", "secret", "generic", "hermes-secrets",
                     "--from-literal=TELEGRAM_ALLOWED_USERS=" + setting("HERMES_TEST_USER"),
                     "--from-literal=TELEGRAM_BOT_TOKEN=" + setting("HERMES_TEST_TOKEN"),
                     "--from-literal=MINIMAX_API_KEY=" + setting("HERMES_TEST_KEY")});
        ASSERT_EQ(secret.code, 0) << secret.err;
        ASSERT_EQ(kubectl({"apply", "-f", TESTS_DIR "/e2e/guide/4-deployment.yaml"}).code, 0);
        const Finished rolled =
            kubectl({"-n", "hermes", "rollout", "status", "deployment/hermes", "--timeout=400s"});
        ASSERT_EQ(rolled.code, 0) << rolled.out << rolled.err;
    }

    void plant_data() {
        ASSERT_EQ(kubectl({"-n", "hermes", "exec", "deployment/hermes", "--", "sh", "-c",
                           "echo remember > /opt/data/memory-of-the-owner"})
                      .code,
                  0);
    }
    std::string planted_data() {
        return kubectl({"-n", "hermes", "exec", "deployment/hermes", "--", "cat",
                        "/opt/data/memory-of-the-owner"})
            .out;
    }
    /// By a watch's lines of name, phase and deletionTimestamp: a new pod's first one comes only after the
    /// old one's containers have ended.
    static void expect_one_pod_at_a_time(const std::string& story) {
        std::string old;
        bool ended = false;
        std::istringstream lines(story);
        for (std::string name, rest; lines >> name && std::getline(lines, rest);) {
            if (name.starts_with("hermes-gate-")) continue;  // tries the cage, and has no agent
            if (old.empty()) old = name;
            if (name == old)
                ended = ended || rest.find("Succeeded") != std::string::npos ||
                        rest.find("Failed") != std::string::npos;
            if (name != old) {
                EXPECT_TRUE(ended) << story;
            }
        }
        EXPECT_TRUE(ended) << story;
    }
};

TEST_F(Adopt, PlainGuideInstallIsTakenOverInPlaceWithoutASecondPodAtAnyMoment) {
    install_guide();
    plant_data();
    const std::string claim = get("pvc/hermes-data")["metadata"]["uid"];
    Command watch({SOURCE_DIR "/tests/node/node", "kubectl", "-n", "hermes", "get", "pods", "-w", "-o",
                   "jsonpath={.metadata.name} {.status.phase} {.metadata.deletionTimestamp}{\"\\n\"}"});
    const Finished taken = hermesctl({"deploy", "-y"});
    watch.signal(15);
    watch.wait();
    ASSERT_EQ(taken.code, 0) << taken.out << taken.err;
    expect_one_pod_at_a_time(watch.out());
    EXPECT_THAT(taken.err, HasSubstr("taken over"));
    EXPECT_THAT(taken.out, HasSubstr("message @cage_bot"));
    EXPECT_EQ(get("pvc/hermes-data")["metadata"]["uid"], claim);
    EXPECT_EQ(planted_data(), "remember\n");
    EXPECT_THAT(ask("still there?"), HasSubstr("you said 'still there?'"));

    // What is ours belongs to nobody else: a field that hermesctl leaves out later will really go.
    const Json deployment = get("deployment/hermes");
    for (const Json& entry : deployment["metadata"]["managedFields"]) {
        if (entry["manager"] == "kubectl-client-side-apply") {
            EXPECT_THAT(entry["fieldsV1"].dump(), Not(HasSubstr("f:readinessProbe")));
        }
    }
    const Finished again = hermesctl({"deploy", "-y"});
    EXPECT_THAT(again.out, HasSubstr("nothing to change")) << again.err;
}

TEST_F(Adopt, WhatItsOwnerChangedIsKept) {
    install_guide();
    const char* patch =
        R"({"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/os":"linux"},"containers":[
        {"name":"hermes","env":[{"name":"TZ","value":"Europe/Berlin"}]}]}}}})";
    ASSERT_EQ(kubectl({"-n", "hermes", "patch", "deployment", "hermes", "-p", patch}).code, 0);
    // The guide's base64 one-liner, and a second user.
    ASSERT_EQ(kubectl({"-n", "hermes", "patch", "secret", "hermes-secrets", "--type", "merge", "-p",
                       R"({"stringData":{"TELEGRAM_ALLOWED_USERS":")" + setting("HERMES_TEST_USER") +
                           R"(, 222222222","COLONY_PAT":"colony-token-of-the-owner"}})"})
                  .code,
              0);
    const char* colony =
        R"([{"op":"add","path":"/spec/egress/-","value":{"to":[{"namespaceSelector":{"matchLabels":
        {"kubernetes.io/metadata.name":"colony-app"}},"podSelector":{"matchLabels":{"app.kubernetes.io/component":"mcp"}}}],
        "ports":[{"protocol":"TCP","port":8002}]}}])";
    ASSERT_EQ(
        kubectl({"-n", "hermes", "patch", "networkpolicy", "hermes-egress", "--type", "json", "-p", colony})
            .code,
        0);

    const auto expect_kept = [this] {
        const std::string pod = get("deployment/hermes")["spec"]["template"]["spec"].dump();
        EXPECT_THAT(pod, HasSubstr("Europe/Berlin"));
        EXPECT_THAT(pod, HasSubstr(R"("kubernetes.io/os":"linux")"));
        EXPECT_THAT(get("networkpolicy/hermes-egress").dump(), HasSubstr("colony-app"));
        EXPECT_TRUE(get("secret/hermes-secrets")["data"].contains("COLONY_PAT"));
        EXPECT_EQ(hermesctl({"exec", "--", "printenv", "TELEGRAM_ALLOWED_USERS"}).out,
                  setting("HERMES_TEST_USER") + ", 222222222\n");
    };
    const std::string claim = get("pvc/hermes-data")["metadata"]["uid"];
    const Finished taken = hermesctl({"deploy", "-y"});
    ASSERT_EQ(taken.code, 0) << taken.out << taken.err;
    expect_kept();
    // Now that kubectl has given up what is hermesctl's.
    const std::string pod = pod_uids();
    const Finished again = hermesctl({"deploy", "-y"});
    EXPECT_THAT(again.out, HasSubstr("nothing to change")) << again.err;
    expect_kept();
    EXPECT_EQ(pod_uids(), pod);
    EXPECT_EQ(get("pvc/hermes-data")["metadata"]["uid"], claim);
}

}  // namespace
}  // namespace hermesctl::e2e
