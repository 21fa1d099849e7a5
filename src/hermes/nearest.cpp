// Levenshtein distance, without regard to case.
#include "nearest.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <vector>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

bool same_letter(char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (same_letter(a[i], b[j]) ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string_view> known) {
    if (word.size() > 100) return "";
    std::size_t best = word.size() / 3 + 2;  // further away is another word
    std::string_view found;
    for (const std::string_view candidate : known) {
        const std::size_t away = distance(word, candidate);
        if (away < best && away < candidate.size()) {
            best = away;
            found = candidate;
        }
    }
    return std::string(found);
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
    const std::string closest = nearest(word, known);
    return closest.empty() ? "" : fmt::format("; did you mean '{}'?", closest);
}

}  // namespace hermesctl::hermes
