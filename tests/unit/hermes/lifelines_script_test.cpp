// manifests/lifelines.py, against a server of our own and made-up files of the agent.
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/lifelines.hpp"
#include "support/loopback_socket.hpp"
#include "support/scratch.hpp"

#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// Answers each request on loopback from a table, in a thread of its own, one after the other.
class Server {
  public:
    Server() {
        socket_.listen();
        thread_ = std::thread([this] { serve(); });
    }
    ~Server() {
        ::shutdown(socket_.fd(), SHUT_RDWR);
        thread_.join();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    const std::string& url() const { return url_; }
    void answer(const std::string& request, int status, const std::string& body) {
        const std::lock_guard lock(mutex_);
        answers_[request] = {status, body};
    }
    /// Whole requests, as they came.
    std::vector<std::string> requests() {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

  private:
    void serve() {
        while (true) {
            const int peer = ::accept(socket_.fd(), nullptr, nullptr);
            if (peer < 0) return;
            const std::string request = read(peer);
            const std::string reply = reply_to(request);
            if (::write(peer, reply.data(), reply.size()) < 0) std::abort();
            ::close(peer);
        }
    }
    static std::string read(int peer) {
        std::string request;
        std::size_t wanted = std::string::npos;
        while (request.size() < wanted) {
            char part[4096];
            const ssize_t got = ::read(peer, part, sizeof part);
            if (got <= 0) break;
            request.append(part, static_cast<std::size_t>(got));
            const std::size_t end = request.find("\r\n\r\n");
            if (end == std::string::npos || wanted != std::string::npos) continue;
            const std::size_t length = request.find("Content-Length: ");
            wanted = end + 4 + (length == std::string::npos ? 0 : std::stoul(request.substr(length + 16)));
        }
        return request;
    }
    std::string reply_to(const std::string& request) {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        const auto found = answers_.find(request.substr(0, request.find(" HTTP")));
        const auto& [status, body] = found == answers_.end() ? nothing_ : found->second;
        return fmt::format("HTTP/1.0 {} x\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
    }

    hermesctl::testing::LoopbackSocket socket_{SOCK_STREAM};
    const std::string url_ = fmt::format("http://{}", socket_.address());
    std::mutex mutex_{};
    const std::pair<int, std::string> nothing_{404, "{}"};
    std::map<std::string, std::pair<int, std::string>> answers_{};
    std::vector<std::string> requests_{};
    std::thread thread_{};
};

const std::string token = "123456789:AAtoken-of-a-bot";
const std::string get_me = "GET /bot" + token + "/getMe";

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
            run_process({.argv = python_command(reading_script("lifelines.py"),
                                                {provider, keys, "M1", root_.path(), server_.url()}),
                         .environment = environment_});
        EXPECT_EQ(result.value().exit_code, 0);
        return result.value().output;
    }
    Lifelines lines(const std::string& provider = "minimax", const std::string& keys = "MINIMAX_API_KEY") {
        return parse_lifelines(run(provider, keys)).value();
    }

    Server server_{};
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
    EXPECT_NE(lines().model_reason, "");
    environment_["MINIMAX_BASE_URL"] = "no address";
    EXPECT_EQ(lines().model_status, 0);
}

TEST_F(LifelinesScript, AWebhookIsSeen) {
    server_.answer("GET /bot" + token + "/getWebhookInfo", 200, R"({"result":{"url":"https://x.example"}})");
    EXPECT_TRUE(lines().webhook);
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
