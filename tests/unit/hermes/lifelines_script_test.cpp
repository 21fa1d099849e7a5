// manifests/lifelines.py, against a server of our own and made-up files of the agent.
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/lifelines.hpp"
#include "support/answering_server.hpp"
#include "support/scratch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string token = "123456789:AAtoken-of-a-bot";
const std::string get_me = "GET /bot" + token + "/getMe";

auto set_in(const std::string& key, const std::string& file) {
    return AllOf(Field(&Shadow::key, key), Field(&Shadow::file, file));
}

class LifelinesScript : public ::testing::Test {
  protected:
    void SetUp() override {
        server_.answer(get_me, 200, R"({"ok":true,"result":{"id":1,"username":"cage_bot"}})");
        server_.answer("GET /bot" + token + "/getWebhookInfo", 200, R"({"ok":true,"result":{"url":""}})");
        server_.answer("GET /v1/models", 200, R"({"data":[]})");
        config("model:\n  provider: minimax\n  default: M1\n");
    }
    void config(const std::string& text) { root_.write("opt/data/config.yaml", text); }
    /// What it prints.
    std::string run(const std::string& provider = "minimax", const std::string& keys = "MINIMAX_API_KEY") {
        const auto result =
            run_process({.argv = python_command(asking_script("lifelines.py"),
                                                {provider, keys, "M1", root_.path(), server_.url()}),
                         .environment = environment_});
        EXPECT_EQ(result.value().exit_code, 0);
        return result.value().output;
    }
    Lifelines lines(const std::string& provider = "minimax", const std::string& keys = "MINIMAX_API_KEY") {
        return parse_lifelines(run(provider, keys)).value();
    }

    testing::AnsweringServer server_{};
    testing::Scratch root_{};
    Environment environment_{{"TELEGRAM_BOT_TOKEN", token},
                             {"MINIMAX_API_KEY", "the-key-of-minimax"},
                             {"MINIMAX_BASE_URL", server_.url()},
                             {"OPENAI_BASE_URL", server_.url() + "/v1"},
                             {"no_proxy", "127.0.0.1"}};
};

TEST_F(LifelinesScript, AGoodTokenAndKey) {
    const Lifelines found = lines();
    EXPECT_EQ(found.bot, "@cage_bot");
    EXPECT_EQ(found.bot_status, 200);
    EXPECT_FALSE(found.webhook);
    EXPECT_EQ(found.model_status, 200);
    EXPECT_EQ(found.model_key, "MINIMAX_API_KEY");
    EXPECT_EQ(found.live_provider, "minimax");
    EXPECT_EQ(found.live_model, "M1");
    EXPECT_THAT(server_.requests(), Contains(HasSubstr("the-key-of-minimax")));
}

TEST_F(LifelinesScript, RefusalsAreToldWithoutTheValues) {
    server_.answer(get_me, 401, R"({"ok":false,"description":"Unauthorized )" + token + "\"}");
    server_.answer("GET /v1/models", 401, R"({"error":{"message":"bad key the-key-of-minimax"}})");
    const std::string printed = run();
    const Lifelines found = parse_lifelines(printed).value();
    EXPECT_EQ(found.bot_status, 401);
    EXPECT_EQ(found.model_status, 401);
    EXPECT_EQ(found.model_reason, "bad key ***");
    EXPECT_THAT(printed, Not(HasSubstr(token)));
}

TEST_F(LifelinesScript, AsksWhereTheConfigHasThem) {
    environment_.erase("MINIMAX_BASE_URL");
    config(
        fmt::format("model: {{provider: minimax, base_url: \"{0}/own\"}}\nplatforms:\n  telegram:\n    "
                    "extra:\n      base_url: {0}/own/bot\n",
                    server_.url()));
    server_.answer("GET /own/v1/models", 200, "{}");
    server_.answer("GET /own/bot" + token + "/getMe", 200, R"({"result":{"id":1,"username":"own_bot"}})");
    const Lifelines found = lines();
    EXPECT_EQ(found.model_status, 200) << found.model_reason;
    EXPECT_EQ(found.bot, "@own_bot");
}

TEST_F(LifelinesScript, WithoutAListOfModelsTheLiveModelIsAsked) {
    config("model: {provider: minimax, default: M9}\n");
    server_.answer("GET /v1/models", 404, "404 page not found");
    server_.answer("POST /v1/messages", 404, R"({"error":{"message":"no such model"}})");
    const Lifelines found = lines();
    EXPECT_EQ(found.model_status, 404);
    EXPECT_EQ(found.model_reason, "no such model");
    EXPECT_THAT(server_.requests(), Contains(HasSubstr("\"model\": \"M9\"")));
}

TEST_F(LifelinesScript, AnyNameOfTheKeyWillDo) {
    config("model: {provider: openai-api}\n");
    environment_["SECOND_KEY"] = "the-second-key";
    const Lifelines found = lines("openai-api", "OPENAI_API_KEY SECOND_KEY");
    EXPECT_EQ(found.model_status, 200);
    EXPECT_EQ(found.model_key, "SECOND_KEY");
    EXPECT_THAT(server_.requests(), Contains(HasSubstr("Bearer the-second-key")));
}

TEST_F(LifelinesScript, AMissingKeyIsNamed) {
    environment_.erase("MINIMAX_API_KEY");
    EXPECT_EQ(lines().model_status, 0);
    EXPECT_EQ(lines().model_key, "");
    EXPECT_EQ(lines().model_reason, "MINIMAX_API_KEY is not set in the pod");
    root_.write("opt/data/.env", "# x\nexport MINIMAX_API_KEY=\"from-the-file\"\n");
    EXPECT_EQ(lines().model_status, 200);
    EXPECT_THAT(server_.requests(), Contains(HasSubstr("from-the-file")));
}

TEST_F(LifelinesScript, WhatTheAgentsOwnFileSetsOtherwiseIsNamed) {
    EXPECT_THAT(lines().shadowed, IsEmpty());
    root_.write("opt/data/.env", "TELEGRAM_BOT_TOKEN=" + token + "\nMINIMAX_API_KEY=of-the-file\nNEW=1\n");
    EXPECT_THAT(lines().shadowed, ElementsAre(set_in("MINIMAX_API_KEY", "/opt/data/.env")));
    EXPECT_THAT(run(), Not(HasSubstr("of-the-file")));
    root_.write("etc/hermes/.env", "MINIMAX_API_KEY=the-key-of-minimax\n");
    EXPECT_THAT(lines().shadowed, IsEmpty()) << "it is read last";
    root_.write("etc/hermes/.env", "MINIMAX_API_KEY=of-the-managers\n");
    EXPECT_THAT(lines().shadowed, ElementsAre(set_in("MINIMAX_API_KEY", "/etc/hermes/.env")));
}

TEST_F(LifelinesScript, WhatLetsEverybodyInByAFileIsNamed) {
    const auto open = [this] {
        std::string found;
        for (const OpenToAll& one : lines().open)
            found += one.key + " " + one.where + "; ";
        return found;
    };
    root_.write("opt/data/.env", "TELEGRAM_ALLOWED_USERS=1,222\nGATEWAY_ALLOW_ALL_USERS=no\n");
    EXPECT_EQ(open(), "");
    root_.write("opt/data/.env", "TELEGRAM_ALLOWED_USERS=1, *\nGATEWAY_ALLOW_ALL_USERS=True\n");
    EXPECT_EQ(open(), "GATEWAY_ALLOW_ALL_USERS /opt/data/.env; TELEGRAM_ALLOWED_USERS /opt/data/.env; ");
    root_.write("etc/hermes/.env", "TELEGRAM_ALLOWED_USERS=*\nGATEWAY_ALLOW_ALL_USERS=off\n");
    EXPECT_EQ(open(), "TELEGRAM_ALLOWED_USERS /etc/hermes/.env; ") << "it is read last";
}

TEST_F(LifelinesScript, WhatTheManagedFilesSetIsAskedAbout) {
    root_.write("etc/hermes/.env", "MINIMAX_API_KEY=of-the-managers\n");
    root_.write("etc/hermes/config.yaml", "model: {default: M2}\n");
    EXPECT_EQ(lines().live_model, "M2");
    EXPECT_EQ(lines().live_provider, "minimax") << "key by key";
    EXPECT_FALSE(lines().managed);
    EXPECT_THAT(server_.requests(), AllOf(Contains(HasSubstr("of-the-managers")),
                                          Not(Contains(HasSubstr("the-key-of-minimax")))));
    root_.write("etc/hermes/config.yaml", "model: {provider: openrouter}\n");
    EXPECT_EQ(lines().live_provider, "openrouter");
    EXPECT_TRUE(lines().managed);
}

TEST_F(LifelinesScript, WhoCannotBeAskedIsNotAskedForItsKeyEither) {
    config("model: {provider: gemini}\n");
    EXPECT_EQ(lines("gemini", "GOOGLE_API_KEY GEMINI_API_KEY").model_status, -1);
    EXPECT_EQ(lines("custom", "").model_status, -1);
}

TEST_F(LifelinesScript, AnotherLiveProviderIsToldAndTheWantedOneNotAsked) {
    config("model:\n  provider: \"OpenRouter\"  # by /model\n  default: z/glm\n");
    const Lifelines found = lines();
    EXPECT_EQ(found.live_provider, "openrouter");
    EXPECT_EQ(found.live_model, "z/glm");
    EXPECT_EQ(found.model_status, -1);
    EXPECT_THAT(server_.requests(), Not(Contains(HasSubstr("the-key-of-minimax"))));
}

TEST_F(LifelinesScript, AServerThatIsNotThereOrTalksNonsenseIsNoAnswer) {
    environment_["MINIMAX_BASE_URL"] = "http://127.0.0.1:1";
    EXPECT_EQ(lines().model_status, 0);
    EXPECT_EQ(lines().model_reason, "Connection refused");
    environment_["MINIMAX_BASE_URL"] = "no address";
    EXPECT_EQ(lines().model_status, 0);
}

TEST_F(LifelinesScript, AWebhookIsSeen) {
    server_.answer("GET /bot" + token + "/getWebhookInfo", 200, R"({"result":{"url":"https://x.example"}})");
    EXPECT_TRUE(lines().webhook);
    environment_["TELEGRAM_WEBHOOK_URL"] = "https://x.example";
    EXPECT_FALSE(lines().webhook) << "it is the gateway's own";
}

struct Yaml {
    const char* text;
    const char* provider;
    const char* model;
};

TEST_F(LifelinesScript, ReadsTheLiveConfigAsPeopleAndHermesWriteIt) {
    environment_.erase("TELEGRAM_BOT_TOKEN");
    environment_.erase("MINIMAX_API_KEY");
    for (const Yaml& one : {
             Yaml{"model:\n  provider: minimax\n  default: M1\nterminal:\n  backend: local\n", "minimax",
                  "M1"},
             Yaml{"terminal: {backend: local}\nmodel:\n    default: 'M 1'\n    provider: \"minimax\"\n",
                  "minimax", "M 1"},
             Yaml{"model: {provider: minimax, default: M1}  # one line\n", "minimax", "M1"},
             Yaml{"model:\n  provider: minimax # the best\n  model: M1\n", "minimax", "M1"},
             Yaml{"model: openrouter/some-model\n", "", "openrouter/some-model"},
             Yaml{"model:\r\n  provider: minimax\r\n  default: M1:free\r\n", "minimax", "M1:free"},
             Yaml{"\xef\xbb\xbfmodel:\n\n  # provider: other\n  provider: minimax\n", "minimax", ""},
             Yaml{"model:\n  extra:\n    provider: other\n  provider: minimax\n", "minimax", ""},
             Yaml{"model:\n  provider: minimax\n  extra:\n    provider: other\n", "minimax", ""},
             Yaml{"x: |\n  model:\n    provider: other\nmodel:\n  provider: minimax\n", "minimax", ""},
             Yaml{"auxiliary:\n  model:\n    provider: other\n", "", ""},
             Yaml{"models:\n- model: x\n  provider: other\n", "", ""},
             Yaml{"model:\n  provider:\n  default: ~\n", "", ""},
             Yaml{"model:\n  base_url: https://x.example/v1\n  provider: custom\n", "custom", ""},
             Yaml{"", "", ""},
             Yaml{"\xff\xfe: [\n", "", ""},
         }) {
        config(one.text);
        const Lifelines found = lines();
        EXPECT_EQ(found.live_provider, one.provider) << one.text;
        EXPECT_EQ(found.live_model, one.model) << one.text;
    }
    std::filesystem::remove(root_.path("opt/data/config.yaml"));
    EXPECT_EQ(lines().live_provider, "");
}

}  // namespace
}  // namespace hermesctl::hermes
