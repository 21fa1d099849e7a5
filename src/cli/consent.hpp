// What stands between deploy's plan and its execution: what no yes would mend, and what wants one.
#pragma once

#include "hermesctl/hermes/live_config.hpp"
#include "hermesctl/hermes/plan.hpp"
#include "session.hpp"

#include <string>

namespace hermesctl::cli {

/// Throws Error{failed} where no pod would be made, or where fields of other field managers are in the way:
/// which these are, the plan shows.
void refuse_hopeless(Session&, const hermes::Composition&, const hermes::Plan&, bool force_conflicts);

/// What only adds or updates our own objects needs no yes where nobody can be asked; what takes something
/// away from somebody, moves in with others, or may be a mistake (a sentence, or ""), does. `changed` and
/// what it throws are Session::confirm's.
void get_consent(Session&, const hermes::Composition&, const hermes::Plan&, const hermes::ConfigChange&,
                 const std::string& mistake, bool changed);

/// The question may have taken minutes, and nobody held the lease yet: what was planned must still be true.
/// Throws Error{failed} where it is not.
void refuse_if_changed(Session&, const hermes::Composition&);

}  // namespace hermesctl::cli
