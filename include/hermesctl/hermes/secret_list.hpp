// What is known of each key of the Secret, without its value.
#pragma once

#include "hermesctl/hermes/live.hpp"
#include "hermesctl/hermes/shadow.hpp"
#include "hermesctl/kube/client.hpp"

#include <optional>
#include <string>
#include <vector>

namespace hermesctl::hermes {

struct SecretKey {
    std::string key{};
    Clock::Wall changed{};      // at the latest; see `exact`
    bool exact = false;         // changed then; else it may be older
    std::size_t length = 0;     // bytes
    std::string fingerprint{};  // 8 hex digits of an HMAC with the Secret's salt; "" when it has none
    std::vector<std::string>
        used_by{};  // "environment", "mcp_servers.colony.headers.Authorization", "minimax"
    /// The file that sets it in its stead; "" for none, nothing when that is not known (SecretList::unseen).
    std::optional<std::string> shadowed_by{};
};

struct SecretList {
    std::vector<SecretKey> keys{};
    std::string
        unseen{};  // why the inside of the pod, so shadows and ${VAR}s, could not be seen; "" if it was
    std::string hint{};
    bool salted = true;  // else there are no fingerprints
};

/// Throws Error{failed} when there is no such Secret, ApiError (denied: may not get it).
SecretList list_secret(kube::Client&, const Names&);
/// {"keys": [{"key", "changed", "exact", "length", "fingerprint", "used_by", "shadowed_by"}], ...}
Json to_json(const SecretList&);

}  // namespace hermesctl::hermes
