// What a deploy proves for an agent that runs, before that one is touched: what would be lost with it is more
// than the deploy.
#pragma once

#include "hermesctl/hermes/compose.hpp"
#include "hermesctl/hermes/live_config.hpp"
#include "hermesctl/hermes/plan.hpp"
#include "session.hpp"
#include "value_trial.hpp"

#include <functional>

namespace hermesctl::cli {

using EachRound = std::function<void()>;

/// Values that are new to the Secret, tried with who takes them, from its pod. What comes with another way to
/// them (variables, config.yaml, a Secret that it does not have yet) is not tried, which may be a mistake.
Tried try_values_beside(Session&, const hermes::Composition&, const hermes::Plan&,
                        const hermes::ConfigChange&, const EachRound&);

/// That something enforces NetworkPolicy: a new pod would be held by its gate.
void prove_cage(Session&, const hermes::Composition&, const hermes::Plan&, const EachRound&);

/// That the image starts without root, where it is to; also at a first deploy.
void prove_image(Session&, const hermes::Composition&, const hermes::Plan&, const EachRound&);

/// What no plan can tell.
void tell_of_trials(Session&, const hermes::Composition&, const hermes::Plan&, const hermes::ConfigChange&,
                    bool values_too);

}  // namespace hermesctl::cli
