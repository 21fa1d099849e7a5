#include "hermesctl/base/text.hpp"

#include <algorithm>
#include <cctype>

namespace hermesctl {
namespace {

char small(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

char capital(char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

}  // namespace

std::string lower(std::string_view text) {
    std::string low(text);
    std::ranges::transform(low, low.begin(), small);
    return low;
}

std::string upper(std::string_view text) {
    std::string high(text);
    std::ranges::transform(high, high.begin(), capital);
    return high;
}

bool equal_ignoring_case(std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other, {}, small, small);
}

std::string_view trimmed(std::string_view text, std::string_view blanks) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find_first_of(separators, start), text.size());
        parts.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

std::vector<std::string_view> words_of(std::string_view text, std::string_view separators) {
    auto words = split(text, separators);
    std::erase_if(words, [](std::string_view word) { return word.empty(); });
    return words;
}

void append_up_to(std::size_t limit, std::string& text, std::string_view more) {
    text += more.substr(0, limit - std::min(text.size(), limit));
}

}  // namespace hermesctl
