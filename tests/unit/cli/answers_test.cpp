// status and wait: Telegram connected is not enough, the provider has to take the key.
#include "answers_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(AnswersTest, BothAcceptedIsAnAnswer) {
    EXPECT_EQ(run({"status"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("it answers"));
    EXPECT_THAT(out(), HasSubstr("@cage_bot"));
    EXPECT_THAT(out(), HasSubstr("key accepted"));
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("message @cage_bot"));
    EXPECT_EQ(asked_, 2);
}

TEST_F(AnswersTest, OnlyAKeyThatWasTakenIsAnAnswer) {
    const auto says_no_more_than_connected = [this](const std::vector<std::string>& line, const char* why) {
        world_.out.str("");
        EXPECT_EQ(run(line), ExitCode::ok) << err();
        EXPECT_THAT(out(),
                    AllOf(HasSubstr(why), Not(HasSubstr("it answers")), Not(HasSubstr("the bot answers"))));
        auto json = line;
        json.insert(json.end(), {"-o", "json"});
        world_.out.str("");
        run(json);
        EXPECT_EQ(Json::parse(out()).at("answering"), nullptr) << line[0];
    };
    says_no_more_than_connected({"status", "--no-check"}, "whether the model answers was not asked");
    says_no_more_than_connected({"wait", "--no-check"}, "whether the model answers was not checked");
    lines_["model"] = {{"status", -1}};
    says_no_more_than_connected({"status"}, "does not know how to ask minimax");
    says_no_more_than_connected({"wait"}, "whether the model answers was not checked");
    for (const char* verb : {"get", "create"})
        api().deny(verb, "pods/exec");
    api().merge({"Pod", "hermes", "hermes-1-a"},
                {{"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
    says_no_more_than_connected({"status"}, "pods/exec");
    says_no_more_than_connected({"wait"}, "whether the model answers was not checked");
}

TEST_F(AnswersTest, ADeafBotIsAFailureForStatusAndForWait) {
    lines_["bot"]["webhook"] = true;
    EXPECT_EQ(run({"status"}), ExitCode::failed);
    EXPECT_THAT(out(), AllOf(HasSubstr("connected but deaf"), HasSubstr("next: hermesctl restart"),
                             Not(HasSubstr("it answers"))));
    EXPECT_EQ(run({"wait"}), ExitCode::failed);
    EXPECT_THAT(err(), HasSubstr("connected but deaf"));
    EXPECT_EQ(asked_, 6) << "it may have been gone with the next try";
    lines_["bot"].erase("webhook");
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << err();
}

/// Not every 403 is a matter of rights.
TEST_F(AnswersTest, AWebhookThatRefusesExecLeavesItToThePodsReady) {
    world_.transport.open = [](const net::Request&, std::span<const std::string>) {
        return net::Upgrade{
            nullptr, hermesctl::testing::refusal(403, "Forbidden",
                                                 "admission webhook \"exec.example\" denied the request")};
    };
    api().merge({"Pod", "hermes", "hermes-1-a"},
                {{"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("whether the model answers was not checked"));
    EXPECT_EQ(run({"status"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("admission webhook"));
}

TEST_F(AnswersTest, AMuteBotIsAFailureForStatusAndForWait) {
    struct Case {
        Json change;
        const char* said;
    };
    for (const Case& one :
         {Case{{{"model", {{"status", 401}}}}, "refuses MINIMAX_API_KEY"},
          Case{{{"model", {{"status", 402}}}}, "no balance"},
          Case{{{"model", {{"status", 503}}}}, "answers with 503"},
          Case{{{"model", {{"status", 0}}}}, "cannot be reached"},
          Case{{{"model", {{"status", 0}, {"key", ""}, {"reason", "K is not set in the pod"}}}},
               "not set in the pod"},
          Case{{{"bot", {{"status", 401}}}}, "rejected the bot token"},
          Case{{{"live", {{"provider", "openrouter"}}}}, "uses the provider openrouter"}}) {
        const Json before = lines_;
        lines_.merge_patch(one.change);
        EXPECT_EQ(run({"status"}), ExitCode::failed) << one.said;
        EXPECT_THAT(out(), HasSubstr(one.said));
        EXPECT_THAT(out(), Not(HasSubstr("it answers")));
        EXPECT_EQ(run({"wait"}), ExitCode::failed) << one.said;
        EXPECT_THAT(err(), HasSubstr(one.said));
        lines_ = before;
    }
}

TEST_F(AnswersTest, ALostCheckIsRepeatedAndThenAPlainFailure) {
    lost_ = 2;
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << err();
    EXPECT_EQ(asked_, 3);
    lost_ = 100;
    EXPECT_EQ(run({"wait"}), ExitCode::failed);
    EXPECT_THAT(err(), HasSubstr("connection reset"));
    EXPECT_EQ(run({"status"}), ExitCode::failed);
    EXPECT_THAT(out(), HasSubstr("connection reset"));
    EXPECT_THAT(out(), Not(HasSubstr("it answers\n")));
}

/// By a server that has just started, say.
TEST_F(AnswersTest, ACheckThatIsRefusedOnceIsRepeated) {
    const auto serve = world_.transport.open;
    int checks = 0;
    world_.transport.open = [&](const net::Request& request, std::span<const std::string> protocols) {
        const bool refused = request.target.find("getMe") != std::string::npos && ++checks == 1;
        if (refused) return net::Upgrade{nullptr, hermesctl::testing::refusal(403, "Forbidden", "not yet")};
        return serve(request, protocols);
    };
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("message @cage_bot"));
}

TEST_F(AnswersTest, WhatTheAgentWroteDoesNotDriveTheTerminal) {
    facts_.update({{"ready", false}, {"telegram", "retrying"}, {"message", "no\x1b[2J route"}});
    EXPECT_EQ(run({"status"}), ExitCode::failed);
    EXPECT_THAT(out(), HasSubstr("route"));
    EXPECT_THAT(out(), Not(HasSubstr("\x1b")));
}

TEST_F(AnswersTest, StatusTellsOfAFullVolumeWhetherTheBotAnswersOrNot) {
    facts_["free"] = 7;
    EXPECT_EQ(run({"status"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), AllOf(HasSubstr("it answers"), HasSubstr("its volume is full: 7 bytes are free")));
    EXPECT_THAT(out(), HasSubstr("hermesctl exec -- du"));
    facts_.update({{"ready", false}, {"gateway", "starting"}, {"telegram", ""}});
    EXPECT_EQ(run({"status"}), ExitCode::failed);
    EXPECT_THAT(out(), HasSubstr("it does not answer: pod/hermes-1-a: its volume is full: 7 bytes"));
}

TEST_F(AnswersTest, AnotherLiveModelIsSaid) {
    lines_["live"]["model"] = "M2";
    live_config_ = "model: {provider: minimax, default: M2}\n";
    EXPECT_EQ(run({"wait"}), ExitCode::ok);
    EXPECT_THAT(err(), HasSubstr("uses the model M2, not M1"));
    EXPECT_EQ(run({"status", "-o", "json"}), ExitCode::ok);
    EXPECT_EQ(Json::parse(out())["model"], "minimax M2");
    EXPECT_EQ(Json::parse(out())["modelFrom"], "live");
    EXPECT_EQ(Json::parse(out())["keyAccepted"], true);
    EXPECT_THAT(Json::parse(out())["drift"].dump(), HasSubstr("model.default: M1 -> M2"));
    EXPECT_EQ(run({"status"}), ExitCode::ok);
    EXPECT_THAT(out(), HasSubstr("model     minimax M2, key accepted\n"));
    EXPECT_EQ(run({"status", "--no-check"}), ExitCode::ok);
    EXPECT_THAT(out(), HasSubstr("model     minimax M1 (of configmap/hermes-config)\n")) << "nobody asked";
}

TEST_F(AnswersTest, WhatTheAgentCallsItsModelSaysNothingOfTheKey) {
    lines_["live"]["model"] = "M2, key accepted";
    lines_["model"] = {{"status", -1}};
    EXPECT_EQ(run({"status", "-o", "json"}), ExitCode::ok) << err();
    EXPECT_EQ(Json::parse(out())["model"], "minimax M2, key accepted");
    EXPECT_EQ(Json::parse(out())["keyAccepted"], false);
}

TEST_F(AnswersTest, AModelIsOfTheConfigMapOnlyWhereThatIsThere) {
    const auto from = [this] {
        EXPECT_EQ(run({"status", "--no-check", "-o", "json"}), ExitCode::ok) << err();
        return Json::parse(out())["modelFrom"];
    };
    EXPECT_EQ(from(), "configmap");
    api().erase({"ConfigMap", "hermes", "hermes-config"});
    EXPECT_EQ(from(), "default");
    EXPECT_EQ(run({"status", "--no-check"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("MiniMax-M2.7 (the default; there is no configmap/hermes-config)\n"));
}

}  // namespace
}  // namespace hermesctl::cli
