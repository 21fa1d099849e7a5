// What a rotation says: which keys, who was there before, how it ended.
#pragma once

#include "hermes/rotation_record.hpp"

#include <string>
#include <vector>

namespace hermesctl::hermes {

std::vector<std::string> keys_of(const SecretChanges&);
/// "A, B"
std::string listed(const SecretChanges&);

/// Who wrote last, as the server keeps it: " by kubectl-edit at 2026-01-31T10:00:00Z".
std::string last_writer(const Json& object);

Error not_used(const Proof&);
Error not_told(const SecretChanges&, const Proof&);

/// Of a rotation that did not come up: "the new A did not work: CAUSE; END".
Error story(const SecretChanges&, const Error& cause, const std::string& end);

/// Of one that does not come up for another reason: "CAUSE; the change of A stays". `left`: what could not be
/// removed and may still undo it, or "".
Error stays(const SecretChanges&, const Error& cause, const std::string& left);

/// How a recovery ended that has nothing to wait for.
std::string what_stays(RotationRecord::Holds);

}  // namespace hermesctl::hermes
