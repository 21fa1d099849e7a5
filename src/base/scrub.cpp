#include "hermesctl/base/scrub.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/text.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace hermesctl {
namespace {

constexpr std::size_t shortest_secret = 6;
constexpr std::string_view mask = "***";

std::vector<std::string>& secrets() {
    static std::vector<std::string> values;
    return values;
}

void replace_all(std::string& text, std::string_view what) {
    for (std::size_t place = text.find(what); place != std::string::npos;
         place = text.find(what, place + mask.size())) {
        text.replace(place, what.size(), mask);
    }
}

bool is_token_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

/// Telegram: 1-16 digits, a colon, then the secret. Hermes writes even wrong ones ("999:BAD") into its
/// errors, between backquotes or as "/bot999:BAD/"; elsewhere only long ones count, so that "10:30" stays
/// readable. At the end of a word it is a digest (sha256:...) or an image's tag, unless the secret begins as
/// all of Telegram's do: what stands before a token may be a letter too (\n in JSON, a colour).
void mask_bot_tokens(std::string& text) {
    for (std::size_t colon = text.find(':'); colon != std::string::npos; colon = text.find(':', colon + 1)) {
        std::size_t begin = colon;
        while (begin > 0 && is_digit(text[begin - 1])) {
            --begin;
        }
        std::size_t end = colon + 1;
        while (end < text.size() && is_token_char(text[end])) {
            ++end;
        }
        if (begin == colon || end == colon + 1) continue;
        const std::string_view before(text.data(), begin);
        const std::string_view secret = std::string_view(text).substr(colon + 1, end - colon - 1);
        const bool in_url = before.ends_with("/bot") && end < text.size() && text[end] == '/';
        const bool named = in_url || before.ends_with('`') || before.ends_with("token ");
        const bool in_word = !before.empty() && is_token_char(before.back()) && !before.ends_with("bot");
        if (!named && (secret.size() < 20 || (in_word && !secret.starts_with("AA")))) continue;
        text.replace(begin, end - begin, mask);
        colon = begin;
    }
}

std::size_t word_end(std::string_view text, std::size_t begin) {
    constexpr std::string_view others = ".~+/=";
    while (begin < text.size() && (is_token_char(text[begin]) || others.find(text[begin]) != others.npos)) {
        ++begin;
    }
    return begin;
}

enum class Lead { stands_before, begins_it };

/// Masks the word at `lead` where `is_secret` says so. In the middle of another word (helpdesk-assistant)
/// none begins.
template <typename Judge>
void mask_at(std::string& text, std::string_view lead, Lead kind, Judge is_secret) {
    std::size_t end = 0;  // of the word: "AKIA/AKIA/" without an end is looked through once
    for (std::size_t place = text.find(lead); place != std::string::npos;
         place = text.find(lead, place + 1)) {
        if (kind == Lead::begins_it && place > 0 && is_token_char(text[place - 1])) continue;
        const std::size_t begin = kind == Lead::begins_it ? place : place + lead.size();
        if (begin >= end) end = word_end(text, begin);
        if (!is_secret(std::string_view(text).substr(begin, end - begin))) continue;
        text.replace(begin, end - begin, mask);
        end = begin + mask.size();
    }
}

/// What a service's keys begin with, and how much follows at least.
struct KeyShape {
    std::string_view lead{};
    std::size_t rest = 0;
};
constexpr KeyShape key_shapes[] = {
    // Model providers.
    {"sk-", 16},
    // Slack.
    {"xoxa-", 10},
    {"xoxb-", 10},
    {"xoxe-", 10},
    {"xoxp-", 10},
    {"xoxr-", 10},
    {"xoxs-", 10},
    {"xapp-", 10},
    // GitHub.
    {"ghp_", 30},
    {"gho_", 30},
    {"ghr_", 30},
    {"ghs_", 30},
    {"ghu_", 30},
    {"github_pat_", 30},
    // GitLab.
    {"glpat-", 20},
    // Google.
    {"AIza", 35},
};

/// AWS: 16 capitals and digits, and no more.
bool is_aws_key(std::string_view word) {
    constexpr std::size_t size = 4 + 16;
    return word.size() >= size && (word.size() == size || !is_token_char(word[size])) &&
           std::ranges::all_of(word.substr(0, size), [](char c) { return is_digit(c) || is_capital(c); });
}

/// RFC 7519: {"alg":...}, {"sub":...} and a signature, each in base64.
bool is_json_web_token(std::string_view word) {
    constexpr std::size_t longest_header = 4000;
    return word.size() >= 23 && word.substr(0, longest_header).find(".eyJ") != std::string_view::npos;
}

void mask_keys(std::string& text) {
    for (const KeyShape& shape : key_shapes) {
        mask_at(text, shape.lead, Lead::begins_it,
                [&](std::string_view word) { return word.size() >= shape.lead.size() + shape.rest; });
    }
    for (const std::string_view lead : {"AKIA", "ASIA"}) {
        mask_at(text, lead, Lead::begins_it, is_aws_key);
    }
    mask_at(text, "eyJ", Lead::begins_it, is_json_web_token);
}

/// "PASSWORD", "{password}", "$PASS", "a-${PASS}": none, or what stands for one.
bool is_no_password(std::string_view text) {
    return text == mask || text.starts_with('$') || text.find("${") != std::string_view::npos ||
           text.find("$(") != std::string_view::npos || is_placeholder(text) ||
           std::ranges::all_of(text, [](char c) { return is_capital(c) || c == '_'; });
}

/// "https://user:password@host", whether there was one.
bool mask_url_passwords(std::string& text) {
    bool found = false;
    for (std::size_t url = text.find("://"); url != std::string::npos; url = text.find("://", url + 3)) {
        const std::size_t begin = url + 3;
        const std::size_t end = text.find_first_of("/?#<>\"'` \t\r\n", begin);
        const std::string_view authority = std::string_view(text).substr(begin, end - begin);
        const std::size_t colon = authority.find(':');
        const std::size_t at = authority.rfind('@');
        if (at == std::string_view::npos || colon >= at) continue;
        const std::string_view password = authority.substr(colon + 1, at - colon - 1);
        if (is_no_password(password)) continue;
        text.replace(begin + colon + 1, password.size(), mask);
        found = true;
    }
    return found;
}

bool is_long(std::string_view word) {
    return word.size() >= 8;
}

/// base64 of user:password, perhaps cut short. "Basic constraints" is no such thing.
bool is_basic_pair(std::string_view word) {
    const auto pair = base64_decode(word.substr(0, word.size() / 4 * 4));
    return is_long(word) && pair && pair->find(':') != std::string::npos;
}

/// Of Slack's and Discord's: whoever knows it may write there.
bool is_webhook(std::string_view path) {
    const std::string_view begin = path.substr(0, 14);  // "v10/webhooks/"
    return path.size() >= 20 &&
           (begin.starts_with("services/") || begin.starts_with("workflows/") ||
            begin.starts_with("triggers/") || begin.find("webhooks/") != std::string_view::npos);
}

void mask_private_keys(std::string& text) {
    for (std::size_t place = text.find("-----BEGIN "); place != std::string::npos;
         place = text.find("-----BEGIN ", place + 1)) {
        const std::string_view line = std::string_view(text).substr(place, 56);
        const std::size_t kind = line.find("PRIVATE KEY-----");
        if (kind == std::string_view::npos) continue;
        const std::size_t end = text.find("PRIVATE KEY-----", place + kind + 1);
        const std::size_t size = end == std::string::npos ? std::string::npos : end + 16 - place;
        text.replace(place, size, mask);
    }
}

/// But for passwords in URLs.
void mask_shapes(std::string& text) {
    mask_private_keys(text);
    mask_bot_tokens(text);
    for (const std::string_view lead : {"Bearer ", "bearer "}) {
        mask_at(text, lead, Lead::stands_before, is_long);
    }
    for (const std::string_view lead : {"Basic ", "basic "}) {
        mask_at(text, lead, Lead::stands_before, is_basic_pair);
    }
    for (const std::string_view lead : {"hooks.slack.com/", "discord.com/api/", "discordapp.com/api/"}) {
        mask_at(text, lead, Lead::stands_before, is_webhook);
    }
    mask_keys(text);
}

}  // namespace

bool holds_words(std::string_view text) {
    for (int digits = 0; digits < 3 && !text.empty() && is_digit(text.back()); ++digits) {
        text.remove_suffix(1);
    }
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (is_token_char(c) && !is_digit(c)) || c == '.' || c == ' ';
    });
}

bool is_placeholder(std::string_view text) {
    const auto stands_between = [](std::string_view whole, std::string_view open, std::string_view close) {
        if (whole.size() < open.size() + close.size() || !whole.starts_with(open) || !whole.ends_with(close))
            return false;
        return holds_words(whole.substr(open.size(), whole.size() - open.size() - close.size()));
    };
    return text == "{}" || stands_between(text, "<", ">") || stands_between(text, "{", "}") ||
           stands_between(text, "{{", "}}") || stands_between(text, "[", "]") ||
           stands_between(text, "%", "%");
}

void remember_secret(std::string_view value) {
    if (value.size() < shortest_secret) return;
    auto& known = secrets();
    for (std::string form : {std::string(value), base64_encode(value)}) {
        if (std::find(known.begin(), known.end(), form) == known.end()) known.push_back(std::move(form));
    }
    // Longest first: a secret that contains another one must go as a whole.
    std::stable_sort(known.begin(), known.end(),
                     [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

bool is_remembered(std::string_view value) {
    return std::find(secrets().begin(), secrets().end(), value) != secrets().end();
}

std::string scrub(std::string_view text) {
    std::string out(text);
    for (const std::string& secret : secrets()) {
        replace_all(out, secret);
    }
    mask_url_passwords(out);
    mask_shapes(out);
    return out;
}

bool has_secret_shape(std::string_view text) {
    std::string masked(text);
    if (mask_url_passwords(masked)) return true;
    mask_shapes(masked);
    return std::ranges::count_if(masked, is_digit) < std::ranges::count_if(text, is_digit);
}

}  // namespace hermesctl
