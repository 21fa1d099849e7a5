// What a wait has to live through, and what ends it: pulls, storage, crashes.
#include "e2e/node.hpp"

#include <chrono>

#include <fmt/format.h>

namespace hermesctl::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Wait : public Node {};

/// s6 leaves a gateway down that has ended well, and the container lives on. The longest of all, so it is
/// the first one.
TEST_F(Wait, AGatewayThatEndedWellIsNamedAndTheLivenessProbeBringsItBack) {
    ASSERT_EQ(hermesctl(deploy_arguments()).code, 0);
    // As Ctrl-C does: of a TERM that nobody has announced it ends with 1, and s6 starts it again.
    const Finished ended = kubectl({"-n", ns(), "exec", "deployment/hermes", "--", "sh", "-c",
                                    "kill -INT $(/usr/bin/python3 -c 'import json;print(json.load(open("
                                    "\"/opt/data/gateway_state.json\"))[\"pid\"])')"});
    ASSERT_EQ(ended.code, 0) << ended.err;
    const char* cause = "no gateway process lives in the container";
    EXPECT_TRUE(comes_true([&] {
        const Finished status = hermesctl({"status", "--no-check"});
        return status.code == 1 && status.out.find(cause) != std::string::npos;
    }));
    const Finished waited = hermesctl({"wait", "--timeout", "5m"});
    EXPECT_EQ(waited.code, 1) << waited.err;
    EXPECT_THAT(waited.err,
                AllOf(HasSubstr(cause), HasSubstr("hermesctl logs"), HasSubstr("--source console")));
    const std::string pod = pod_uids();
    EXPECT_TRUE(comes_true([&] {
        const std::vector<Json> pods = client().list("Pod", ns());
        return pods.size() == 1 && kube::int_at(pods[0], "/status/containerStatuses/0/restartCount") == 1;
    }));
    EXPECT_EQ(hermesctl({"wait"}).code, 0);
    EXPECT_EQ(pod_uids(), pod) << "the container was started again";
    EXPECT_TRUE(answers());
}

TEST_F(Wait, APullThatTakesLongerThanTheTimeoutAndTelegramThatIsAwayAreSurvived) {
    node({"image", "forget", "nousresearch/hermes-agent:latest"});
    node({"world", "fault", "registry", "slow", "1100000"});  // bytes a second: two minutes
    node({"world", "fault", "telegram", "status", "502", "--times", "3"});
    const Finished done = hermesctl(deploy_arguments({"--timeout", "100s"}));
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("image is being pulled"));
    EXPECT_THAT(done.out, HasSubstr("message @cage_bot"));

    node({"world", "fault", "telegram", "hang"});
    const Finished restarted = hermesctl({"restart", "--drain", "1s"});
    EXPECT_EQ(restarted.code, 1) << "one that stays away is named: " << restarted.err;
    EXPECT_THAT(restarted.err, HasSubstr("elegram"));
    EXPECT_THAT(restarted.err, Not(HasSubstr(setting("HERMES_TEST_TOKEN"))));
}

TEST_F(Wait, ARegistryThatRefusesIsNamed) {
    const std::vector<std::string> not_here{"--image", "docker.io/nousresearch/hermes-agent:not-pulled"};
    node({"world", "fault", "registry", "status", "429"});
    const Finished limited = hermesctl(deploy_arguments(not_here));
    EXPECT_EQ(limited.code, 1) << limited.err;
    EXPECT_THAT(limited.err, HasSubstr("pull limit is reached"));

    node({"world", "reset", "registry"});
    node({"world", "fault", "registry", "reject"});
    use_namespace("e2e-registry-rejects");
    const Finished refused = hermesctl(deploy_arguments(not_here));
    EXPECT_EQ(refused.code, 1) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("the registry refuses image"));
    EXPECT_THAT(refused.err, HasSubstr("imagePullSecrets"));
}

TEST_F(Wait, AFullVolumeIsNamedByAllThatWaitForTheBot) {
    ASSERT_EQ(hermesctl(deploy_arguments()).code, 0);
    node({"disk", "fill"});
    EXPECT_THAT(hermesctl({"status", "--no-check"}).out, HasSubstr("its volume is full"));
    const Finished restarted = hermesctl({"restart", "--drain", "1s", "--timeout", "3m"});
    EXPECT_EQ(restarted.code, 1) << restarted.err;
    EXPECT_THAT(restarted.err, AllOf(HasSubstr("its volume is full"), HasSubstr("--storage-size")));
    const Finished waited = hermesctl({"wait", "--timeout", "20s"});
    EXPECT_EQ(waited.code, 5) << waited.err;
    EXPECT_THAT(waited.err, HasSubstr("its volume is full"));
    EXPECT_THAT(hermesctl({"status"}).out, HasSubstr("its volume is full"));
    node({"disk", "free"});
    EXPECT_EQ(hermesctl({"wait"}).code, 0);
    EXPECT_THAT(ask("room again"), HasSubstr("you said 'room again'"));
}

}  // namespace
}  // namespace hermesctl::e2e
