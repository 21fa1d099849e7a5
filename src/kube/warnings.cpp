// Warning header lines: code, agent, quoted text, perhaps a quoted date; several in a line, separated by
// commas.
#include "warnings.hpp"

#include "hermesctl/base/text.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace hermesctl::kube {
namespace {

void skip_spaces(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
}

std::string_view take_word(std::string_view& rest) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    skip_spaces(rest);
    return word;
}

/// A quoted string with its escapes undone; nothing when there is none or it does not end.
std::optional<std::string> take_quoted(std::string_view& rest) {
    if (!rest.starts_with('"')) return std::nullopt;
    std::string text;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            skip_spaces(rest);
            return text;
        }
        if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
        text += rest[i];
    }
    return std::nullopt;
}

void parse_line(std::string_view rest, std::vector<std::string>& texts) {
    skip_spaces(rest);
    while (!rest.empty()) {
        const std::string_view code = take_word(rest);
        take_word(rest);  // the agent, "-" from Kubernetes
        const std::optional<std::string> text = take_quoted(rest);
        if (!text) return;
        if (rest.starts_with('"') && !take_quoted(rest)) return;  // the date
        if (code == "299") texts.push_back(*text);
        if (!rest.starts_with(',')) return;
        rest.remove_prefix(1);
        skip_spaces(rest);
    }
}

}  // namespace

std::vector<std::string> warnings_of(const net::Response& answer) {
    std::vector<std::string> texts;
    for (const net::Header& header : answer.headers) {
        if (equal_ignoring_case(header.name, "Warning")) parse_line(header.value, texts);
    }
    return texts;
}

}  // namespace hermesctl::kube
