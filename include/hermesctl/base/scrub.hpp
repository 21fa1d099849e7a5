// Keeps secrets out of everything that is shown. One list for the process, on purpose: a secret that any part
// of the program has read must not be shown by any other.
#pragma once

#include <string>
#include <string_view>

namespace hermesctl {

/// From now on scrub() removes this value and its base64. Values shorter than 6 bytes are not remembered.
void remember_secret(std::string_view value);
/// Whether this value as a whole, or its base64, was remembered.
bool is_remembered(std::string_view value);

/// The text with remembered values, Telegram bot tokens, bearer tokens, pairs of basic authentication,
/// passwords in URLs, PEM private keys, JSON web tokens, and keys and webhooks of well-known services
/// (sk-..., AWS, GitHub, GitLab, Google, Slack, Discord) replaced by "***". Every message for a person, a log
/// or JSON that holds foreign text passes through it.
std::string scrub(std::string_view text);
/// Whether scrub() would find a secret in it by its shape alone, whatever has been remembered. Real ones hold
/// a digit, but for a URL's password; "Bearer authentication" is none, though it is masked.
bool has_secret_shape(std::string_view text);

/// "api-key-1": letters, and a small number at the end. What a machine has made is otherwise.
bool holds_words(std::string_view text);
/// "<key>", "{{KEY_1}}", "[password]", "%PASS%": it says what is to be put in its place.
bool is_placeholder(std::string_view text);

}  // namespace hermesctl
