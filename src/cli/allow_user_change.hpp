// What allow-user is to make of the list, before anything is done: planned, refused, shown.
#pragma once

#include "allow_user.hpp"

#include <optional>
#include <string>

namespace hermesctl::cli {

/// Why somebody is not let in, or put out.
Error refused(const std::string& why, const std::string& hint);

/// What is to become of the list.
struct Change {
    hermes::UserList before{};
    hermes::UserList after{};
    hermes::UserIds come{};
    hermes::UserIds go{};      // from the list
    hermes::UserIds revoke{};  // their pairing
    std::optional<hermes::UserId> old_owner{};
    std::optional<hermes::UserId> owner{};
    bool noted = false;        // the Secret's annotation names the owner
    bool owner_named = false;  // by --owner
    bool list() const { return before.text != after.text; }
    bool moves_owner() const { return owner != old_owner || (owner_named && !noted); }
};

/// `ids`: whom the arguments name. Throws Error{failed} for what would lock all out, or the owner by
/// accident.
Change plan_change(const kube::Json& secret, const hermes::UserIds& ids, const AllowFlags&);

/// A line for each thing that changes; "" where nothing does.
std::string change_text(const Change&, const std::optional<hermes::People>&, bool restarts);
kube::Json change_json(const Change&);

}  // namespace hermesctl::cli
