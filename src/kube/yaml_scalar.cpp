#include "yaml_scalar.hpp"

#include "hermesctl/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>

namespace hermesctl::kube {
namespace {

bool is_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string without_underscores(std::string_view text) {
    std::string out;
    std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c != '_'; });
    return out;
}

/// Takes a base prefix (0x, 0o, 0b, or a leading 0 for octal) off the digits.
int take_base(std::string_view& digits) {
    if (digits.size() < 2 || digits[0] != '0') return 10;
    const char mark = static_cast<char>(digits[1] | 0x20);
    const int base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    digits.remove_prefix(base == 0 ? 1 : 2);
    return base == 0 ? 8 : base;
}

std::optional<Json> integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    const int base = take_base(text);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!negative) return value > most ? Json(value) : Json(static_cast<std::int64_t>(value));
    if (value > most + 1) return std::nullopt;
    return Json(value == most + 1 ? std::numeric_limits<std::int64_t>::min()
                                  : -static_cast<std::int64_t>(value));
}

/// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
std::optional<Json> real(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    const bool number =
        !text.empty() && (is_digit(text[0]) || (text.size() > 1 && text[0] == '.' && is_digit(text[1])));
    if (!number) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (negative) value = -value;
    // Kubernetes sees JSON text, where 1e3 and 1000 are the same integer.
    constexpr double exact = 9007199254740992.0;
    if (std::abs(value) <= exact && std::trunc(value) == value) return Json(static_cast<std::int64_t>(value));
    return Json(value);
}

}  // namespace

Json resolve_plain(const std::string& text) {
    if (is_any(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
    if (is_any(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) return true;
    if (is_any(text, {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}))
        return false;
    const std::string_view unsigned_text =
        std::string_view(text).substr(text[0] == '-' || text[0] == '+' ? 1 : 0);
    if (is_any(unsigned_text, {".inf", ".Inf", ".INF"}) || is_any(text, {".nan", ".NaN", ".NAN"})) {
        throw std::range_error("infinity and not-a-number are not JSON; quote it if it is text");
    }
    if (!is_digit(text[0]) && text[0] != '-' && text[0] != '+' && text[0] != '.') return text;
    if (text[0] == '.') return real(text).value_or(Json(text));
    const std::string plain = without_underscores(text);
    if (auto value = integer(plain)) return *value;
    return real(plain).value_or(Json(text));
}

bool plain_is_string(std::string_view text) {
    const auto safe = [](char c) {
        return is_letter(c) || is_digit(c) || std::string_view("_-./:@+=,").find(c) != std::string_view::npos;
    };
    if (text.empty() || text.size() > 200 || !std::all_of(text.begin(), text.end(), safe)) return false;
    if (text.ends_with(':')) return false;
    const bool word = is_letter(text[0]) || text[0] == '/' || text[0] == '_';
    if (word) return resolve_plain(std::string(text)).is_string();
    // What starts like a number or a date stays plain only with a letter that none of them has ("512Mi",
    // "250m").
    const auto telling = [](char c) {
        return std::string_view("ghijklmnpqrsuvwGHIJKLMNPQRSUVW/").find(c) != std::string_view::npos;
    };
    return is_digit(text[0]) && std::any_of(text.begin(), text.end(), telling);
}

}  // namespace hermesctl::kube
