#include "hermesctl/term/table.hpp"

#include "hermesctl/term/text.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace hermesctl::term {
namespace {

using Row = std::vector<std::string>;

constexpr int gap = 2;
constexpr int least_last_column = 20;  // in less than this nobody reads a sentence

std::vector<int> widths_of(const std::vector<Row>& rows) {
    std::vector<int> widths;
    for (const Row& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], columns(row[i]));
        }
    }
    return widths;
}

std::string indent(int columns) {
    return std::string(static_cast<std::size_t>(columns), ' ');
}

/// The text after what its line already holds, its further lines below its start. width 0: no limit.
std::string hanging(std::string_view text, int start, int width) {
    if (width == 0) return std::string(text) + "\n";
    std::string out;
    for (const std::string& line : wrapped(text, std::max(width - start, 1)))
        out += (out.empty() ? "" : indent(start)) + line + "\n";
    return out;
}

std::string lines_of(const Row& row, const std::vector<int>& widths, int width) {
    std::string line;
    int start = 0;
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
        line += pad(row[i], widths[i] + gap);
        start += widths[i] + gap;
    }
    if (!row.empty()) line += hanging(row.back(), start, width);
    const std::size_t end = line.find_last_not_of(" \n");
    return (end == std::string::npos ? "" : line.substr(0, end + 1)) + "\n";
}

/// For terminals on which no table fits: "HEADER  value" lines, an empty line between rows.
std::string stacked(const Row& header, const std::vector<Row>& rows, int width) {
    const std::vector<int> names = widths_of({header});
    const int start = names.empty() ? 0 : *std::max_element(names.begin(), names.end()) + gap;
    std::string out;
    for (const Row& row : rows) {
        if (!out.empty()) out += "\n";
        for (std::size_t i = 0; i < row.size(); ++i)
            out += pad(i < header.size() ? header[i] : "", start) + hanging(row[i], start, width);
    }
    return out;
}

}  // namespace

std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                  int width) {
    std::vector<Row> safe_rows;
    for (const Row& row : rows) {
        safe_rows.emplace_back();
        std::transform(row.begin(), row.end(), std::back_inserter(safe_rows.back()),
                       [](const std::string& cell) { return printable(cell); });
    }
    std::vector<Row> all = safe_rows;
    if (!header.empty()) all.insert(all.begin(), header);
    std::vector<int> widths = widths_of(all);
    if (widths.empty()) return {};
    const int before_last =
        std::accumulate(widths.begin(), widths.end() - 1, 0) + gap * (static_cast<int>(widths.size()) - 1);
    const bool fits = width == 0 || before_last + widths.back() <= width;
    if (!fits && width - before_last < least_last_column) return stacked(header, safe_rows, width);
    std::string out;
    for (const Row& row : all) {
        out += lines_of(row, widths, fits ? 0 : width);
    }
    return out;
}

}  // namespace hermesctl::term
