// New values that a deploy brings to an agent that runs: tried first, and refused before anything changes.
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "running_deploy.hpp"
#include "support/at_a_terminal.hpp"
#include "support/recording_reporter.hpp"
#include "support/scratch.hpp"

#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string new_token = "123456789:AAnew-token-of-the-bot-0123456789abcd";

class DeployTrial : public RunningDeploy {
  protected:
    DeployTrial() { world_.context.environment["NEW"] = new_token; }
    std::string deploy(std::vector<std::string> line, ExitCode expected = ExitCode::ok) {
        line.insert(line.begin(), {"deploy", "--no-wait"});
        EXPECT_EQ(static_cast<int>(world_.run(line)), static_cast<int>(expected)) << world_.err.str();
        return world_.out.str() + world_.err.str();
    }
    /// With a token that is new to the Secret.
    std::string deploy_new(std::vector<std::string> line = {}, ExitCode expected = ExitCode::ok) {
        line.insert(line.begin(), {"--secret", "TELEGRAM_BOT_TOKEN=env:NEW"});
        return deploy(line, expected);
    }
    std::string token() const {
        const Json& secret = world_.api.object({"Secret", "hermes", "hermes-secrets"});
        return base64_decode(kube::text_at(secret, "/data/TELEGRAM_BOT_TOKEN")).value();
    }

    const char* const another_way = "not tried: the way to who takes them may change, too";
};

TEST_F(DeployTrial, ARefusedValueDoesNotTakeTheAgentDown) {
    status_ = 401;
    EXPECT_THAT(deploy_new({}, ExitCode::failed),
                AllOf(HasSubstr("TELEGRAM_BOT_TOKEN: Telegram refuses it"), HasSubstr("nothing was changed"),
                      HasSubstr("--no-check sets it all the same"), Not(HasSubstr(new_token))));
    EXPECT_NE(token(), new_token);
    EXPECT_THAT(deploy_new({"--no-check"}), Not(HasSubstr("refuses it")));
    EXPECT_EQ(token(), new_token);
}

TEST_F(DeployTrial, AnAcceptedValueIsSaidToBe) {
    const std::string said = deploy_new();
    EXPECT_THAT(said, HasSubstr("Telegram accepts it, as the token of @cage_bot"));
    EXPECT_EQ(token(), new_token);
    EXPECT_THAT(deploy_new(), AllOf(HasSubstr("nothing to change"), Not(HasSubstr("accepts it"))));
    EXPECT_THAT(deploy({"--allow-user", "222"}), Not(HasSubstr("accepts it"))) << "it is no new value";
}

TEST_F(DeployTrial, TheTokenOfAnotherBotNeedsAYes) {
    bot_ = "other_bot";
    EXPECT_THAT(deploy_new({}, ExitCode::usage),
                AllOf(HasSubstr("a yes is needed"), HasSubstr("the token of @other_bot, not of @cage_bot")));
    EXPECT_NE(token(), new_token);
    deploy_new({"-y"});
    EXPECT_EQ(token(), new_token);
}

TEST_F(DeployTrial, ADryRunTriesNothingAndSaysSo) {
    status_ = 401;
    EXPECT_THAT(deploy_new({"--dry-run"}),
                AllOf(HasSubstr("a dry run tries none"), Not(HasSubstr("refuses it"))));
    EXPECT_THAT(deploy_new({"--dry-run", "--no-check"}), Not(HasSubstr("a dry run tries none")));
}

/// With another way out, the pod of now would ask somebody else.
TEST_F(DeployTrial, WhatComesWithOtherVariablesIsNotTried) {
    status_ = 401;
    hermesctl::testing::Scratch scratch;
    const std::string file = scratch.write(
        "hermes.yaml",
        "apiVersion: hermesctl/v1\nkind: Hermes\npod: {env: {HTTPS_PROXY: 'http://proxy.example:3128'}}\n");
    EXPECT_THAT(deploy_new({"-f", file}, ExitCode::usage),
                AllOf(HasSubstr(another_way), HasSubstr("a yes is needed")));
    EXPECT_NE(token(), new_token);
    deploy_new({"-f", file, "-y"});
    EXPECT_EQ(token(), new_token);
}

TEST_F(DeployTrial, WhatComesWithAnotherAddressInTheSecretIsNotTried) {
    status_ = 401;
    world_.context.environment["URL"] = "https://minimax.example/v1";
    EXPECT_THAT(deploy_new({"--secret", "MINIMAX_BASE_URL=env:URL", "-y"}), HasSubstr(another_way));
    EXPECT_EQ(token(), new_token);
}

/// A whole new part of it may hold any address.
TEST_F(DeployTrial, WhatComesWithAnotherConfigIsNotTried) {
    status_ = 401;
    hermesctl::testing::Scratch scratch;
    const std::string file = scratch.write(
        "hermes.yaml", "config: {platforms: {telegram: {extra: {base_url: 'https://bots.example/bot'}}}}\n");
    EXPECT_THAT(deploy_new({"-f", file, "--config", "merge"}, ExitCode::usage),
                AllOf(HasSubstr(another_way), HasSubstr("a yes is needed")));
    EXPECT_THAT(deploy_new({"-f", file, "--config", "merge", "--dry-run"}), HasSubstr("and needs a yes"));
    EXPECT_TRUE(asked_.is_null());
    EXPECT_THAT(deploy_new({"--model", "M4", "--config", "merge"}, ExitCode::failed),
                HasSubstr("Telegram refuses it"))
        << "another model is asked for by the same way";
}

TEST_F(DeployTrial, AConfigThatCouldNotBeWrittenMayBeChanged) {
    deploy({"--model", "M4", "--config", "merge", "-y", "-o", "json"}, ExitCode::failed);
    const Json said = Json::parse(world_.out.str());
    EXPECT_EQ(said["config"]["changed"], nullptr) << said;
}

/// Who takes the one may look at the other.
TEST_F(DeployTrial, ValuesThatAreNewTogetherAreTriedTogether) {
    world_.context.environment["ID"] = "the-id-of-a-pair";
    world_.context.environment["PAT"] = "the-pat-of-a-pair";
    deploy({"--secret", "COLONY_ID=env:ID"});
    EXPECT_TRUE(asked_.is_null()) << "nobody is known who takes that";
    world_.context.environment["ID"] = "another-id-of-a-pair";
    deploy({"--secret", "COLONY_ID=env:ID", "--secret", "COLONY_PAT=env:PAT", "--allow-user", "222"});
    EXPECT_EQ(asked_, (Json{{"COLONY_ID", "another-id-of-a-pair"}, {"COLONY_PAT", "the-pat-of-a-pair"}}));
}

/// It closes or opens no way to anybody who refuses.
TEST_F(DeployTrial, WhatComesWithAnotherPolicyIsTried) {
    status_ = 401;
    hermesctl::testing::Scratch scratch;
    const std::string file = scratch.write("hermes.yaml", "network: {allow: ['192.168.1.10/32:8080']}\n");
    EXPECT_THAT(deploy_new({"-f", file}, ExitCode::failed), HasSubstr("Telegram refuses it"));
}

/// Somebody has changed the Secret, and the pod does not have that yet: whom it asks now is not sure.
TEST_F(DeployTrial, WhatComesWhileThePodLacksTheSecretIsNotTried) {
    status_ = 401;
    const auto put = [this](const char* key, const std::string& value) {
        world_.api.merge({"Secret", "hermes", "hermes-secrets"}, {{"data", {{key, base64_encode(value)}}}});
    };
    put("MINIMAX_API_KEY", "set-by-somebody-else-1");
    EXPECT_THAT(deploy({}), Not(HasSubstr("refuses it"))) << "nothing in it is new to the Secret";
    put("MINIMAX_API_KEY", "set-by-somebody-else-2");
    EXPECT_THAT(deploy_new({"-y"}), HasSubstr(another_way));
    EXPECT_EQ(token(), new_token);
}

TEST_F(DeployTrial, WhatCannotBeTriedIsAWarning) {
    for (const char* verb : {"get", "create"})
        world_.api.deny(verb, "pods/exec");
    EXPECT_THAT(deploy_new(), AllOf(HasSubstr("not tried: "), Not(HasSubstr(another_way))));
    EXPECT_EQ(token(), new_token);
}

TEST_F(DeployTrial, WhereThePodGivesNoAnswerNoOtherIsMade) {
    world_.api.on_exec = [](hermesctl::testing::FakeProcess& process) { process.exit(1); };
    EXPECT_THAT(deploy_new(), HasSubstr("not tried: the pod gave no answer"));
    EXPECT_EQ(token(), new_token);
    EXPECT_THAT(world_.api.log, Not(Contains(HasSubstr("job"))));
}

TEST_F(DeployTrial, JsonTellsWhatTheTrialFound) {
    EXPECT_EQ(world_.run({"deploy", "--no-wait", "-o", "json", "--secret", "TELEGRAM_BOT_TOKEN=env:NEW"}),
              ExitCode::ok);
    const Json tried = Json::parse(world_.out.str()).at("tried");
    ASSERT_EQ(tried.size(), 1u) << tried;
    EXPECT_EQ(tried[0]["key"], "TELEGRAM_BOT_TOKEN");
    EXPECT_EQ(tried[0]["answer"], "accepted");
}

TEST_F(DeployTrial, JsonTellsWhatWasRefused) {
    status_ = 401;
    deploy_new({"-o", "json"}, ExitCode::failed);
    const Json said = Json::parse(world_.out.str());
    EXPECT_EQ(said["changed"], false);
    ASSERT_TRUE(said.contains("tried")) << said;
    EXPECT_EQ(said["tried"][0]["key"], "TELEGRAM_BOT_TOKEN");
    EXPECT_EQ(said["tried"][0]["answer"], "refused");
    EXPECT_THAT(said["error"]["message"].dump(), HasSubstr("Telegram refuses it"));
}

TEST_F(DeployTrial, OfSeveralAllAreTriedBeforeAnyIsChanged) {
    status_ = 401;
    hermesctl::testing::Scratch scratch;
    const std::string file =
        scratch.write("two.yaml",
                      "name: one\nnamespace: one\ntelegram: {allowedUsers: [111]}\n"
                      "secrets: {TELEGRAM_BOT_TOKEN: {env: TOKEN}, MINIMAX_API_KEY: {env: KEY}}\n"
                      "---\nname: hermes\nnamespace: hermes\nsecrets: {TELEGRAM_BOT_TOKEN: {env: NEW}}\n");
    EXPECT_THAT(
        deploy({"-f", file}, ExitCode::failed),
        AllOf(HasSubstr("fail  TELEGRAM_BOT_TOKEN of hermes in namespace hermes  Telegram refuses it"),
              HasSubstr("checking hermes in namespace hermes")));
    EXPECT_TRUE(world_.api.object({"Deployment", "one", "one"}).is_null());
    deploy({"-f", file, "-o", "json"}, ExitCode::failed);
    const Json said = Json::parse(world_.out.str())["instances"];
    ASSERT_EQ(said.size(), 1u) << said;
    EXPECT_EQ(said[0]["namespace"], "hermes");
    EXPECT_EQ(said[0]["changed"], false);
    EXPECT_EQ(said[0]["tried"][0]["answer"], "refused");
}

/// What no answer would mend.
TEST_F(DeployTrial, WhatIsHopelessIsNotTried) {
    hermesctl::testing::RecordingReporter reporter;
    kube::Client client(world_.transport, world_.clock, reporter);
    client
        .patch(deployment, kube::Patch::merge, {{"spec", {{"revisionHistoryLimit", 9}}}},
               {.manager = "argocd"})
        .value();
    EXPECT_THAT(deploy_new({}, ExitCode::failed),
                AllOf(HasSubstr("belongs to argocd"), Not(HasSubstr("accepts it"))));
}

TEST_F(DeployTrial, CtrlCAtTheQuestionChangesNothing) {
    world_.terminal.input = true;
    const auto run = [this] {
        catch_interrupts();
        const ExitCode code = world_.run({"deploy", "--image", "a/b:2"});
        std::cout << world_.err.str() << std::flush;
        return static_cast<int>(code);
    };
    const auto seen = hermesctl::testing::at_a_terminal(run, {{"apply this? [y/N]", "\x03"}});
    EXPECT_EQ(seen.code, 130) << seen.screen;
    EXPECT_THAT(seen.screen,
                AllOf(HasSubstr("~ restart the agent"), HasSubstr("interrupted; nothing was changed")));
}

TEST_F(DeployTrial, WhileTheAgentIsStoppedItIsSaidWhoTriesThem) {
    status_ = 401;
    world_.api.erase({"Pod", "hermes", "hermes-1-a"});
    world_.api.merge(deployment, {{"spec", {{"replicas", 0}}}});
    const auto told = HasSubstr("the agent is stopped (hermesctl rotate-secret tries them");
    EXPECT_THAT(deploy_new({"--dry-run"}), told);
    EXPECT_THAT(deploy_new(), told);
    EXPECT_EQ(token(), new_token);
}

TEST_F(DeployTrial, WithoutAnAgentThatRunsThereIsNothingToLose) {
    status_ = 401;
    world_.api.erase({"Pod", "hermes", "hermes-1-a"});
    EXPECT_THAT(deploy_new(), HasSubstr("not tried: no agent runs"));
    EXPECT_EQ(token(), new_token);
}

}  // namespace
}  // namespace hermesctl::cli
