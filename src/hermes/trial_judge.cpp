// What the answers to trial.py mean. Pure.
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/trial.hpp"
#include "tamed.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::bool_at;
using kube::int_at;
using kube::text_at;

constexpr const char* webhook_warning =
    "a webhook is set for this bot: another program takes its messages, until Hermes connects and deletes it";
constexpr const char* poller_warning =
    "another program polls this bot and takes its messages: stop it, or get a token of its own with /revoke "
    "at @BotFather";

/// What was said, or at least how.
std::string reason_of(const Json& said) {
    const std::string reason = text_at(said, "/reason");
    const auto status = int_at(said, "/status");
    if (status == 0) return reason.empty() ? "no connection" : reason;
    return reason.empty() ? fmt::format("HTTP {}", status) : fmt::format("{} ({})", reason, status);
}

Trial refused(Trial trial, std::string reason, std::string hint) {
    trial.answer = Answer::refused;
    trial.reason = std::move(reason);
    trial.hint = std::move(hint);
    return trial;
}

Trial unanswered(Trial trial, std::string reason) {
    trial.answer = Answer::no_answer;
    trial.reason = std::move(reason);
    trial.hint = "hermesctl verify tells what the pod reaches; --no-check asks nobody";
    return trial;
}

Trial accepted_bot(Trial trial, const Json& said) {
    trial.bot = "@" + text_at(said, "/username");
    if (at(said, "/other").is_boolean()) trial.other_bot = bool_at(said, "/other");
    const std::string now = text_at(said, "/now");
    const std::string id = text_at(said, "/now_id");
    if (!now.empty()) {
        trial.bot_now = "@" + now;
    } else if (!id.empty()) {
        trial.bot_now = "bot " + id;
    }
    if (bool_at(said, "/webhook")) trial.warnings.emplace_back(webhook_warning);
    if (bool_at(said, "/poller")) trial.warnings.emplace_back(poller_warning);
    return trial;
}

Trial refused_value(const Trial& trial, const Json& said) {
    const std::string other = text_at(said, "/belongs_to");
    if (trial.key == token_key) return refused(trial, reason_of(said), "get the token from @BotFather");
    if (other.empty())
        return refused(trial, reason_of(said),
                       fmt::format("take a new one from where {} gives them out", trial.by));
    return refused(trial, "it is a key of " + other,
                   fmt::format("hermesctl rotate-secret {}, with the provider {}; or take a key of {}",
                               key_of_provider(other), other, trial.by));
}

Trial judged(const Json& said) {
    Trial trial{.key = text_at(said, "/key"), .by = text_at(said, "/by")};
    const auto status = int_at(said, "/status");
    const bool telegram = trial.key == token_key;
    if (status < 0) {
        trial.by.clear();
        trial.reason = text_at(said, "/reason");
        return trial;
    }
    if (status == 401 || status == 403 || (telegram && status == 404)) return refused_value(trial, said);
    if (status == 402)
        return refused(trial, "the account has no balance (402)", "top it up, then this again");
    // Not every MCP server has a status for what it does not let in.
    if (status / 100 != 2 || bool_at(said, "/error")) return unanswered(trial, reason_of(said));
    trial.answer = Answer::accepted;
    return telegram ? accepted_bot(trial, said) : trial;
}

}  // namespace

std::optional<std::vector<Trial>> parse_trials(std::string_view text,
                                               const std::map<std::string, std::string>& values) {
    const Json json = Json::parse(text, nullptr, false);
    if (!at(json, "/trials").is_array()) return std::nullopt;
    std::vector<Trial> trials;
    for (const Json& said : at(json, "/trials")) {
        if (values.contains(text_at(said, "/key"))) trials.push_back(judged(tamed(said)));
    }
    for (const auto& [key, value] : values) {
        if (std::ranges::find(trials, key, &Trial::key) == trials.end()) return std::nullopt;
    }
    return trials;
}

bool any_refused(const Trials& trials) {
    return std::ranges::find(trials.each, Answer::refused, &Trial::answer) != trials.each.end();
}

}  // namespace hermesctl::hermes
