#include "rotate_words.hpp"

#include "answers.hpp"
#include "hermesctl/hermes/secret_list.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/term/table.hpp"
#include "hermesctl/term/text.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::KeyChange;
using hermes::RotationPlan;
using hermes::SecretKey;

bool goes(const RotationPlan& plan, const std::string& key) {
    const auto found = plan.changes.find(key);
    return found != plan.changes.end() && !found->second;
}

std::string listed(const RotationPlan& plan) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : plan.changes)
        keys.push_back(key);
    return fmt::format("{}", fmt::join(keys, ", "));
}

std::string age_of(Session& session, const SecretKey& key) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(session.clock().wall() - key.changed);
    return (key.exact ? "" : ">= ") + short_duration(age);
}

std::vector<std::string> row_of(Session& session, const SecretKey& key) {
    std::string note = fmt::format("{}", fmt::join(key.used_by, ", "));
    if (key.shadowed_by && !key.shadowed_by->empty())
        note = fmt::format("SHADOWED by {}{}{}", *key.shadowed_by, note.empty() ? "" : "; ", note);
    return {key.key, age_of(session, key), std::to_string(key.length),
            key.fingerprint.empty() ? "-" : key.fingerprint, term::printable(note)};
}

}  // namespace

ExitCode list_keys(Session& session, const hermes::Names& names) {
    const hermes::SecretList list = hermes::list_secret(session.client(), names);
    std::vector<std::vector<std::string>> rows;
    for (const SecretKey& key : list.keys)
        rows.push_back(row_of(session, key));
    const term::Terminal& terminal = session.terminal();
    std::string text = term::table({"KEY", "AGE", "LENGTH", "FINGERPRINT", "USED BY"}, rows,
                                   terminal.out_is_terminal ? terminal.width : 0);
    if (!list.unseen.empty()) {
        text += fmt::format("not seen: what is shadowed, and where config.yaml uses a key: {}\n",
                            term::printable(list.unseen));
        if (!list.hint.empty()) text += "next: " + term::printable(list.hint) + "\n";
    }
    session.print_result(hermes::to_json(list), text);
    return ExitCode::ok;
}

std::string uses_text(Session& session, const RotationPlan& plan) {
    const bool removes =
        std::any_of(plan.changes.begin(), plan.changes.end(), [](const auto& one) { return !one.second; });
    if (!removes || plan.blind) return {};
    std::string text;
    const hermes::SecretList list = hermes::list_secret(session.client(), plan.names);
    for (const SecretKey& key : list.keys) {
        if (!goes(plan, key.key)) continue;
        text += fmt::format("          {} is used by: {}\n", key.key,
                            key.used_by.empty()
                                ? "nothing that is known"
                                : term::printable(fmt::format("{}", fmt::join(key.used_by, ", "))));
    }
    if (!list.unseen.empty() && !text.empty())
        text += fmt::format("          other uses could not be seen: {}\n", term::printable(list.unseen));
    return text;
}

std::string removed_lifeline(Session& session, const RotationPlan& plan) {
    if (goes(plan, std::string(hermes::token_key))) return "without its token the bot stops";
    const bool removes =
        std::any_of(plan.changes.begin(), plan.changes.end(), [](const auto& one) { return !one.second; });
    if (!removes) return {};
    const auto model = known_model(session, plan.names);
    if (!model) return {};
    const auto keys = hermes::keys_of_provider(model->provider);
    const auto values = hermes::secret_values(plan.secret);
    bool had = plan.blind;
    bool has = false;
    for (const std::string& key : keys) {
        const auto changed = plan.changes.find(key);
        had = had || values.contains(key);
        has = has || (changed == plan.changes.end() ? values.contains(key) : changed->second.has_value());
    }
    const bool asked =
        std::any_of(keys.begin(), keys.end(), [&](const std::string& key) { return goes(plan, key); });
    if (!asked || !had || has) return {};
    return fmt::format("without a key of {} the bot is mute", model->provider);
}

std::string outcome_text(const RotationPlan& plan, const hermes::Rotated& done, bool no_restart, bool stops) {
    const std::string keys = listed(plan);
    if (plan.stopped)
        return fmt::format("{} is changed; the agent is stopped, and hermesctl start brings it in force\n",
                           keys);
    if (no_restart)
        return fmt::format(
            "{} is changed in {}, and not in force yet: hermesctl restart brings it in force\n", keys,
            title(plan.names.secret()));
    if (stops) return fmt::format("{} is gone, and the agent restarts without it\n", keys);
    if (!done.proof.told)
        return fmt::format(
            "{} is changed and the pod restarted; that its gateway uses it could not be proved: "
            "{}\n",
            keys, done.proof.why);
    std::string text;
    for (const auto& [key, value] : plan.changes) {
        text += value ? fmt::format("{} is in force: the gateway of pod/{} uses it\n", key, done.pod)
                      : fmt::format("{} is gone: the gateway of pod/{} runs without it\n", key, done.pod);
    }
    return text;
}

std::vector<std::string> old_values_end(const RotationPlan& plan, const Tried& tried) {
    std::vector<std::string> lines;
    for (const auto& [key, change] : plan.keys) {
        if (change != KeyChange::update && change != KeyChange::remove) continue;
        if (key != hermes::token_key) {
            const std::string provider = hermes::provider_of_key(key);
            lines.push_back(fmt::format(
                "the old {} works until it is deleted {}", key,
                provider.empty() ? "where it was made" : fmt::format("in the console of {}", provider)));
        } else if (!tried.other_bot_than.empty()) {
            lines.push_back(
                fmt::format("the token of {} still works: /revoke at @BotFather ends it, /deletebot the bot",
                            tried.other_bot_than));
        } else if (change == KeyChange::remove) {
            lines.push_back("the token still works: /revoke at @BotFather ends it");
        } else {
            lines.push_back(
                "the old token: /revoke at @BotFather ends it, and has done so where the new one came from "
                "it");
        }
    }
    return lines;
}

}  // namespace hermesctl::cli
