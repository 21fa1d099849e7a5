// What rotate-secret says: who uses a key, what a removal means, what became of it, and what to do with old
// values.
#pragma once

#include "hermesctl/hermes/rotation.hpp"
#include "hermesctl/hermes/target.hpp"
#include "session.hpp"
#include "value_trial.hpp"

#include <optional>
#include <string>
#include <vector>

namespace hermesctl::cli {

/// `rotate-secret --list`.
ExitCode list_keys(Session&, const hermes::Names&);

/// The agent, before anybody is asked for a value. Nothing, with what to grant told, where the pods may not
/// be seen; where the agent is `needed` that is an ApiError.
std::optional<hermes::Target> agent_to_ask(Session&, const hermes::Names&, bool needed);

/// Tells which keys the Secret does not have yet.
void tell_new_keys(Session&, const hermes::RotationPlan&);

/// A doubt for each new key that is a known one but for a letter or two.
std::vector<std::string> misspelled_keys(const hermes::RotationPlan&);

/// A line for each key that goes: who uses it. `pods_seen`: else it has been told why other uses are not
/// known.
std::string uses_text(Session&, const hermes::RotationPlan&, bool pods_seen);

/// Why the bot will not answer once these keys are gone; "" when it will.
std::string removed_lifeline(Session&, const hermes::RotationPlan&);

/// Where everything is as it was asked for, `unshadow` too: what keys the agent's own .env is not to set.
std::string unchanged_text(const hermes::RotationPlan&, const std::vector<std::string>& unshadow);

std::string outcome_text(const hermes::RotationPlan&, const hermes::Rotated&, bool no_restart, bool stops);

/// How each old value is made worthless, and from when on that hurts nobody. `copy`: the file that has the
/// agent's .env as it was, or "".
std::vector<std::string> old_values_end(const hermes::RotationPlan&, const Tried&, bool no_restart,
                                        const std::string& copy);

}  // namespace hermesctl::cli
