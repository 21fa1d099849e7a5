#include "hermesctl/base/nearest.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <vector>

#include <fmt/format.h>

namespace hermesctl {
namespace {

bool same_letter(char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

/// Levenshtein's, where a swap of neighbours counts as one change.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    std::iota(d[0].begin(), d[0].end(), 0U);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        d[i][0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = d[i - 1][j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0U : 1U);
            d[i][j] = std::min({replaced, d[i - 1][j] + 1, d[i][j - 1] + 1});
            const bool swapped =
                i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]);
            if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[a.size()][b.size()];
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string_view> known) {
    return nearest(word, known, word.size() / 3 + 1);  // further away is another word
}

std::string nearest(std::string_view word, std::span<const std::string_view> known, std::size_t at_most) {
    if (word.size() > 100) return "";
    std::size_t best = at_most + 1;
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
    return closest.empty() ? "" : fmt::format("; did you mean {}?", closest);
}

}  // namespace hermesctl
