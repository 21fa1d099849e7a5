#include "value_trial.hpp"

#include "hermesctl/hermes/secrets.hpp"
#include "requested.hpp"

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Answer;
using hermes::Trial;

const char* word_of(Answer answer) {
    switch (answer) {
        case Answer::accepted:
            return "accepted";
        case Answer::refused:
            return "refused";
        case Answer::no_answer:
            return "no answer";
        case Answer::not_tried:
            break;
    }
    return "not tried";
}

kube::Json to_json(const Trial& trial) {
    kube::Json json{{"key", trial.key},
                    {"answer", word_of(trial.answer)},
                    {"by", trial.by},
                    {"reason", trial.reason},
                    {"warnings", trial.warnings}};
    if (!trial.bot.empty()) json["bot"] = trial.bot;
    return json;
}

/// "MINIMAX_API_KEY: minimax refuses it: ..."
std::string sentence(const Trial& trial) {
    const std::string why = trial.reason.empty() ? "" : ": " + trial.reason;
    switch (trial.answer) {
        case Answer::accepted:
            return fmt::format("{} accepts it{}", trial.by,
                               trial.bot.empty() ? "" : fmt::format(", as the token of {}", trial.bot));
        case Answer::refused:
            return fmt::format("{} refuses it{}", trial.by, why);
        case Answer::no_answer:
            if (trial.by.empty()) return "not tried";  // why has been told
            return fmt::format("{} does not answer{}", trial.by, why);
        case Answer::not_tried:
            break;
    }
    return "not tried: nobody is known who could be asked" + why;
}

State state_of(Answer answer) {
    return answer == Answer::accepted  ? State::done
           : answer == Answer::refused ? State::failed
                                       : State::warning;
}

void judge(const Trial& trial, Tried& tried) {
    if (trial.answer == Answer::accepted) tried.by[trial.key] = trial.by;
    if (trial.answer == Answer::no_answer)
        tried.doubts.push_back(fmt::format("the new {} could not be tried", trial.key));
    if (trial.answer == Answer::not_tried && !hermes::provider_of_key(trial.key).empty())
        tried.doubts.push_back(fmt::format("nobody can try the new {}", trial.key));
    if (trial.other_bot.value_or(false)) {
        tried.other_bot_than = trial.bot_now.empty() ? "another bot" : trial.bot_now;
        tried.mistake = fmt::format("it is the token of {}, not of {}", trial.bot, tried.other_bot_than);
    }
}

/// Of several instances no line stands under a name yet.
std::string whose(const Session& session, const hermes::Names& names) {
    return session.several() ? " of " + called(names) : "";
}

}  // namespace

bool somebody_takes(const std::string& key) {
    return hermes::names_credential(key) || !hermes::provider_of_key(key).empty();
}

std::vector<std::string> Tried::all_doubts() const {
    std::vector<std::string> all = doubts;
    if (!mistake.empty()) all.push_back(mistake);
    return all;
}

hermes::SecretValues new_values(const hermes::RotationPlan& plan) {
    hermes::SecretValues values;
    for (const auto& [key, value] : plan.changes) {
        const auto known = plan.keys.find(key);
        const bool same = known != plan.keys.end() && known->second == hermes::KeyChange::same;
        // What a file hid is new to the agent too.
        if (value && (!same || plan.restart_anyway)) values[key] = *value;
    }
    return values;
}

Tried try_new_values(Session& session, const hermes::Names& names, const hermes::SecretValues& values,
                     const std::function<void()>& each_round, hermes::TrialPlace place) {
    Tried tried;
    if (values.empty()) return tried;
    const auto trials =
        hermes::try_values(session.client(), names, values, session.story(), each_round, place);
    const std::string of_whom = whose(session, names);
    std::vector<std::string> refusals;
    std::string hint;
    for (const Trial& trial : trials.each) {
        if (trial.answer == Answer::not_tried && !somebody_takes(trial.key)) continue;
        session.story().on({"try", trial.key + of_whom, state_of(trial.answer), sentence(trial)});
        for (const std::string& warning : trial.warnings)
            session.story().on({"try", trial.key + of_whom + " (note)", State::warning, warning});
        tried.json.push_back(to_json(trial));
        judge(trial, tried);
        if (trial.answer != Answer::refused) continue;
        refusals.push_back(fmt::format("{}: {}", trial.key, sentence(trial)));
        if (hint.empty()) hint = trial.hint;
    }
    if (!refusals.empty()) {
        tried.refusal =
            Error(ExitCode::failed, fmt::format("{}; nothing was changed by this", fmt::join(refusals, "; ")),
                  hint + (hint.empty() ? "" : "; ") + "--no-check sets it all the same");
    }
    return tried;
}

Tried left_untried(Session& session, const hermes::Names& names, const hermes::SecretValues& values,
                   const std::string& why) {
    Tried tried;
    session.story().on({"try", "values" + whose(session, names), State::warning, "not tried: " + why});
    for (const auto& [key, value] : values) {
        if (somebody_takes(key)) tried.json.push_back(to_json({.key = key, .reason = why}));
    }
    return tried;
}

Tried untried_values(Session& session, const hermes::SecretValues& values) {
    Tried tried;
    for (const auto& [key, value] : values)
        judge({.key = key, .answer = Answer::no_answer}, tried);
    if (!tried.doubts.empty())
        session.story().on(
            {"try", "values", State::warning, "not tried: they would be from the agent's pod"});
    return tried;
}

bool is_refused(Session& session, const hermes::Names& names, const std::string& key,
                const std::string& value, const std::function<void()>& each_round) {
    const auto trials =
        hermes::try_values(session.client(), names, {{key, value}}, session.story(), each_round);
    return hermes::any_refused(trials);
}

}  // namespace hermesctl::cli
