// manifests/trial.py, against a server of our own and made-up files of the agent.
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/trial.hpp"
#include "support/answering_server.hpp"
#include "support/scratch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::string token = "TELEGRAM_BOT_TOKEN";
const std::string old_value = "123456789:AAthe-old-token-of-the-bot";
const std::string new_value = "123456789:AAthe-new-token-of-the-bot";
const std::string other_value = "987654321:AAtoken-of-another-bot";

class TrialScript : public ::testing::Test {
  protected:
    void SetUp() override {
        bot(old_value, 123456789, "cage_bot");
        bot(new_value, 123456789, "cage_bot");
        bot(other_value, 987654321, "other_bot");
        server_.answer("GET /v1/models", 200, R"({"data":[]})");
        config("model:\n  provider: minimax\n  default: M1\n");
    }
    void bot(const std::string& value, int id, const std::string& name) {
        server_.answer("GET /bot" + value + "/getMe", 200,
                       fmt::format(R"({{"ok":true,"result":{{"id":{},"username":"{}"}}}})", id, name));
        server_.answer("GET /bot" + value + "/getWebhookInfo", 200, R"({"ok":true,"result":{"url":""}})");
        server_.answer(updates(value), 200, R"({"ok":true,"result":[]})");
    }
    static std::string updates(const std::string& value) {
        return "GET /bot" + value + "/getUpdates?limit=1&timeout=3";
    }
    void config(const std::string& text) { root_.write("opt/data/config.yaml", text); }

    std::string print(const std::map<std::string, std::string>& values) {
        asked_["values"] = values;
        auto argv = python_command(asking_script("trial.py"), {root_.path(), server_.url()});
        const std::string input = root_.write("asked", asked_.dump() + "\n");
        argv.insert(argv.begin(), {"/bin/sh", "-c", "exec \"$@\" < \"$0\"", input});
        const auto result = run_process({.argv = argv, .environment = environment_});
        EXPECT_EQ(result.value().exit_code, 0);
        return result.value().output;
    }
    std::vector<Trial> tried(const std::map<std::string, std::string>& values) {
        return parse_trials(print(values), values).value();
    }
    Trial tried(const std::string& key, const std::string& value) { return tried({{key, value}}).at(0); }

    testing::AnsweringServer server_{};
    testing::Scratch root_{};
    Json asked_{{"providers",
                 {{"MINIMAX_API_KEY", "minimax"},
                  {"MINIMAX_CN_API_KEY", "minimax-cn"},
                  {"OPENAI_API_KEY", "openai-api"},
                  {"GOOGLE_API_KEY", "gemini"}}},
                {"present", ""},
                {"polled", true},
                {"variables", Json::object()},
                {"config", ""}};
    Environment environment_{{"TELEGRAM_BOT_TOKEN", old_value},
                             {"MINIMAX_BASE_URL", server_.url()},
                             {"MINIMAX_CN_BASE_URL", server_.url() + "/cn"},
                             {"OPENAI_BASE_URL", server_.url() + "/openai"},
                             {"no_proxy", "127.0.0.1"}};
};

TEST_F(TrialScript, ATokenOfTheSameBotIsAcceptedAndItsUpdatesAreLeftAlone) {
    const Trial trial = tried(token, new_value);
    EXPECT_EQ(trial.answer, Answer::accepted);
    EXPECT_EQ(trial.bot, "@cage_bot");
    EXPECT_EQ(trial.other_bot, false);
    EXPECT_THAT(trial.warnings, IsEmpty());
    EXPECT_THAT(server_.requests(), Not(Contains(HasSubstr("getUpdates"))));
}

TEST_F(TrialScript, AnotherBotIsNamedBesideTheOneOfNow) {
    const Trial trial = tried(token, other_value);
    EXPECT_EQ(trial.answer, Answer::accepted);
    EXPECT_EQ(trial.bot, "@other_bot");
    EXPECT_EQ(trial.other_bot, true);
    EXPECT_EQ(trial.bot_now, "@cage_bot");
}

TEST_F(TrialScript, WithARevokedTokenTheBotOfNowIsKnownByItsId) {
    server_.answer("GET /bot" + old_value + "/getMe", 401, R"({"ok":false,"description":"Unauthorized"})");
    EXPECT_EQ(tried(token, new_value).other_bot, false);
    EXPECT_EQ(tried(token, other_value).bot_now, "bot 123456789");
}

TEST_F(TrialScript, WhatHermesOwnFileSetsIsTheTokenOfNow) {
    root_.write("opt/data/.env", "export TELEGRAM_BOT_TOKEN='" + other_value + "'\n");
    EXPECT_EQ(tried(token, other_value).other_bot, false);
    EXPECT_EQ(tried(token, new_value).other_bot, true);
}

TEST_F(TrialScript, WhatTheManagedFilesSetIsAskedAbout) {
    root_.write("opt/data/.env", "TELEGRAM_BOT_TOKEN=" + old_value + "\n");
    root_.write("etc/hermes/.env", "TELEGRAM_BOT_TOKEN=" + other_value + "\n");
    EXPECT_EQ(tried(token, other_value).other_bot, false) << "the token of now";
    root_.write("etc/hermes/config.yaml",
                fmt::format("model: {{base_url: \"{}/managed\"}}\n", server_.url()));
    environment_.erase("MINIMAX_BASE_URL");
    server_.answer("GET /managed/v1/models", 200, "{}");
    EXPECT_EQ(tried("MINIMAX_API_KEY", "a-new-key").answer, Answer::accepted);
    EXPECT_THAT(server_.requests(), Contains(HasSubstr("GET /managed/v1/models")));
}

TEST_F(TrialScript, NoUpdateIsTakenFromABotThatIsAsked) {
    tried(token, other_value);
    EXPECT_THAT(server_.requests(), Contains(HasSubstr(updates(other_value))));
    EXPECT_THAT(server_.requests(), Each(AllOf(Not(HasSubstr("offset")), Not(HasSubstr("allowed_updates")))));
}

TEST_F(TrialScript, AnotherPollerIsSeen) {
    server_.answer(updates(other_value), 409,
                   R"({"description":"Conflict: terminated by other getUpdates request; make sure that"})");
    EXPECT_THAT(tried(token, other_value).warnings, ElementsAre(HasSubstr("another program polls this bot")));
}

TEST_F(TrialScript, AnotherPollerOfTheRunningBotIsKnownFromItsGateway) {
    const auto state = [&](const std::string& said) {
        root_.write("opt/data/gateway_state.json", R"({"platforms":{"telegram":)" + said + "}}");
        return tried(token, new_value).warnings;
    };
    EXPECT_THAT(state(R"({"state":"fatal","error_code":"telegram_polling_conflict"})"), SizeIs(1));
    EXPECT_THAT(state(R"({"state":"connected","error_code":"telegram_polling_conflict"})"), IsEmpty());
    EXPECT_THAT(state("7"), IsEmpty());
    EXPECT_THAT(server_.requests(), Not(Contains(HasSubstr("getUpdates"))));
}

TEST_F(TrialScript, ABotThatNobodyOfOursPollsIsAsked) {
    asked_["polled"] = false;
    tried(token, new_value);
    EXPECT_THAT(server_.requests(), Contains(HasSubstr(updates(new_value))));
}

TEST_F(TrialScript, AWebhookIsSeenAndItsUpdatesAreNotAskedFor) {
    server_.answer("GET /bot" + other_value + "/getWebhookInfo", 200,
                   R"({"result":{"url":"https://x.example"}})");
    EXPECT_THAT(tried(token, other_value).warnings, ElementsAre(HasSubstr("a webhook is set")));
    EXPECT_THAT(server_.requests(), Not(Contains(HasSubstr("getUpdates"))));
}

TEST_F(TrialScript, RefusalsAreToldWithoutTheValues) {
    server_.answer("GET /bot" + new_value + "/getMe", 401,
                   R"({"ok":false,"description":"The token `)" + new_value + "` was rejected\"}");
    server_.answer("GET /v1/models", 401, R"({"error":{"message":"bad key the-key-of-minimax"}})");
    server_.answer("GET /cn/v1/models", 401, "{}");
    const std::map<std::string, std::string> values{{token, new_value},
                                                    {"MINIMAX_API_KEY", "the-key-of-minimax"}};
    const std::string printed = print(values);
    EXPECT_THAT(printed, AllOf(Not(HasSubstr("AAthe")), Not(HasSubstr("the-key-of"))));
    const auto trials = parse_trials(printed, values).value();
    ASSERT_THAT(trials, SizeIs(2));
    for (const Trial& trial : trials)
        EXPECT_EQ(trial.answer, Answer::refused) << trial.key;
    EXPECT_EQ(trials[0].reason, "bad key *** (401)");
    EXPECT_EQ(trials[1].reason, "The token `***` was rejected (401)");
}

TEST_F(TrialScript, AValueThatCannotBeSentIsNotRepeated) {
    for (const std::string& value : {std::string("line-one\nline-two"), std::string("a b\x01 c-and-more"),
                                     std::string("sm\xc3\xb6rrebr\xc3\xb6"
                                                 "d")}) {
        const std::string printed =
            print({{token, value}, {"MINIMAX_API_KEY", value}, {"OPENAI_API_KEY", value}});
        EXPECT_THAT(printed, AllOf(Not(HasSubstr("line")), Not(HasSubstr("more")), Not(HasSubstr("rrebr"))));
    }
}

TEST_F(TrialScript, AKeyOfMiniMaxInTheOtherCountryIsNamedAsThat) {
    server_.answer("GET /v1/models", 401, R"({"error":{"message":"invalid api key"}})");
    server_.answer("GET /cn/v1/models", 200, "{}");
    const Trial trial = tried("MINIMAX_API_KEY", "the-key-of-minimax-cn");
    EXPECT_EQ(trial.answer, Answer::refused);
    EXPECT_THAT(trial.reason, HasSubstr("it is a key of minimax-cn"));
    EXPECT_THAT(trial.hint, HasSubstr("rotate-secret MINIMAX_CN_API_KEY"));
    EXPECT_EQ(tried("MINIMAX_CN_API_KEY", "the-key-of-minimax-cn").answer, Answer::accepted);
}

TEST_F(TrialScript, TheProviderOfTheKeyIsAskedNotTheOneInUse) {
    server_.answer("GET /openai/models", 200, "{}");
    EXPECT_EQ(tried("OPENAI_API_KEY", "the-key-of-openai").answer, Answer::accepted);
    EXPECT_THAT(server_.requests(), Contains(HasSubstr("Bearer the-key-of-openai")));
}

/// A key of one's own server is refused by the provider, and is none of its business.
TEST_F(TrialScript, WhereTheConfigHasTheProviderTheKeyIsTried) {
    environment_.erase("MINIMAX_BASE_URL");
    config("model:\n  provider: minimax\n  default: M1\n  base_url: \"${LLM}/own/\"\n");
    environment_["LLM"] = server_.url();
    server_.answer("GET /own/v1/models", 200, "{}");
    const Trial good = tried("MINIMAX_API_KEY", "the-key-of-a-proxy");
    EXPECT_EQ(good.answer, Answer::accepted) << good.reason;
    EXPECT_EQ(good.by, "minimax at model.base_url");
    server_.answer("GET /own/v1/models", 401, "{}");
    server_.answer("GET /cn/v1/models", 200, "{}");
    EXPECT_EQ(tried("MINIMAX_API_KEY", "the-key-of-a-proxy").answer, Answer::refused);
    EXPECT_THAT(server_.requests(), Not(Contains(HasSubstr("/cn/")))) << "nor the other country's";
    tried("OPENAI_API_KEY", "the-key-of-openai");
    EXPECT_THAT(server_.requests(), Not(Contains(AllOf(HasSubstr("/own/"), HasSubstr("the-key-of-openai")))))
        << "of another provider";
    environment_["MINIMAX_BASE_URL"] = server_.url();
    EXPECT_EQ(tried("MINIMAX_API_KEY", "the-key-of-minimax").by, "minimax") << "the variable wins";
}

TEST_F(TrialScript, TheBotIsAskedWhereTheConfigHasTheBotApi) {
    config("platforms:\n  telegram:\n    extra:\n      base_url: " + server_.url() + "/own/bot\n");
    server_.answer("GET /own/bot" + new_value + "/getMe", 200,
                   R"({"result":{"id":123456789,"username":"o"}})");
    const Trial trial = tried(token, new_value);
    EXPECT_EQ(trial.bot, "@o") << trial.reason;
    EXPECT_THAT(server_.requests(), Each(HasSubstr("/own/bot")));
}

TEST_F(TrialScript, TelegramIsAskedByWayOfItsOwnProxy) {
    root_.write("opt/data/.env", "TELEGRAM_PROXY=" + server_.url() + "\n");
    config("platforms: {telegram: {extra: {base_url: \"http://bot.api.invalid/bot\"}}}\n");
    server_.answer("GET http://bot.api.invalid/bot" + new_value + "/getMe", 200,
                   R"({"result":{"id":123456789,"username":"o"}})");
    EXPECT_EQ(tried(token, new_value).bot, "@o");
    environment_.erase("MINIMAX_BASE_URL");
    EXPECT_EQ(tried("OPENAI_API_KEY", "the-key-of-openai").answer, Answer::no_answer);
    EXPECT_THAT(server_.requests(), Not(Contains(HasSubstr("GET http://127")))) << "nobody else is";
}

TEST_F(TrialScript, WhatIsNoServerIsNotAsked) {
    environment_["MINIMAX_BASE_URL"] = "file:///etc";
    EXPECT_EQ(tried("MINIMAX_API_KEY", "the-key-of-minimax").answer, Answer::no_answer);
}

TEST_F(TrialScript, AKeyGoesNowhereElse) {
    server_.answer("GET /openai/models", 302, "", fmt::format("Location: {}/elsewhere\r\n", server_.url()));
    EXPECT_EQ(tried("OPENAI_API_KEY", "the-key-of-openai").answer, Answer::no_answer);
    EXPECT_THAT(server_.requests(), Not(Contains(HasSubstr("elsewhere"))));
}

TEST_F(TrialScript, WhoIsNotKnownIsNotAsked) {
    for (const Trial& trial : tried({{"GOOGLE_API_KEY", "the-key-of-gemini"}, {"MY_SECRET", "something"}})) {
        EXPECT_EQ(trial.answer, Answer::not_tried);
    }
    EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(TrialScript, AnMcpServerThatUsesTheKeyIsInitialized) {
    const std::string initialize = "POST /mcp";
    for (const char* form : {"mcp_servers:\n  colony:\n    url: {}/mcp\n    headers:\n      Authorization: "
                             "\"Bearer ${{COLONY_PAT}}\"\n",
                             "mcp_servers:\n  colony: {{url: \"{}/mcp\", headers: {{Authorization: 'Bearer "
                             "${{env:COLONY_PAT}}'}}}}\n",
                             "mcp_servers:\n  colony:\n    url: {}/mcp?token=${{COLONY_PAT}}\n"}) {
        config(fmt::format(fmt::runtime(form), server_.url()));
        const std::string place = std::string_view(form).find("?token") == std::string_view::npos
                                      ? initialize
                                      : initialize + "?token=pat-0123456789";
        server_.answer(place, 200, "event: message\ndata: {\"result\":{}}\n\n",
                       "Content-Type: text/event-stream\r\n");
        const Trial good = tried("COLONY_PAT", "pat-0123456789");
        EXPECT_EQ(good.answer, Answer::accepted) << form << good.reason;
        EXPECT_EQ(good.by, "the MCP server colony");
        EXPECT_THAT(server_.requests(),
                    Contains(AllOf(HasSubstr("pat-0123456789"), HasSubstr("\"initialize\""))));
        server_.answer(place, 401, "{}");
        EXPECT_EQ(tried("COLONY_PAT", "pat-0123456789").answer, Answer::refused);
        server_.answer(place, 200, R"({"error":{"message":"no such token pat-0123456789"}})");
        const Trial unclear = tried("COLONY_PAT", "pat-0123456789");
        EXPECT_EQ(unclear.answer, Answer::no_answer);
        EXPECT_EQ(unclear.reason, "no such token *** (200)");
    }
    EXPECT_EQ(tried("OTHER_PAT", "pat-0123456789").answer, Answer::not_tried);
}

/// The old half of a pair would be refused.
TEST_F(TrialScript, ValuesThatOneServerTakesAreNewTogether) {
    config(
        fmt::format("mcp_servers:\n  colony:\n    url: {}/mcp?id=${{COLONY_ID}}\n    headers:\n      X: "
                    "\"${{COLONY_PAT}}\"\n",
                    server_.url()));
    environment_["COLONY_ID"] = "the-id-of-before";
    environment_["COLONY_PAT"] = "pat-of-before";
    server_.answer("POST /mcp?id=id-0123456789", 200, "{}");
    const auto trials = tried({{"COLONY_ID", "id-0123456789"}, {"COLONY_PAT", "pat-0123456789"}});
    ASSERT_THAT(trials, SizeIs(2));
    for (const Trial& trial : trials)
        EXPECT_EQ(trial.answer, Answer::accepted) << trial.key << trial.reason;
    EXPECT_THAT(server_.requests(), AllOf(SizeIs(2), Each(HasSubstr("pat-0123456789"))));
}

TEST_F(TrialScript, WhereTheAgentIsNotWhatItWouldHaveIsGiven) {
    const Environment bare{{"no_proxy", "127.0.0.1"}};
    environment_ = bare;
    std::filesystem::remove_all(root_.path("opt"));
    asked_["present"] = old_value;
    asked_["polled"] = false;
    asked_["variables"] = {{"MINIMAX_BASE_URL", server_.url()}};
    asked_["config"] = fmt::format(
        "mcp_servers:\n  colony: {{url: \"{}/mcp\", headers: {{X: \"${{PAT}}\"}}}}\n", server_.url());
    server_.answer("POST /mcp", 200, "{}");
    const auto trials =
        tried({{token, other_value}, {"MINIMAX_API_KEY", "the-key-of-minimax"}, {"PAT", "pat-0123456789"}});
    for (const Trial& trial : trials)
        EXPECT_EQ(trial.answer, Answer::accepted) << trial.key << trial.reason;
    EXPECT_EQ(trials.back().bot_now, "@cage_bot");
}

TEST_F(TrialScript, AServerThatIsNotThereIsNoAnswer) {
    environment_["MINIMAX_BASE_URL"] = "http://127.0.0.1:1";
    const Trial trial = tried("MINIMAX_API_KEY", "the-key-of-minimax");
    EXPECT_EQ(trial.answer, Answer::no_answer);
    EXPECT_THAT(trial.reason, HasSubstr("refused"));
}

}  // namespace
}  // namespace hermesctl::hermes
