// deploy from nothing, again, and onto what is there: the bot answers, or it is said why not.
#include "e2e/node.hpp"
#include "support/scratch.hpp"

#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <signal.h>

namespace hermesctl::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Deploy : public Node {
  protected:
    void make_default_class(const std::string& word) {
        const Json body{
            {"metadata", {{"annotations", {{"storageclass.kubernetes.io/is-default-class", word}}}}}};
        client().patch({"StorageClass", "", "local-path"}, kube::Patch::merge, body).value();
    }
};

TEST_F(Deploy, RejectedTokenFailsAndIsNeverPrinted) {
    const std::string bad = "111111111:AAE-this-token-is-refused-everywhere-00";
    auto arguments = deploy_arguments();
    arguments[4] = "TELEGRAM_BOT_TOKEN=env:BAD";
    const Finished done = hermesctl(arguments, {{"BAD", bad}});
    EXPECT_EQ(done.code, 1);
    EXPECT_THAT(done.err, HasSubstr("rejected the bot token"));
    EXPECT_THAT(done.err, HasSubstr("@BotFather"));
    EXPECT_THAT(done.out + done.err, Not(HasSubstr(bad)));
}

TEST_F(Deploy, RejectedModelKeyIsAFailureThoughTheBotConnectsAndPodSecurityRefusalIsNamed) {
    ASSERT_EQ(kubectl({"create", "namespace", ns()}).code, 0);  // so that its labels are not hermesctl's
    node({"world", "fault", "model", "reject"});
    const Finished mute = hermesctl(deploy_arguments());
    EXPECT_EQ(mute.code, 1);
    EXPECT_THAT(mute.err, HasSubstr("connected but mute"));
    EXPECT_THAT(mute.err, HasSubstr("MINIMAX_API_KEY"));

    const std::string before = pod_uids();
    EXPECT_NE(before, "");
    enforce_level("restricted");
    const Finished refused = hermesctl({"deploy", "-y", "--image", "x.example/other:1"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("would violate PodSecurity"));
    EXPECT_THAT(refused.err, HasSubstr("hermesctl deploy"));
    EXPECT_EQ(pod_uids(), before) << "before it is lost";
    const Finished restarted = hermesctl({"restart", "--drain", "1s"});
    EXPECT_EQ(restarted.code, 1);
    EXPECT_THAT(restarted.err, HasSubstr("violates PodSecurity"));
}

/// Side by side: each takes a minute, and none of them starts a gateway.
TEST_F(Deploy, TroublesThatMayHealEndAfterAMinuteWithTheirCause) {
    struct Case {
        const char* name;
        std::vector<std::string> arguments;
        ::testing::Matcher<std::string> said;
        bool has_volume = true;
    };
    // busybox: a shell for the init container, and no Hermes. Nor has it a Python for the gate.
    const std::vector<Case> cases{
        {"missing",
         {"--image", "docker.io/nousresearch/hermes-agent:no-such-tag"},
         HasSubstr("does not exist in its registry")},
        {"small", {"-f", TESTS_DIR "/e2e/too-large.yaml"}, HasSubstr("Insufficient memory")},
        {"class", {"--storage-class", "no-such-class"}, HasSubstr("no-such-class"), false},
        {"default", {}, AllOf(HasSubstr("storage class"), HasSubstr("--storage-class")), false},
        {"quota", {}, HasSubstr("exceeded quota")},
        {"crashes",
         {"--image", "docker.io/library/busybox:1.36", "--no-gate"},
         AllOf(HasSubstr("container hermes does not stay up"), HasSubstr("hermesctl logs"),
               HasSubstr("--source console"))}};
    make_default_class("false");
    std::vector<std::unique_ptr<Command>> running;
    for (const Case& one : cases) {
        use_namespace(std::string("e2e-minute-") + one.name);
        ASSERT_EQ(kubectl({"create", "namespace", ns()}).code, 0);
        if (std::string(one.name) == "quota") {
            ASSERT_EQ(kubectl({"-n", ns(), "create", "quota", "none", "--hard=pods=0"}).code, 0);
        }
        auto arguments = one.arguments;
        if (one.has_volume) arguments.insert(arguments.end(), {"--storage-class", "local-path"});
        running.push_back(start_hermesctl(deploy_arguments(arguments)));
    }
    for (std::size_t i = 0; i < cases.size(); ++i) {
        EXPECT_EQ(running[i]->wait(), 1) << cases[i].name << running[i]->all();
        EXPECT_THAT(running[i]->err(), cases[i].said) << cases[i].name;
    }
    make_default_class("true");
    EXPECT_THAT(hermesctl({"status"}).out, HasSubstr("container hermes does not stay up")) << "the last one";
}

TEST_F(Deploy, ImageForAnotherCpuIsNamed) {
    const Finished done =
        hermesctl(deploy_arguments({"--image", "docker.io/nousresearch/hermes-agent:arm64"}));
    EXPECT_EQ(done.code, 1);
    EXPECT_THAT(done.err, HasSubstr("another CPU"));
}

TEST_F(Deploy, ApiServerRestartAndCutConnectionsInTheMiddleAreSurvived) {
    auto running = start_hermesctl(deploy_arguments({"--kubeconfig", proxied_kubeconfig()}));
    ASSERT_TRUE(running->says("deployment/hermes  created")) << running->all();
    node({"stop", "apiserver"});
    ASSERT_TRUE(running->running()) << "it was quicker: " << running->all();
    std::this_thread::sleep_for(1s);
    node({"start", "apiserver"});
    ASSERT_TRUE(running->says("gateway  starting")) << running->all();
    ASSERT_TRUE(running->running());
    node({"proxy", "cut"});
    std::this_thread::sleep_for(1s);
    node({"proxy", "heal"});
    EXPECT_EQ(running->wait(), 0) << running->all();
    EXPECT_THAT(running->out(), HasSubstr("message @cage_bot"));
}

TEST_F(Deploy, CtrlCLeavesAStateFromWhichTheNextOneGoesOn) {
    // Each answer takes its time, so that the first one comes before the Deployment is written.
    const std::string secret = fmt::format("PATCH /api/v1/namespaces/{}/secrets/hermes-secrets?", ns());
    node({"proxy", "latency", "1500"});
    auto early = start_hermesctl(deploy_arguments({"-v", "--kubeconfig", proxied_kubeconfig()}));
    ASSERT_TRUE(early->says(secret)) << early->all();
    early->signal(SIGINT);
    EXPECT_EQ(early->wait(), 130) << early->all();
    node({"proxy", "heal"});
    EXPECT_TRUE(exists("Secret", "hermes-secrets"));
    EXPECT_FALSE(exists("Deployment", "hermes"));

    auto late = start_hermesctl(deploy_arguments());
    ASSERT_TRUE(late->says("deployment/hermes  created")) << late->all();
    late->signal(SIGINT);
    EXPECT_EQ(late->wait(), 130) << late->all();
    EXPECT_TRUE(exists("Deployment", "hermes"));
    const Finished next = hermesctl(deploy_arguments());
    EXPECT_EQ(next.code, 0) << next.err;
}

/// Put where the agent's own environment finds them first. Each tells what ran it, and does what it should:
/// the image's own start runs them, too.
constexpr const char* plant = R"sh(
mkdir -p /opt/data/.local/bin /opt/data/.local/lib/python3.11/site-packages
cd /opt/data/.local/bin
cat > trap <<'END'
#!/bin/sh
echo "${0##*/} of $(/usr/bin/tr '\0\n' '  ' < /proc/$PPID/cmdline)" >> /opt/data/planted
exec /usr/bin/${0##*/} "$@"
END
chmod 755 trap
echo 'open("/opt/data/planted", "a").write("python,")' > /opt/data/json.py
cp /opt/data/json.py ../lib/python3.11/site-packages/usercustomize.py
for tool in sh python3 setpriv env cat grep head stat sha256sum rm cp mv chmod chown; do ln trap $tool; done
: > /opt/data/planted
/usr/bin/chmod 666 /opt/data/planted
)sh";

TEST_F(Deploy, PlantedToolsAreNeverRun) {
    const testing::Scratch scratch;
    deploy_well();
    const auto in_pod = [this](const std::string& script) {
        const Finished done =
            kubectl({"-n", ns(), "exec", "-i", "deployment/hermes", "--", "/bin/sh", "-e"}, script);
        EXPECT_EQ(done.code, 0) << done.err;
        return done.out;
    };
    const auto expect_good = [this](const std::vector<std::string>& command) {
        const Finished done = hermesctl(command);
        EXPECT_EQ(done.code, 0) << command.front() << done.err;
    };
    in_pod(plant);
    // They would be noticed, whoever runs them.
    expect_good({"exec", "--", "stat", "/"});
    expect_good({"exec", "--", "/usr/bin/python3", "-c", "pass"});
    expect_good({"exec", "--", "/bin/sh", "-c", "cd /opt/data; /usr/bin/python3 -s -c 'import json'"});
    EXPECT_THAT(in_pod("/bin/cat /opt/data/planted; : > /opt/data/planted"),
                AllOf(StartsWith("stat of "), EndsWith("\npython,python,")));

    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"status"},
          {"wait"},
          {"logs"},
          {"verify"},
          {"exec", "--", "/bin/true"},
          {"cp", ":config.yaml", scratch.path("config.yaml")},
          {"allow-user", "--list"},
          {"rotate-secret", "--list"},
          {"rotate-secret", "MINIMAX_API_KEY=env:HERMES_TEST_KEY_NEXT", "--no-restart", "-y"}})
        expect_good(command);
    std::this_thread::sleep_for(12s);  // two rounds of the pod's own probes
    EXPECT_EQ(in_pod("/bin/cat /opt/data/planted"), "");

    // What reads and writes the agent's config.yaml, and what a pod's end and start run on the volume. The
    // image and Hermes, as they end and start, run other lines.
    expect_good({"deploy", "-y", "--model", "MiniMax-M3", "--config", "merge"});
    EXPECT_THAT(in_pod("/bin/cat /opt/data/planted"),
                AllOf(HasSubstr("/opt/hermes/docker/stage2-hook.sh"), Not(HasSubstr("config.yaml")),
                      Not(HasSubstr(" -I -S -c ")), Not(HasSubstr("python,"))));
}

}  // namespace
}  // namespace hermesctl::e2e
