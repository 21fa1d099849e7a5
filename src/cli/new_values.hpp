// What rotate-secret is to change: the keys of its command line, with their values from a prompt, stdin,
// files, the environment or programs.
#pragma once

#include "hermesctl/hermes/rotation.hpp"
#include "session.hpp"

#include <string>
#include <vector>

namespace hermesctl::cli {

struct WantedKeys {
    std::vector<std::string> keys{};     // "KEY", "KEY=-", "KEY=@file", ...
    std::vector<std::string> secrets{};  // the same, of --secret
    std::vector<std::string> remove{};
};

/// KEY -> where its value comes from; null: it is removed, {}: it is asked for. Reads nothing. Throws
/// Error{usage} for values on the command line (without repeating them), for what is no key, for one that is
/// named twice.
kube::Json sources_of(const WantedKeys&);

/// Asks and reads. Throws Error{usage} for what cannot be a value, and where there is nobody to ask.
hermes::SecretChanges read_values(Session&, const kube::Json& sources);

}  // namespace hermesctl::cli
