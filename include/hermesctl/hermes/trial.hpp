// New values of the Secret, tried with who takes them before anything is changed: asked from inside the pod
// by manifests/trial.py; from a one-shot pod in the same cage where no agent runs. What is in force now is
// asked by lifelines.hpp.
#pragma once

#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

enum class Answer {
    accepted,
    refused,    // whoever takes it says no
    no_answer,  // it was asked for, and there is none: nothing is known of the value
    not_tried,  // nobody is known who could be asked
};

struct Trial {
    std::string key{};
    Answer answer = Answer::not_tried;
    std::string by{};      // "Telegram", "minimax", "the MCP server colony"; "" when not_tried
    std::string reason{};  // why not, to stand after "minimax refuses it: "; scrubbed, printable
    std::string hint{};    // a command, or what to do; "" when there is none
    std::vector<std::string> warnings{};  // of an accepted one: a webhook, another poller
    std::string bot{};                    // of an accepted bot token: "@cage_bot"
    /// It is the token of another bot than the one that the agent has now; nothing: what it has is not known,
    /// or this is no accepted bot token.
    std::optional<bool> other_bot{};
    std::string bot_now{};  // "@old_bot", or "bot 123456789" where only its id is known; "" when that is not
};

struct Trials {
    std::string from{};         // "pod/hermes-6d5f-x", or "a one-shot pod"; "" when there was none to be had
    std::vector<Trial> each{};  // one for each value, in the order of the keys
};

/// Whether any is refused, or is known to be no good; no_answer and not_tried are for the caller to judge.
bool any_refused(const Trials&);

enum class TrialPlace {
    pod,       // of the agent that runs, and nowhere else
    anywhere,  // in a one-shot pod where that cannot be had
};

/// Asks, with each of these values (key -> value), who takes it: at most a minute, two and a half with a
/// one-shot pod. The values go over the standard input of exec. Nothing is changed, no update is taken from a
/// bot. Never throws for what a provider or the pod says: that is a value, the one of a pod that cannot be
/// had too. Throws Error{failed} when there is no such installation, Error{interrupted}, ApiError
/// (unreachable).
Trials try_values(kube::Client&, const Names&, const std::map<std::string, std::string>& values, Reporter&,
                  const std::function<void()>& each_round = {}, TrialPlace = TrialPlace::anywhere);

/// Whether a variable decides by which way, or at which address, somebody is asked.
bool is_route(std::string_view variable);

/// What trial.py printed. Nothing for a text that is not trial.py's.
std::optional<std::vector<Trial>> parse_trials(std::string_view text,
                                               const std::map<std::string, std::string>& values);

}  // namespace hermesctl::hermes
