// What changes while rotate-secret is at work, and what of that is told to programs where it fails.
#include "hermesctl/base/clock.hpp"
#include "rotate_secret_world.hpp"

#include <functional>
#include <streambuf>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Who types it takes minutes, in which something happens.
class SlowInput : public std::streambuf {
  public:
    SlowInput(std::string text, std::function<void()> meanwhile)
        : text_(std::move(text)), meanwhile_(std::move(meanwhile)) {}

  protected:
    int_type underflow() override {
        if (!meanwhile_) return traits_type::eof();
        std::exchange(meanwhile_, nullptr)();
        setg(text_.data(), text_.data(), text_.data() + text_.size());
        return traits_type::to_int_type(text_[0]);
    }

  private:
    std::string text_;
    std::function<void()> meanwhile_;
};

class RotateSecretChange : public RotateSecretTest {
  protected:
    /// Killed once the Secret has the new value.
    void leave_half_done() {
        world_.api.on_write = [this](const std::string&, const Json& object) {
            if (kube::ref_of(object) == names.secret()) world_.api.down = true;
        };
        rotate({"MINIMAX_API_KEY=env:KEY"}, ExitCode::unreachable);
        world_.api.down = false;
        world_.api.on_write = nullptr;
        world_.clock.advance(10min);
    }
    /// What becomes of it with each roll from now on.
    void agent_is(const Json& state, int restarts = 0) {
        world_.api.on_write = [=, this](const std::string&, const Json& object) {
            if (kube::ref_of(object) != names.deployment()) return;
            const Json status{
                {"name", "hermes"}, {"image", "i"}, {"state", state}, {"restartCount", restarts}};
            world_.api.merge({"Pod", "hermes", "hermes-1-a"},
                             {{"status", {{"containerStatuses", Json::array({status})}}}});
            reconcile();
        };
    }
    Json said() const { return Json::parse(world_.out.str()); }
};

TEST_F(RotateSecretChange, ThePodThatRunsOnceTheValueIsReadIsLookedInto) {
    SlowInput typed(new_key + "\n", [this] {
        Json pod = world_.api.object({"Pod", "hermes", "hermes-1-a"});
        world_.api.erase({"Pod", "hermes", "hermes-1-a"});
        pod["metadata"]["name"] = "hermes-1-b";
        pod["metadata"].erase("uid");
        world_.api.put(pod);
    });
    world_.context.in.rdbuf(&typed);
    shadows_ = {{"MINIMAX_API_KEY", false}};
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=-", "--no-restart", "--no-check", "-y"}, ExitCode::failed),
                HasSubstr("/opt/data/.env, which wins over the Secret"));
    EXPECT_THAT(world_.api.log, Contains("EXEC pod/hermes-1-b"));
}

TEST_F(RotateSecretChange, WhatNothingShadowsIsSaidSoAndNothingChanges) {
    settled_ = true;
    EXPECT_THAT(rotate({"--unshadow", "MINIMAX_API_KEY", "-y"}),
                AllOf(HasSubstr("nothing to change: /opt/data/.env does not set MINIMAX_API_KEY\n"),
                      Not(HasSubstr("not in force"))));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_THAT(rotate({"--unshadow", "OTHER", "-y"}, ExitCode::failed), HasSubstr("there is no OTHER"));
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY", "--unshadow", "MINIMAX_API_KEY"}),
                HasSubstr("is in force"));
    settled_ = false;
    EXPECT_THAT(rotate({"--unshadow", "MINIMAX_API_KEY", "--no-restart"}),
                HasSubstr("not in force yet; hermesctl restart"));
    EXPECT_THAT(writes(), IsEmpty());
}

TEST_F(RotateSecretChange, TheSameValueIsNoneThatIsInForceWhereAFileHasAnother) {
    world_.context.environment["SAME"] = "the-old-key-0123456789";
    shadows_ = {{"MINIMAX_API_KEY", false}};
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:SAME"}, ExitCode::failed),
                AllOf(HasSubstr("/opt/data/.env, which wins over the Secret"),
                      HasSubstr("hermesctl rotate-secret MINIMAX_API_KEY --unshadow MINIMAX_API_KEY")));
    shadows_ = {{"MINIMAX_API_KEY", true}};
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:SAME"}), HasSubstr("nothing to change"));
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY"}, ExitCode::failed), HasSubstr("without effect"));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_THAT(argv_, Not(HasSubstr(".env.before")));
}

TEST_F(RotateSecretChange, ATroubleThatTheKeyDidNotMakePutsNothingBack) {
    put_values({{"COLONY_PAT", "the-leaked-pat-0123456789"}});
    agent_is({{"running", nullptr},
              {"waiting", {{"reason", "ImagePullBackOff"}, {"message", "429 Too Many Requests"}}}});
    EXPECT_THAT(rotate({"COLONY_PAT=env:KEY"}, ExitCode::failed),
                AllOf(HasSubstr("the registry's pull limit is reached (429)"),
                      HasSubstr("the change of COLONY_PAT stays"), HasSubstr("hermesctl wait")));
    EXPECT_EQ(values().at("COLONY_PAT"), new_key);
    EXPECT_TRUE(world_.api.object(names.previous()).is_null()) << "no later command undoes it";
    put_values({{"COLONY_PAT", "the-old-pat-0123456789"}});
    world_.context.environment["KEY"] = "another-new-key-0123456789";
    agent_is({{"waiting", nullptr}, {"terminated", {{"reason", "Error"}, {"exitCode", 1}}}}, 3);
    EXPECT_THAT(
        rotate({"COLONY_PAT=env:KEY", "--no-check"}, ExitCode::failed),
        AllOf(HasSubstr("container hermes does not stay up"), HasSubstr("the old COLONY_PAT is back")));
    EXPECT_EQ(values().at("COLONY_PAT"), "the-old-pat-0123456789") << "which a value may have broken";
}

TEST_F(RotateSecretChange, JsonOfAFailureSaysWhatWasChanged) {
    status_ = 401;
    rotate({"MINIMAX_API_KEY=env:KEY", "-y", "-o", "json"}, ExitCode::failed);
    EXPECT_EQ(said()["changed"], false);
    EXPECT_THAT(said()["error"].dump(), HasSubstr("nothing was changed"));
    status_ = 200;
    model_status_ = 402;
    rotate({"MINIMAX_API_KEY=env:KEY", "-y", "-o", "json"}, ExitCode::failed);
    EXPECT_EQ(said()["changed"], true) << "the agent was restarted, though with the old one in the end";
    EXPECT_FALSE(said().contains("copy"));
    shadows_ = {{"MINIMAX_API_KEY", false}};
    rotate({"--unshadow", "MINIMAX_API_KEY", "-y", "-o", "json"}, ExitCode::failed);
    EXPECT_EQ(said()["changed"], true);
    EXPECT_THAT(said()["copy"].dump(), HasSubstr("/opt/data/.env.before-"));
    EXPECT_THAT(said()["error"].dump(), HasSubstr("no balance"));
}

TEST_F(RotateSecretChange, WhatIsLeftHalfDoneIsEndedWithoutACheckThatIsNotWanted) {
    for (const std::string command : {"rotate-secret", "deploy"}) {
        std::vector<std::string> line{command, "--no-check", "-y"};
        if (command == "deploy") line.emplace_back("--no-wait");
        if (command == "rotate-secret") line.emplace_back("MINIMAX_API_KEY=env:KEY");
        world_.context.environment["KEY"] = "the-new-key-of-" + command;
        const auto controllers = world_.api.on_write;
        leave_half_done();
        world_.api.on_write = controllers;
        argv_.clear();
        EXPECT_EQ(world_.run(line), ExitCode::ok) << world_.err.str();
        EXPECT_TRUE(world_.api.object(names.previous()).is_null()) << command;
        EXPECT_EQ(values().at("MINIMAX_API_KEY"), "the-new-key-of-" + command);
        EXPECT_THAT(argv_, AllOf(HasSubstr("\"unused\""), Not(HasSubstr("def check_model")))) << command;
    }
}

TEST_F(RotateSecretChange, JsonOfADeploySaysWhetherARotationWasTakenUp) {
    leave_half_done();
    world_.api.erase(names.lease());
    world_.api.deny("create", "leases");
    Json record = world_.api.object(names.previous());
    Json& annotations = record["metadata"]["annotations"];
    Json note = Json::parse(annotations["hermesctl/rotation"].get<std::string>());
    note["holder"] = "bob@there (pid 7)";
    note["renewed"] = rfc3339(world_.clock.wall());
    annotations["hermesctl/rotation"] = note.dump();
    world_.api.put(record);
    EXPECT_EQ(world_.run({"deploy", "--no-wait", "-y", "-o", "json"}), ExitCode::failed) << world_.err.str();
    EXPECT_THAT(said()["error"]["message"].dump(), HasSubstr("bob@there (pid 7)"));
    EXPECT_EQ(said()["changed"], false) << "another one is at work";
    world_.clock.advance(10min);
    world_.api.fail_always("PATCH", "Deployment", testing::refusal(422, "Invalid", "no such field"));
    EXPECT_EQ(world_.run({"deploy", "--no-wait", "-y", "-o", "json"}), ExitCode::failed) << world_.err.str();
    EXPECT_THAT(said()["error"]["message"].dump(), HasSubstr("no such field"));
    EXPECT_EQ(said()["changed"], true);
}

}  // namespace
}  // namespace hermesctl::cli
