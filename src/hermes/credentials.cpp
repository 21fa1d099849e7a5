#include "credentials.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

bool is_variable(std::string_view value) {
    return std::ranges::all_of(
        value, [](unsigned char c) { return std::isupper(c) != 0 || std::isdigit(c) != 0 || c == '_'; });
}

void collect(const Json& value, const std::string& path, const std::map<std::string, std::string>& known,
             std::vector<std::string>& found) {
    if (value.is_structured()) {
        for (const auto& [key, item] : value.items())
            collect(item, path.empty() ? key : fmt::format("{}.{}", path, key), known, found);
        return;
    }
    if (!value.is_string()) return;
    const auto& text = value.get_ref<const std::string&>();
    const bool copied = std::ranges::any_of(
        known, [&](const auto& one) { return text.find(one.second) != std::string::npos; });
    if (copied || is_credential(path, text)) found.push_back(path);
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

/// "${COLONY_PAT}", "Bearer ${COLONY_PAT}"
bool is_reference(std::string_view text) {
    if (text.starts_with("Bearer ")) text.remove_prefix(7);
    return text.starts_with("${") && text.find('}') == text.size() - 1;
}

bool is_to_be_masked(const std::string& path, const Json& value) {
    if (!value.is_string()) return false;
    const auto& text = value.get_ref<const std::string&>();
    return !text.empty() && !is_reference(text) && may_be_credential(path, value);
}

}  // namespace

bool is_credential(std::string_view name, std::string_view value) {
    if (has_secret_shape(value)) return true;
    const bool reference = value.starts_with('/') || value.starts_with('<') || is_variable(value) ||
                           value.find("${") != std::string_view::npos ||
                           value.find_first_of(" \t\r\n") != std::string_view::npos;
    return names_credential(name) && !reference && value.size() >= shortest_credential;
}

std::vector<std::string> credentials_in(const Json& value, const std::string& path,
                                        const std::map<std::string, std::string>& known) {
    std::vector<std::string> found;
    collect(value, path, known, found);
    return found;
}

bool may_be_credential(const std::string& path, const Json& value) {
    if (path.ends_with("model.provider")) return false;  // "minimax-oauth"
    if (hints_at_credential(path)) return true;
    if (!value.is_string()) return false;
    // A part of a value may have no shape any more by which scrub knows it.
    const std::string& text = value.get_ref<const std::string&>();
    return names_user(text) || hints_at_credential(text) || scrub(text) != text;
}

Json without_credentials(Json value, const std::string& path) {
    if (value.is_object()) {
        for (auto& [key, item] : value.items())
            item = without_credentials(item, fmt::format("{}.{}", path, key));
    } else if (value.is_array()) {
        // What follows "--api-key" in a list of arguments has no name of its own.
        const bool hidden = std::any_of(value.begin(), value.end(),
                                        [&](const Json& item) { return is_to_be_masked(path, item); });
        for (Json& item : value)
            item = hidden && item.is_string() ? Json("***") : without_credentials(item, path);
    } else if (is_to_be_masked(path, value)) {
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
