// Text taken apart, and collected. Letters are those of ASCII.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hermesctl {

inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
inline bool is_capital(char c) {
    return c >= 'A' && c <= 'Z';
}
std::string lower(std::string_view);
std::string upper(std::string_view);
bool equal_ignoring_case(std::string_view, std::string_view);

/// Without these characters at its ends.
std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r\n");
/// What any of the separators part, the empty parts too: one part more than there are separators.
std::vector<std::string_view> split(std::string_view text, std::string_view separators);
/// The parts that are not empty.
std::vector<std::string_view> words_of(std::string_view text, std::string_view separators = " \t\r\n");

/// Adds what there is room for: of what a stranger may write without end.
void append_up_to(std::size_t limit, std::string& text, std::string_view more);

}  // namespace hermesctl
