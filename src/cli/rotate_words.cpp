#include "rotate_words.hpp"

#include "answers.hpp"
#include "hermesctl/base/nearest.hpp"
#include "hermesctl/hermes/secret_list.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/shadow.hpp"
#include "hermesctl/kube/client.hpp"
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

std::string old_key_end(const std::string& key) {
    const std::string provider = hermes::provider_of_key(key);
    return fmt::format(
        "the old {} works until it is deleted {}", key,
        provider.empty() ? "where it was made" : fmt::format("in the console of {}", provider));
}

/// A bot has one token at a time: what /revoke ends then is the new one.
bool is_same_bot(const RotationPlan& plan, const std::string& value) {
    const auto old_values = hermes::secret_values(plan.secret);
    const auto old = old_values.find(std::string(hermes::token_key));
    const auto bot_of = [](const std::string& token) { return token.substr(0, token.find(':')); };
    return old != old_values.end() && bot_of(old->second) == bot_of(value);
}

std::string old_token_end(const RotationPlan& plan, const Tried& tried) {
    const char* end = "/revoke at @BotFather ends it";
    if (!tried.other_bot_than.empty())
        return fmt::format("the token of {} still works: {}, /deletebot the bot", tried.other_bot_than, end);
    if (!goes(plan, std::string(hermes::token_key)) && plan.blind)
        return fmt::format("the old token is dead, unless it was of another bot: then {}", end);
    return fmt::format("the old token still works: {}", end);
}

}  // namespace

ExitCode list_keys(Session& session, const hermes::Names& names) {
    const hermes::SecretList list = hermes::list_secret(session.client(), names);
    std::vector<std::vector<std::string>> rows;
    for (const SecretKey& key : list.keys)
        rows.push_back(row_of(session, key));
    std::string text = term::table({"KEY", "AGE", "LENGTH", "FINGERPRINT", "USED BY"}, rows);
    if (!list.salted) text += "no fingerprints: the Secret has no salt yet; hermesctl deploy makes one\n";
    if (!list.unseen.empty()) {
        text += fmt::format("not seen: what is shadowed, and where config.yaml uses a key: {}\n",
                            term::printable(list.unseen));
        if (!list.hint.empty()) text += "next: " + term::printable(list.hint) + "\n";
    }
    session.print_result(hermes::to_json(list), text);
    return ExitCode::ok;
}

std::vector<std::string> misspelled_keys(const RotationPlan& plan) {
    std::vector<std::string> known = hermes::keys_of_providers();
    known.emplace_back(hermes::token_key);
    for (const auto& [key, value] : hermes::secret_values(plan.secret))
        known.push_back(key);
    const std::vector<std::string_view> names(known.begin(), known.end());
    std::vector<std::string> doubts;
    for (const auto& [key, change] : plan.keys) {
        if (change != KeyChange::add || std::ranges::find(known, key) != known.end()) continue;
        // Much in those names is the same: two short ones that differ in two letters are two.
        const std::string meant = nearest(key, names, key.size() / 8);
        if (!meant.empty()) doubts.push_back(fmt::format("there is no {} yet; did you mean {}?", key, meant));
    }
    return doubts;
}

std::optional<hermes::Target> agent_to_ask(Session& session, const hermes::Names& names, bool needed) {
    try {
        return hermes::find_agent(session.client(), names);
    } catch (const kube::ApiError& error) {
        if (needed || error.code() == ExitCode::unreachable) throw;
        std::string said = error.message();
        if (error.code() == ExitCode::denied)
            said += fmt::format("; grant list on pods and replicasets in namespace {}", names.ns);
        session.story().on({"plan", "pods", State::warning, said});
        return std::nullopt;
    }
}

void tell_new_keys(Session& session, const RotationPlan& plan) {
    for (const auto& [key, change] : plan.keys) {
        if (change == KeyChange::add)
            session.story().on(
                {"plan", key, State::info, fmt::format("is not in {} yet", title(plan.names.secret()))});
    }
}

std::string uses_text(Session& session, const RotationPlan& plan, bool pods_seen) {
    const bool removes =
        std::any_of(plan.changes.begin(), plan.changes.end(), [](const auto& one) { return !one.second; });
    if (!removes) return {};
    if (plan.blind) return "          what uses it cannot be shown: the Secret may not be read\n";
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
        text += fmt::format("          other uses could not be seen{}\n",
                            pods_seen ? ": " + term::printable(list.unseen) : "");
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

std::string unchanged_text(const RotationPlan& plan, const std::vector<std::string>& unshadow) {
    std::string text = "nothing to change";
    if (!unshadow.empty())
        text += fmt::format(": {} does not set {}", hermes::env_file_path, fmt::join(unshadow, ", "));
    text += "\n";
    if (plan.pending || plan.restart_anyway)
        text += fmt::format("not in force yet; hermesctl {} brings it in force\n",
                            plan.stopped ? "start" : "restart");
    return text;
}

std::string outcome_text(const RotationPlan& plan, const hermes::Rotated& done, bool no_restart, bool stops) {
    const std::string keys = listed(plan);
    if (plan.stopped)
        return fmt::format("{} is changed; the agent is stopped, and hermesctl start brings it in force\n",
                           keys);
    if (no_restart)
        return fmt::format(
            "{}{} not in force yet: hermesctl restart brings it in force\n", keys,
            done.changed ? fmt::format(" is changed in {}, and", title(plan.names.secret())) : " is");
    if (stops) return fmt::format("{} is gone, and the agent restarts without it\n", keys);
    if (!done.proof.told)
        return fmt::format(
            "{} is changed and the pod restarted; that its gateway uses it could not be proved: "
            "{}\n",
            keys, done.proof.why);
    std::string text;
    for (const auto& [key, value] : plan.changes) {
        if (!hermes::is_variable_name(key))
            text += fmt::format("{} is {}; that is no variable's name, so the gateway was not asked for it\n",
                                key, value ? "changed" : "removed");
        else
            text += value ? fmt::format("{} is in force: the gateway of pod/{} uses it\n", key, done.pod)
                          : fmt::format("{} is gone: the gateway of pod/{} runs without it\n", key, done.pod);
    }
    return text;
}

std::vector<std::string> old_values_end(const RotationPlan& plan, const Tried& tried, bool no_restart,
                                        const std::string& copy) {
    const std::string when = plan.stopped ? "once this is in force (hermesctl start): "
                             : no_restart ? "once this is in force (hermesctl restart): "
                                          : "";
    std::vector<std::string> lines;
    for (const auto& [key, value] : plan.changes) {
        const auto known = plan.keys.find(key);  // not of a Secret that may not be read
        const bool had = known == plan.keys.end() || known->second == KeyChange::update ||
                         known->second == KeyChange::remove;
        if (!had || !somebody_takes(key)) continue;  // of a switch no old value is in anybody's hands
        if (key != hermes::token_key)
            lines.push_back(when + old_key_end(key));
        else if (value && tried.other_bot_than.empty() && is_same_bot(plan, *value))
            lines.emplace_back(
                "the old token is dead: @BotFather ended it when it gave the new one, so revoke nothing");
        else
            lines.push_back(when + old_token_end(plan, tried));
    }
    if (!copy.empty())
        lines.push_back(
            fmt::format("{0} has the values of before: hermesctl exec -- rm {0} removes it", copy));
    return lines;
}

}  // namespace hermesctl::cli
