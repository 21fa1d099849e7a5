// An agent that runs: deployed again, stopped, restarted, and in trouble. They share one installation, and
// each leaves it so that the next deploy makes it whole.
#include "e2e/node.hpp"

namespace hermesctl::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Running : public Node {
  protected:
    Running() : Node(Scope::suite) {}
    void SetUp() override {
        Node::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        if (!is_first()) deploy_well();
        if (!HasFatalFailure() && pod_uids().empty()) {
            EXPECT_EQ(hermesctl({"start"}).code, 0);
        }
    }
};

/// Kills the gateway and stops the one that s6 starts in its place, before that writes anything: prints its
/// process id.
constexpr const char* replace_gateway = R"py(
import json, os, signal, sys, time

def told():
    state = json.load(open("/opt/data/gateway_state.json"))
    return state["pid"], state["gateway_state"], state["platforms"]["telegram"]["state"]

def gateways():
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = open("/proc/%s/cmdline" % name, "rb").read()
        except OSError:
            continue
        if b"python" in line.split(b"\0")[0] and b"/hermes\0gateway\0run\0" in line:
            yield int(name)

known, before = set(gateways()), told()
os.kill(before[0], signal.SIGKILL)
end = time.monotonic() + 60
while not (new := set(gateways()) - known):
    if time.monotonic() > end:
        sys.exit("s6 starts no other one")
    time.sleep(0.01)
pid = new.pop()
os.kill(pid, signal.SIGSTOP)
if told() != before or before[1:] != ("running", "connected"):
    sys.exit("the file says %s, and said %s" % (told(), before))
print(pid)
)py";

/// The first one: Hermes takes a conversation up again that a killed gateway has had, and answers that.
TEST_F(Running, GatewayKilledInsideARunningContainerIsNoticed) {
    const Finished replaced = kubectl({"-n", ns(), "exec", "deployment/hermes", "--", "/usr/bin/python3",
                                       "-I", "-S", "-c", replace_gateway});
    ASSERT_EQ(replaced.code, 0) << replaced.err;
    // A gateway lives, and the file says "running" and "connected": the dead one has left that.
    const Finished status = hermesctl({"status", "--no-check"});
    EXPECT_EQ(status.code, 1) << status.out;
    EXPECT_THAT(status.out, Not(HasSubstr("no gateway process")));
    const Finished in_vain = hermesctl({"wait", "--timeout", "20s"});
    EXPECT_EQ(in_vain.code, 5) << in_vain.out << in_vain.err;
    const Finished goes_on =
        kubectl({"-n", ns(), "exec", "deployment/hermes", "--", "sh", "-c", "kill -CONT " + replaced.out});
    ASSERT_EQ(goes_on.code, 0) << "it has lived all the time: " << goes_on.err;
    const Finished waited = hermesctl({"wait"});
    EXPECT_EQ(waited.code, 0) << waited.err;
    EXPECT_TRUE(answers());
}

TEST_F(Running, SecondDeployChangesNothingAndOneFlagOneThing) {
    const std::string before = pod_uids();
    const Finished again = hermesctl({"deploy", "-y"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.out, HasSubstr("nothing to change"));
    EXPECT_EQ(pod_uids(), before);

    const Finished diff = hermesctl({"diff", "--model", "MiniMax-M3", "-o", "json"});
    EXPECT_EQ(diff.code, 6) << diff.err;
    int changed = 0;
    const Json pending = Json::parse(diff.out);
    for (const Json& object : pending["objects"]) {
        if (object["change"] == "same") continue;
        ++changed;
        EXPECT_EQ(object["kind"], "ConfigMap") << object;
    }
    EXPECT_EQ(changed, 1);

    // The one thing, and no new pod for it: the agent's own config.yaml is changed only when that is asked
    // for.
    const Finished kept = hermesctl({"deploy", "-y", "--model", "MiniMax-M3"});
    EXPECT_EQ(kept.code, 0) << kept.err;
    EXPECT_THAT(kept.err, HasSubstr("--config merge"));
    EXPECT_EQ(pod_uids(), before);
    const Finished merged = hermesctl({"deploy", "-y", "--model", "MiniMax-M3", "--config", "merge"});
    EXPECT_EQ(merged.code, 0) << merged.err;
    EXPECT_THAT(hermesctl({"exec", "--", "cat", "/opt/data/config.yaml"}).out, HasSubstr("MiniMax-M3"));
    EXPECT_THAT(ask("on another model"), HasSubstr("you said 'on another model'"));
}

TEST_F(Running, StoppedAgentStaysStoppedUntilStartWhichBearsWithAConflict) {
    EXPECT_EQ(hermesctl({"stop"}).code, 0);
    EXPECT_EQ(pod_uids(), "");
    const Finished again = hermesctl({"deploy", "-y"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_THAT(again.out, HasSubstr("stopped"));
    EXPECT_EQ(pod_uids(), "");
    // As if Telegram held the former one's poll open.
    node({"world", "fault", "telegram", "status", "409", "--only", "getUpdates", "--times", "2"});
    const Finished started = hermesctl({"start"});
    EXPECT_EQ(started.code, 0) << started.err;
    EXPECT_THAT(started.out, HasSubstr("message @cage_bot"));
    EXPECT_TRUE(answers());
    EXPECT_THAT(hermesctl({"logs", "--since-boot"}).out, HasSubstr("polling conflict"));
}

/// Polling gets nothing while one is set, and the gateway's log alone says so.
TEST_F(Running, AWebhookIsNamed) {
    node({"world", "webhook", "https://elsewhere.example/hook"});
    const Finished said = hermesctl({"status"});
    EXPECT_EQ(said.code, 1) << said.out;
    EXPECT_THAT(said.out, HasSubstr("webhook"));
}

TEST_F(Running, ARefusedChangeLeavesTheRunningAgentAlone) {
    const std::string pod = pod_uids();
    const Finished smaller =
        hermesctl({"deploy", "-y", "--storage-size", "1Gi", "--image", "x.example/other:1"});
    EXPECT_EQ(smaller.code, 1) << smaller.err;
    EXPECT_THAT(smaller.err, HasSubstr("persistentvolumeclaim/hermes-data"));
    const Finished wrong = hermesctl({"deploy", "-y", "--secret", "TELEGRAM_BOT_TOKEN=env:BAD"},
                                     {{"BAD", "111111111:AAE-this-token-is-refused-everywhere-00"}});
    EXPECT_EQ(wrong.code, 1) << wrong.out;
    EXPECT_THAT(wrong.err, AllOf(HasSubstr("refuses it"), HasSubstr("nothing was changed")));
    EXPECT_EQ(pod_uids(), pod);
    EXPECT_TRUE(answers());
}

TEST_F(Running, StaleLogOfAGoodBootDoesNotCount) {
    const std::string bad = "111111111:AAE-this-token-is-refused-everywhere-00";
    const Finished done =
        hermesctl({"deploy", "-y", "--no-check", "--secret", "TELEGRAM_BOT_TOKEN=env:BAD"}, {{"BAD", bad}});
    EXPECT_EQ(done.code, 1) << "the volume's log still says connected: " << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("rejected the bot token"));
    const Finished status = hermesctl({"status"});
    EXPECT_EQ(status.code, 1) << status.out;
}

}  // namespace
}  // namespace hermesctl::e2e
