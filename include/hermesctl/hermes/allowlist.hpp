// Who may talk to the bot by the Secret's list: the list as it is written, and its owner.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

using kube::Json;
struct Names;

using UserId = std::int64_t;
using UserIds = std::vector<UserId>;

/// On the Secret: the user who is not removed by accident.
inline constexpr std::string_view owner_annotation = "hermesctl/owner";

/// A list of users, unusual (blanks, a trailing comma) or wrong as it may be.
struct UserList {
    std::string text{};      // as it is written
    UserIds ids{};           // who is meant, each once
    std::size_t odd = 0;     // entries that are no ids
    bool everybody = false;  // "*" is one of the entries
    bool plain = true;  // Hermes reads the same: only commas part entries for it, and all of them are ids
    bool has(UserId) const;
};

UserList user_list(std::string text);
/// Of a Secret; an empty one where there is none.
UserList users_in(const Json& secret);

/// Whether a variable of this name is a switch that lets everybody in.
bool opens_to_all(std::string_view name, std::string_view value);

/// A list with "*", or such a switch.
struct OpenToAll {
    std::string key{};
    std::string where{};    // "secret/hermes-secrets"
    std::string way_out{};  // the command that ends that
    std::string text() const;
};
/// All of them in one line; "" for none.
std::string text_of(const std::vector<OpenToAll>&);
/// The command that takes out of the Deployment those of its variables that decide who gets in; "" where none
/// does. A file with one is refused before.
std::string way_out_of(const Json& variables, const Names&);
/// Those of the Secret, and of the variables that the Deployment itself has; null where there is none.
std::vector<OpenToAll> what_opens_to_all(const Json& secret, const Json& deployment, const Names&);

/// "1,2" from ids.
std::string users_text(const UserIds&);
/// And back; unusual but valid lists are read (blanks, trailing comma). Throws Error{usage} for what is no
/// id.
UserIds users_of(std::string_view);

/// As the scripts in the pod tell them; what is no number is left out.
UserIds ids_in(const Json& list);

/// The list's text with these added and taken away; what stays of a plain list stays as it is written.
std::string with_users(const UserList&, const UserIds&);
std::string without_users(const UserList&, const UserIds&);

/// Those of `ids` that `others` lacks.
UserIds missing_from(const UserIds& others, const UserIds& ids);

/// As the annotation says, if that one may talk to the bot.
std::optional<UserId> named_owner(const Json& secret);
/// The same, else the first one of the list.
std::optional<UserId> owner_of(const Json& secret);

}  // namespace hermesctl::hermes
