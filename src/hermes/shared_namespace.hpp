// A namespace that hermesctl did not make: whose it is, what its Pod Security level is, and who else runs in
// it.
#pragma once

#include "hermesctl/kube/client.hpp"

#include <cstddef>
#include <string>

namespace hermesctl::hermes {

/// It is there, and was made by somebody else: hermesctl changes nothing of it.
bool is_foreign(const kube::Json& name_space);

/// What it enforces: "privileged" where it says nothing.
std::string level_of(const kube::Json& name_space);

/// Tells it all, and for an installation that is to come what the level "baseline" would mean for the others.
/// How many pods of others it has: none where they may not be listed.
std::size_t tell_of_namespace(kube::Client&, const kube::Json& name_space, const std::string& instance,
                              bool to_come, Reporter&);

}  // namespace hermesctl::hermes
