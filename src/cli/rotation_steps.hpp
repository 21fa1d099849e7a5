// What changing commands bring to a rotation of the Secret (hermes/rotation.hpp): they drain, wait and ask as
// deploy does.
#pragma once

#include "answers.hpp"
#include "hermesctl/hermes/rotation.hpp"

#include <chrono>
#include <functional>
#include <optional>

namespace hermesctl::cli {

/// `answers` gets what the last wait found, and has to outlive the steps, as `lease` has. `check`: ask
/// Telegram and the provider too; without it neither is asked of an old value. `changed`: see RotationSteps.
hermes::RotationSteps rotation_steps(Session&, const hermes::Names&, std::chrono::milliseconds drain,
                                     bool check, hermes::HeldLease& lease, Answers& answers,
                                     std::function<void()> changed);

/// What an earlier command has left half done; nothing for nothing, and where it may not be read.
std::optional<hermes::HalfDone> find_half_done(Session&, const hermes::Names&);
/// Tells of it where nothing is changed.
void tell_half_done(Session&, const hermes::Names&);

/// Finishes or undoes what an earlier command has left half done; true when there was something.
bool recover_rotation(Session&, const hermes::Names&, std::chrono::milliseconds drain, bool check,
                      hermes::HeldLease& lease, std::function<void()> changed);

}  // namespace hermesctl::cli
