// Secrets on their way in: from a prompt, stdin, a file, the environment or a program; never from an
// argument.
#pragma once

#include "hermesctl/base/process.hpp"
#include "hermesctl/kube/object.hpp"

#include <istream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

using kube::Json;

using SecretValues = std::map<std::string, std::string>;  // KEY -> value

inline constexpr std::string_view token_key = "TELEGRAM_BOT_TOKEN";
inline constexpr std::string_view users_key = "TELEGRAM_ALLOWED_USERS";

/// Whether a variable is there to let users in, or everybody: allow-user has that, and no other value's
/// command.
bool decides_who_gets_in(std::string_view key);
/// These, and lists for groups, which have no command of their own.
bool says_who_gets_in(std::string_view key);

/// As which the agent gets a key of its Secret.
bool is_variable_name(std::string_view);

/// "KEY=-", "KEY=@file", "KEY=env:NAME", "KEY=cmd:program args" as settings {"KEY": {"file": ...}}.
/// Throws Error{usage} for KEY=value, without repeating the value, and for a key that is no variable's name,
/// or with `any_key` none that a Secret could have ("tls.crt").
Json secret_setting(std::string_view flag, bool any_key = false);

struct SecretReaders {
    std::istream& in;  // ends when it is interrupted (base/input.hpp)
    const Environment& environment;
    std::string folder{};  // relative files are below it; empty: the current one
};
/// The values of those that come from the environment are secrets from now on, before any of them is read:
/// the programs that give others, or the cluster's credentials, must not inherit them.
void remember_variables(const Json& sources, const Environment&);
/// Reads one; one trailing newline is cut. Throws Error{usage} (missing file, unset variable, failed
/// program), Error{interrupted}. The value is remembered for scrubbing.
std::string read_secret(const std::string& key, const Json& source, const SecretReaders&);

/// The variables that may hold a provider's key ("MINIMAX_API_KEY"), the usual one first; none for providers
/// that need none; throws Error{usage} for unknown ones, with the nearest name. Table: Hermes' provider list.
std::vector<std::string> keys_of_provider(std::string_view provider);
/// The first of them, or "".
std::string key_of_provider(std::string_view provider);
/// The provider whose key a variable may hold; "" for none.
std::string provider_of_key(std::string_view key);
/// Where a provider is asked ("api.minimax.io"); "" where hermesctl does not know how.
std::string host_of_provider(std::string_view provider);

/// All variables that may hold a provider's key.
std::vector<std::string> keys_of_providers();

/// Whether the name says that the value is a credential ("COLONY_PAT", "api_key").
bool names_credential(std::string_view name);
/// One that a person may have chosen ("SMTP_PASS", "client_secret"): keys and tokens are made by machines.
bool names_password(std::string_view name);

/// What the pod template carries (annotation hermesctl/secret-hmac) so that the pod rolls when the Secret
/// changes: tells nothing about the values to who cannot read the salt.
std::string secrets_mark(std::string_view salt, const std::map<std::string, std::string>& values);

/// Why this cannot be the value of this key ("" when it can): the shape of a bot token; blanks, newlines and
/// non-ASCII in what surely goes into a header or an URL; placeholders.
std::string complaint_about(const std::string& key, const std::string& value);

/// The same of a value that can be, and which a person should look at: a pasted key may have them by mistake,
/// a PEM or a passphrase has them.
std::string oddity_of(const std::string& key, std::string_view value);

}  // namespace hermesctl::hermes
