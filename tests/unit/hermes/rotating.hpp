// An installation in the fake cluster whose bot answers with some tokens and not with others, as far as a
// rotation of its Secret looks.
#pragma once

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/rotation.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "support/fake_api.hpp"
#include "support/installation.hpp"
#include "support/recording_reporter.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hermesctl::hermes {

inline const std::string old_token = "123456789:AAold-token-of-the-bot-0123456789abcd";
inline const std::string new_token = "123456789:AAnew-token-of-the-bot-0123456789abcd";
inline const std::string salt = "0123456789abcdef";

class Rotating : public ::testing::Test {
  protected:
    Rotating() {
        testing::put_installation(api_);
        put_secret({{"TELEGRAM_BOT_TOKEN", old_token}, {"MINIMAX_API_KEY", "the-old-key"}, {"KEEP", "kept"}});
        api_.merge(
            names_.deployment(),
            {{"spec",
              {{"template", {{"metadata", {{"annotations", {{"hermesctl/secret-hmac", mark()}}}}}}}}}});
        start_pod();
        api_.on_write = [this](const std::string& type, const Json& object) { see(type, object); };
        api_.on_exec = [this](testing::FakeProcess& process) { compare(process); };
    }

    void put_secret(const std::map<std::string, std::string>& values) {
        Json secret = api_.object(names_.secret());
        secret["metadata"]["annotations"]["hermesctl/salt"] = salt;
        secret["data"] = Json::object();
        for (const auto& [key, value] : values)
            secret["data"][key] = base64_encode(value);
        api_.put(secret);
    }
    std::map<std::string, std::string> values() const { return secret_values(api_.object(names_.secret())); }
    std::string token() const {
        const auto now = values();
        const auto found = now.find("TELEGRAM_BOT_TOKEN");
        return found == now.end() ? "" : found->second;
    }
    /// What deploy would write.
    std::string mark() const { return secrets_mark(salt, values()); }
    std::string template_mark() const {
        return kube::text_at(api_.object(names_.deployment()),
                             "/spec/template/metadata/annotations/hermesctl~1secret-hmac");
    }
    bool half_done_now() const { return !api_.object(names_.previous()).is_null(); }
    std::vector<std::string> writes() const {
        std::vector<std::string> found;
        for (const std::string& line : api_.log) {
            if (line.starts_with("GET ") || line.starts_with("LIST ") || line.starts_with("EXEC ")) continue;
            found.push_back(line);
        }
        return found;
    }

    /// As the commands wait: what is in the pod decides.
    RotationSteps steps() {
        RotationSteps steps;
        steps.drain = [this](const RotationSteps::EachRound&) { ++drained_; };
        steps.wait = [this](const std::vector<std::string>& keys,
                            const RotationSteps::EachRound& each_round) {
            waited_for_ = keys;
            ++waits_;
            if (while_waiting_) while_waiting_();
            for (int i = 0; i < 4; ++i) {
                clock_.advance(std::chrono::seconds{4});
                each_round();
            }
            client_.get(names_.deployment());  // the wait needs the server
            if (accepted_.contains(pod_["TELEGRAM_BOT_TOKEN"])) return std::string("hermes-1-a");
            throw MadeByTheChange({ExitCode::failed, "Telegram rejected the bot token", "ask @BotFather"});
        };
        steps.refused = [this](const std::string&, const std::string& value,
                               const RotationSteps::EachRound&) { return revoked_.contains(value); };
        return steps;
    }
    Rotated rotate(const SecretChanges& changes, bool restart = true) {
        const RotationPlan plan = plan_rotation(client_, names_, changes);
        if (after_plan_) after_plan_();
        return hermes::rotate(client_, plan, restart, steps(), nullptr, reporter_);
    }
    bool recover() { return recover_rotation(client_, names_, steps(), nullptr, reporter_); }
    std::string failure(const std::function<void()>& action, ExitCode code = ExitCode::failed) {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.message();
            std::string text = error.message();
            for (const std::string& frame : error.trail())
                text += " | " + frame;
            return text + " | " + error.hint();
        }
        return "no failure";
    }
    std::string story() const {
        std::string text;
        for (const Event& event : reporter_.events)
            text += event.subject + ": " + event.detail + "\n";
        return text;
    }

    testing::FakeClock clock_;
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_;
    kube::Client client_{transport_, clock_, reporter_};
    const Names names_{.ns = "hermes", .name = "hermes"};

    std::set<std::string> accepted_{old_token, new_token};  // by Telegram, at the start of a pod
    std::set<std::string> revoked_{};
    std::map<std::string, std::string> pod_{};  // the environment of the pod that runs
    std::function<void()> while_waiting_{};
    std::function<void()> after_plan_{};
    std::function<void()> after_write_{};
    std::optional<std::string> proof_{};  // what the script says instead of comparing
    std::vector<std::string> waited_for_{};
    int waits_ = 0;
    int drained_ = 0;

  private:
    void start_pod() { pod_ = values(); }
    /// A changed template rolls the pod.
    void see(const std::string&, const Json& object) {
        if (kube::ref_of(object) == names_.deployment()) start_pod();
        if (after_write_) after_write_();
    }
    void compare(testing::FakeProcess& process) {
        if (!process.input_ended) return;
        Json unused = Json::array();
        const Json asked = Json::parse(process.input);
        for (const auto& [key, value] : asked.items()) {
            const auto found = pod_.find(key);
            const bool same = value.is_null() ? found == pod_.end()
                                              : found != pod_.end() && base64_encode(found->second) == value;
            if (!same) unused.push_back(key);
        }
        process.out(proof_.value_or(
            Json{{"gateways", 1}, {"unused", unused}, {"shadowed", Json::array()}, {"unread", Json::array()}}
                .dump()));
        process.exit(0);
    }
};

}  // namespace hermesctl::hermes
