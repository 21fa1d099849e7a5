#include "hermesctl/term/table.hpp"

#include "hermesctl/term/text.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace hermesctl::term {
namespace {

using Row = std::vector<std::string>;

constexpr int gap = 2;
constexpr int least_last_column = 10;

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

std::string line_of(const Row& row, const std::vector<int>& widths) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string cell = fit(row[i], widths[i], true);
        line += i + 1 < row.size() ? pad(cell, widths[i] + gap) : cell;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

/// For terminals on which no table fits: "HEADER  value" lines, an empty line between rows.
std::string stacked(const Row& header, const std::vector<Row>& rows, int width) {
    const std::vector<int> names = widths_of({header});
    const int name_width = names.empty() ? 0 : *std::max_element(names.begin(), names.end());
    std::string out;
    for (const Row& row : rows) {
        if (!out.empty()) out += "\n";
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string name = i < header.size() ? header[i] : "";
            out += fit(pad(name, name_width + gap) + row[i], width, true) + "\n";
        }
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
    if (width > 0 && before_last + widths.back() > width) {
        if (width - before_last < least_last_column) return stacked(header, safe_rows, width);
        widths.back() = width - before_last;
    }
    std::string out;
    for (const Row& row : all) {
        out += line_of(row, widths);
    }
    return out;
}

}  // namespace hermesctl::term
