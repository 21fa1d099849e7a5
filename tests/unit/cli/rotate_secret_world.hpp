// An installation, and the scripts in its pod as far as rotate-secret asks them.
#pragma once

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "support/cli_world.hpp"
#include "support/installation.hpp"
#include "trial_answers.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hermesctl::cli {

using namespace std::chrono_literals;
using hermesctl::testing::FakeProcess;
using kube::Json;

inline const hermes::Names names{.ns = "hermes", .name = "hermes"};
inline const std::string old_token = "123456789:AAold-token-of-the-bot-0123456789abcd";
inline const std::string new_token = "123456789:AAnew-token-of-the-bot-0123456789abcd";
inline const std::string new_key = "the-new-key-0123456789";

class RotateSecretTest : public ::testing::Test {
  protected:
    RotateSecretTest() {
        testing::put_installation(world_.api);
        world_.api.merge(names.config(), {{"data", {{"config.yaml", "model: {provider: minimax}\n"}}}});
        put_values({{"TELEGRAM_BOT_TOKEN", old_token},
                    {"MINIMAX_API_KEY", "the-old-key-0123456789"},
                    {"TELEGRAM_ALLOWED_USERS", "111"}});
        const Json annotations{{"hermesctl/secret-hmac", hermes::secrets_mark("salt", values())}};
        world_.api.merge(names.deployment(),
                         {{"spec", {{"template", {{"metadata", {{"annotations", annotations}}}}}}}});
        pod_ = values();
        world_.context.environment["NEW"] = new_token;
        world_.context.environment["KEY"] = new_key;
        world_.api.on_write = [this](const std::string&, const Json& object) {
            if (kube::ref_of(object) != names.deployment()) return;
            pod_ = values();
            world_.transport.after(300ms, [this] { reconcile(); });
        };
        world_.api.on_exec = [this](FakeProcess& process) { inside(process); };
    }

    void put_values(const std::map<std::string, std::string>& values) {
        Json secret = world_.api.object(names.secret());
        secret["metadata"]["annotations"]["hermesctl/salt"] = "salt";
        for (const auto& [key, value] : values)
            secret["data"][key] = base64_encode(value);
        world_.api.put(secret);
    }
    std::map<std::string, std::string> values() const {
        return hermes::secret_values(world_.api.object(names.secret()));
    }
    void reconcile() {
        const Json& now = world_.api.object(names.deployment());
        world_.api.merge(names.deployment(),
                         {{"status", {{"observedGeneration", kube::int_at(now, "/metadata/generation")}}}});
    }

    /// The pod's scripts, as far as they are asked here.
    void inside(FakeProcess& process) {
        std::string line;
        for (const std::string& word : process.argv)
            line += word + " ";
        argv_ += line;
        const auto has = [&](const char* part) { return line.find(part) != std::string::npos; };
        const bool asked = process.input.find('\n') != std::string::npos;
        if (has(".env.before-")) {
            shadows_ = Json::object();
            process.exit(0);
        } else if (has("polled_by_another") && cut_off_) {
            throw Error(ExitCode::interrupted, "interrupted",
                        "run the command again: it takes things up as they are");
        } else if (has("polled_by_another")) {
            if (asked) answer(process, trial_answers(Json::parse(process.input)["values"], status_, bot_));
        } else if (has("\"unused\"")) {
            if (asked) answer(process, compared(Json::parse(process.input)));
        } else if (silent_ && has("def check_bot")) {
            return;  // for ever
        } else if (has("def check_bot") || has("def check_model")) {
            answer(process, {{"bot", {{"status", 200}, {"username", "cage_bot"}}},
                             {"model", {{"status", model_status_}, {"key", "MINIMAX_API_KEY"}}},
                             {"live", {{"provider", live_provider_}, {"model", "MiniMax-M2.7"}}}});
        } else if (has("env_files")) {
            answer(process,
                   {{"tokens", Json::array()},
                    {"gateways", Json::array()},
                    {"container", Json::object()},
                    {"plain", Json::array()},
                    {"resolvers", Json::object()},
                    {"env_files",
                     {{"/opt/data/.env", {{"state", "read"}, {"shadows", shadows_}, {"settled", settled_}}}}},
                    {"configs", Json::object()}});
        } else {
            process.out(
                "{\"alive\":true,\"ready\":true,\"gateway\":\"running\","
                "\"telegram\":\"connected\"}\n");
            if (process.argv.back() == "facts") process.exit(0);
        }
    }
    static void answer(const FakeProcess& process, const Json& said) {
        process.out(said.dump() + "\n");
        process.exit(0);
    }
    Json compared(const Json& wanted) const {
        Json unused = Json::array();
        for (const auto& [key, value] : wanted.items()) {
            const auto found = pod_.find(key);
            const Json now = found == pod_.end() ? Json() : Json(base64_encode(found->second));
            if (now != value) unused.push_back(key);
        }
        return {{"gateways", 1}, {"unused", unused}, {"shadowed", Json::array()}, {"unread", Json::array()}};
    }

    std::string rotate(std::vector<std::string> line, ExitCode expected = ExitCode::ok) {
        line.insert(line.begin(), "rotate-secret");
        world_.api.log.clear();
        EXPECT_EQ(static_cast<int>(world_.run(line)), static_cast<int>(expected)) << world_.err.str();
        return world_.out.str() + world_.err.str();
    }
    std::vector<std::string> writes() const {
        std::vector<std::string> found;
        for (const std::string& line : world_.api.log) {
            for (const char* method : {"PATCH", "POST", "PUT", "DELETE"})
                if (line.starts_with(method)) found.push_back(line);
        }
        return found;
    }

    testing::CliWorld world_;
    std::map<std::string, std::string> pod_{};
    std::string argv_{};  // of all that ran in the pod
    Json shadows_ = Json::object();
    bool settled_ = false;  // the gateway has started with the file as it is
    int status_ = 200;      // of all who are asked
    std::string bot_ = "cage_bot";
    int model_status_ = 200;  // once the bot is up
    std::string live_provider_ = "minimax";
    bool cut_off_ = false;  // by Ctrl-C while values are tried
    bool silent_ = false;   // the check once it is up
};

}  // namespace hermesctl::cli
