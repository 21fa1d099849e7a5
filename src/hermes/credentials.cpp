#include "credentials.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

constexpr std::size_t shortest_credential = 8;
constexpr std::size_t shortest_made = 20;  // by a machine

/// "COLONY_API_KEY"; digits alone may be a password.
bool is_variable(std::string_view value) {
    return std::ranges::any_of(value, is_capital) &&
           std::ranges::all_of(value, [](char c) { return is_capital(c) || is_digit(c) || c == '_'; });
}

/// "max_tokens: 4096"; under other names a number may be a password or a PIN.
bool is_count(std::string_view path, const Json& value) {
    const std::string low = lower(path);
    return value.is_number() && (low.ends_with("tokens") || low.ends_with("max_token"));
}

/// Wider than names_credential. Whoever knows the URL of a webhook may write there.
bool hints_at_credential(const std::string& text) {
    const std::string low = lower("." + text + ".");
    for (const char* word :
         {"key", "token", "secret", "pass", "pwd", "credential", "auth", "cookie", "hook", "_pat.",
          "_pat=", ".pat.", "pin.", "pin=", "pin:", "pin_", ".env.", ".headers."}) {
        if (low.find(word) != std::string::npos) return true;
    }
    return false;
}

/// A URL with a user in it, or curl's -u, alone or with other letters (-sSu).
bool names_user(const std::string& text) {
    const std::size_t authority = text.find("://");
    if (authority != std::string::npos && text.find('@', authority) != std::string::npos) return true;
    return std::ranges::any_of(words_of(text, " \t\r\n\"',[]"), [](std::string_view word) {
        const bool letters = word.starts_with('-') && !word.starts_with("--");
        return word.starts_with("--user") || word.starts_with("--proxy-user") ||
               (letters && word.find_first_of("uU") != std::string_view::npos);
    });
}

/// "your-key-1", "xxxxxxxx"
bool is_example(std::string_view value) {
    const std::string low = lower(value.substr(0, 5));
    return is_placeholder(value) || ((low == "your-" || low == "your_") && holds_words(value)) ||
           std::ranges::all_of(value, [&](char c) { return c == value.front(); });
}

/// "/run/token", "~/.ssh/id", "KEY_1", "$KEY_1", "a ${KEY}", "ctrl+shift+f12"
bool is_elsewhere(std::string_view value) {
    const std::string low = lower(value.substr(0, 6));
    return value.starts_with('/') || value.starts_with("~/") || value.starts_with('<') ||
           is_variable(value) || (value.starts_with('$') && is_variable(value.substr(1))) ||
           value.find("${") != std::string_view::npos ||
           value.find_first_of(" \t\r\n") != std::string_view::npos || low.starts_with("ctrl+") ||
           low.starts_with("alt+") || low.starts_with("cmd+") || low.starts_with("shift+");
}

/// Whether it can be one, where the name says that it is a credential.
bool can_be_credential(std::string_view name, std::string_view value) {
    // "not-needed", "plain": what a machine has made holds a digit.
    const bool word = std::ranges::none_of(value, is_digit) && !names_password(name);
    return !word && !is_elsewhere(value) && !is_example(value) && value.size() >= shortest_credential;
}

/// "session=...; theme=dark", with no date or age in it. Without "=" it may be a cookie's name, but not in a
/// header.
bool is_credential_in_cookie(std::string_view name, std::string_view value) {
    constexpr std::size_t longest_time = 13;  // in milliseconds
    const bool in_header = lower(name).find("headers") != std::string::npos;
    return std::ranges::any_of(words_of(value, "; \t\r\n"), [&](std::string_view part) {
        const std::size_t equals = part.find('=');
        const std::string_view set = part.substr(equals + 1);
        return (equals != std::string_view::npos || in_header || part.size() >= shortest_made) &&
               !(set.size() <= longest_time && std::ranges::all_of(set, is_digit)) &&
               can_be_credential(name, set);
    });
}

/// "Basic ...", or what only a machine has made: a method may stand there, too ("oauth2-device",
/// "oauth2ClientCredentials").
bool is_credential_under_auth(std::string_view name, std::string_view value) {
    const std::size_t blank = value.find(' ');
    if (blank == std::string_view::npos) {
        const bool plain = std::ranges::all_of(
            value, [](char c) { return is_digit(c) || is_capital(c) || (c >= 'a' && c <= 'z'); });
        return plain && value.size() >= shortest_made && !lower(value).starts_with("oauth") &&
               can_be_credential(name, value);
    }
    const std::string scheme = lower(value.substr(0, blank));
    return (scheme == "basic" || scheme == "token") && can_be_credential(name, value.substr(blank + 1));
}

bool is_named_credential(std::string_view name, std::string_view value) {
    const std::string low = "." + lower(name);
    if (low.ends_with("authorization"))  // "Token ...", or the token alone
        return can_be_credential(name, value.substr(value.rfind(' ') + 1));
    if (low.ends_with(".cookie") || low.ends_with("/cookie") || low.ends_with("-cookie"))
        return is_credential_in_cookie(name, value);
    if (low.ends_with(".auth") || low.ends_with("/auth")) return is_credential_under_auth(name, value);
    return names_credential(name) && can_be_credential(name, value);
}

/// Of a URL's query, where what opens is named in short: "?key=...", "?sig=...".
bool is_credential_in_query_part(std::string_view name, std::string_view value) {
    const std::string low = lower(name);
    const bool is_short =
        low == "key" || low == "api-key" || low == "sig" || low == "signature" || low.ends_with("-signature");
    return (is_short || names_credential(name)) && can_be_credential(name, value);
}

/// "https://host/mcp?token=...": each part of a URL's query or fragment, and of that of a URL in it, is as a
/// setting of its name. No part is taken apart again: others wrote this, as deep as they like.
bool is_credential_in_query(std::string_view value) {
    const std::size_t url = value.find("://");
    const std::size_t query = url == std::string_view::npos ? url : value.find_first_of("?#", url);
    if (query == std::string_view::npos) return false;
    return std::ranges::any_of(words_of(value.substr(query + 1), "&?#\"' \t\r\n"), [](std::string_view part) {
        const std::size_t equals = part.find('=');
        return equals != std::string_view::npos &&
               is_credential_in_query_part(part.substr(0, equals), part.substr(equals + 1));
    });
}

std::string_view after_quotes(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of("\"'"), text.size()));
}

/// "Zr81xP0m"
bool is_random(std::string_view part) {
    const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
    return part.size() >= shortest_credential && std::ranges::any_of(part, is_digit) &&
           std::ranges::any_of(part, is_capital) && std::ranges::any_of(part, is_small);
}

/// "--tls-secret=ingress-tls" names one of Kubernetes', "--ssh-key=keys/id_1" a file. A slash is also in
/// passwords, in base64 and in what is long.
bool is_name_in_flag(std::string_view name, std::string_view value) {
    constexpr std::size_t longest_path = 31;
    if (lower(name).ends_with("secret"))
        return value.find('-') != std::string_view::npos &&
               std::ranges::all_of(value, [](char c) { return c == '-' || (c >= 'a' && c <= 'z'); });
    if (names_password(name)) return false;
    return value.starts_with("./") || value.starts_with("../") || value.ends_with(".pem") ||
           value.ends_with(".key") ||
           (value.size() <= longest_path && value.find('/') != std::string_view::npos &&
            value.find_first_of("+=") == std::string_view::npos &&
            std::ranges::none_of(words_of(value, "/"), is_random));
}

/// What follows a flag as a word of its own may be any word, where the flag has no value: "--ask-password
/// db2".
bool is_made_by_a_machine(std::string_view word) {
    return is_random(word) && word.find_first_of("/:.,@") == std::string_view::npos;
}

/// "--api-key=..." or "--api-key ...", alone or in a command line.
bool is_credential_in_flag(std::string_view value) {
    const std::vector<std::string_view> words = words_of(value);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view flag = after_quotes(words[i]);
        const std::size_t equals = flag.find('=');
        const bool apart = equals == std::string_view::npos;
        if (!flag.starts_with("--") || (apart && i + 1 == words.size())) continue;
        const std::string_view name = flag.substr(2, apart ? equals : equals - 2);
        const std::string_view rest = after_quotes(apart ? words[i + 1] : flag.substr(equals + 1));
        const std::string_view set = rest.substr(0, rest.find_first_of("\"'"));
        if (apart && !is_made_by_a_machine(set)) continue;
        if (is_named_credential(name, set) && !is_name_in_flag(name, set)) return true;
    }
    return false;
}

/// "${COLONY_PAT}", "Bearer ${env:COLONY_PAT}"
bool is_reference(std::string_view text) {
    if (text.starts_with("Bearer ")) text.remove_prefix(7);
    if (!text.starts_with("${") || !text.ends_with('}')) return false;
    text = text.substr(2, text.size() - 3);
    return is_variable_name(text.starts_with("env:") ? text.substr(4) : text);
}

/// `before`: in a list of arguments the flag without a value of its own that stands before it.
void collect(const Json& value, const std::string& pointer, const std::map<std::string, std::string>& known,
             std::vector<std::string>& found, const std::string& before = {}) {
    if (value.is_structured()) {
        std::string last;
        for (const auto& [key, item] : value.items()) {
            collect(item, fmt::format("{}/{}", pointer, kube::escape_pointer(key)), known, found, last);
            last = value.is_array() ? kube::text_at(item, "") : "";
            if (!last.starts_with("--") || last.find('=') != std::string::npos) last.clear();
        }
        return;
    }
    if (!value.is_string() && (!value.is_number() || is_count(pointer, value))) return;
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    const bool copied = std::ranges::any_of(
        known, [&](const auto& one) { return text.find(one.second) != std::string::npos; });
    if (copied || is_credential(pointer, text) ||
        (!before.empty() && is_credential_in_flag(fmt::format("{} {}", before, text))))
        found.push_back(pointer);
}

}  // namespace

bool is_credential(std::string_view name, std::string_view value) {
    return has_secret_shape(value) || is_credential_in_query(value) || is_credential_in_flag(value) ||
           is_named_credential(name, value);
}

std::vector<std::string> credentials_in(const Json& value, const std::string& pointer,
                                        const std::map<std::string, std::string>& known) {
    std::vector<std::string> found;
    collect(value, pointer, known, found);
    return found;
}

std::map<std::string, std::string> telling_values(std::map<std::string, std::string> values) {
    std::erase_if(values, [](const auto& one) {
        return !names_credential(one.first) || one.second.size() < shortest_credential;
    });
    return values;
}

bool may_be_credential(const std::string& path, const Json& value) {
    if (path.ends_with("model.provider")) return false;  // "minimax-oauth"
    if (value.is_structured() || value.is_number())
        return hints_at_credential(path) && !is_count(path, value);
    if (!value.is_string()) return false;
    const std::string& text = value.get_ref<const std::string&>();
    if (text.empty() || is_reference(text)) return false;
    // A part of a value may have no shape any more by which scrub knows it.
    return is_credential(path, text) || hints_at_credential(path) || names_user(text) ||
           hints_at_credential(text) || scrub(text) != text;
}

Json without_credentials(Json value, const std::string& path) {
    if (value.is_object()) {
        for (auto& [key, item] : value.items())
            item = without_credentials(item, fmt::format("{}.{}", path, key));
    } else if (value.is_array()) {
        // What follows "--api-key" in a list of arguments has no name of its own.
        const bool hidden = std::any_of(value.begin(), value.end(),
                                        [&](const Json& item) { return may_be_credential(path, item); });
        for (Json& item : value)
            item = hidden && !item.is_structured() ? Json("***") : without_credentials(item, path);
    } else if (may_be_credential(path, value)) {
        value = "***";
    }
    return value;
}

Json content_of(const Json& text) {
    if (!text.is_string()) return text;
    try {
        const std::vector<Json> documents = kube::parse_yaml(text.get_ref<const std::string&>(), "a file");
        if (documents.size() == 1) return documents.front();
        if (!documents.empty()) return documents;
    } catch (const Error&) {
        return text;
    }
    return text;
}

}  // namespace hermesctl::hermes
