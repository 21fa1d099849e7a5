#include "hermesctl/term/text.hpp"

#include "hermesctl/base/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace hermesctl::term {
namespace {

struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
};

// The ranges that matter of Unicode's EastAsianWidth (W, F) and of general categories Mn, Me, Cf; sorted.
constexpr std::array wide{
    Range{0x1100, 0x115F},   Range{0x231A, 0x231B},   Range{0x2329, 0x232A},   Range{0x23E9, 0x23EC},
    Range{0x23F0, 0x23F0},   Range{0x23F3, 0x23F3},   Range{0x25FD, 0x25FE},   Range{0x2614, 0x2615},
    Range{0x2648, 0x2653},   Range{0x26A1, 0x26A1},   Range{0x26D4, 0x26D4},   Range{0x2705, 0x2705},
    Range{0x270A, 0x270B},   Range{0x2728, 0x2728},   Range{0x274C, 0x274C},   Range{0x2753, 0x2755},
    Range{0x2757, 0x2757},   Range{0x2E80, 0x303E},   Range{0x3041, 0x33FF},   Range{0x3400, 0x4DBF},
    Range{0x4E00, 0xA4CF},   Range{0xA960, 0xA97F},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},
    Range{0xFE30, 0xFE6F},   Range{0xFF01, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x16FE0, 0x18CFF},
    Range{0x1B000, 0x1B2FF}, Range{0x1F004, 0x1F004}, Range{0x1F0CF, 0x1F0CF}, Range{0x1F18E, 0x1F19A},
    Range{0x1F200, 0x1F320}, Range{0x1F32D, 0x1F64F}, Range{0x1F680, 0x1F6FF}, Range{0x1F7E0, 0x1F7EB},
    Range{0x1F90C, 0x1F9FF}, Range{0x1FA70, 0x1FAFF}, Range{0x20000, 0x3FFFD}};
constexpr std::array zero_width{
    Range{0x0300, 0x036F},  Range{0x0483, 0x0489}, Range{0x0591, 0x05BD}, Range{0x0610, 0x061A},
    Range{0x064B, 0x065F},  Range{0x0670, 0x0670}, Range{0x06D6, 0x06DC}, Range{0x093A, 0x093C},
    Range{0x0941, 0x0948},  Range{0x094D, 0x094D}, Range{0x0E31, 0x0E31}, Range{0x0E34, 0x0E3A},
    Range{0x0E47, 0x0E4E},  Range{0x1AB0, 0x1AFF}, Range{0x1DC0, 0x1DFF}, Range{0x200B, 0x200D},
    Range{0x2060, 0x2064},  Range{0x20D0, 0x20FF}, Range{0x302A, 0x302D}, Range{0x3099, 0x309A},
    Range{0xFE00, 0xFE0F},  Range{0xFE20, 0xFE2F}, Range{0xFEFF, 0xFEFF}, Range{0x1F3FB, 0x1F3FF},
    Range{0xE0100, 0xE01EF}};

template <std::size_t Count>
bool in(const std::array<Range, Count>& ranges, std::uint32_t code) {
    const auto* found = std::lower_bound(ranges.begin(), ranges.end(), code,
                                         [](const Range& range, std::uint32_t c) { return range.last < c; });
    return found != ranges.end() && found->first <= code;
}

int columns_of(const Character& c) {
    if (!c.valid) return 1;
    if (in(zero_width, c.code)) return 0;
    return in(wide, c.code) ? 2 : 1;
}

/// What fits of a word into `width` columns, at least one character; taken from the word.
std::string take_piece(std::string_view& word, int width) {
    std::string piece;
    int used = 0;
    while (!word.empty()) {
        const Character c = first_character(word);
        used += columns_of(c);
        if (!piece.empty() && used > width) break;
        piece += word.substr(0, c.size);
        word.remove_prefix(c.size);
    }
    return piece;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Character c = first_character(text);
        if (c.code == '\t' || c.code == '\n' || c.code == '\r') {
            out += ' ';
        } else if (!c.valid || is_control(c.code)) {
            out += '?';
        } else {
            out += text.substr(0, c.size);
        }
        text.remove_prefix(c.size);
    }
    return out;
}

int columns(std::string_view text) {
    int sum = 0;
    while (!text.empty()) {
        const Character c = first_character(text);
        sum += columns_of(c);
        text.remove_prefix(c.size);
    }
    return sum;
}

std::string fit(std::string_view text, int width, bool unicode) {
    if (columns(text) <= width) return std::string(text);
    const std::string_view ellipsis = unicode ? "…" : "...";
    const int room = width - columns(ellipsis);
    if (room < 0) return std::string(static_cast<std::size_t>(std::max(width, 0)), '.');
    std::string out;
    int used = 0;
    while (!text.empty()) {
        const Character c = first_character(text);
        used += columns_of(c);
        if (used > room) break;
        out += text.substr(0, c.size);
        text.remove_prefix(c.size);
    }
    return out.append(ellipsis);
}

std::string pad(std::string_view text, int width) {
    std::string out(text);
    const int missing = width - columns(text);
    if (missing > 0) out.append(static_cast<std::size_t>(missing), ' ');
    return out;
}

std::vector<std::string> wrapped(std::string_view text, int width) {
    std::vector<std::string> lines(1);
    while (!text.empty()) {
        std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        if (word.empty()) continue;
        if (!lines.back().empty() && columns(lines.back()) + 1 + columns(word) > width) lines.emplace_back();
        if (!lines.back().empty()) lines.back() += ' ';
        while (columns(word) > width) {
            lines.back() += take_piece(word, width);
            if (!word.empty()) lines.emplace_back();
        }
        lines.back() += word;
    }
    return lines;
}

}  // namespace hermesctl::term
