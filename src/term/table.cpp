#include "hermesctl/term/table.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/term/text.hpp"

#include <algorithm>
#include <iterator>

namespace hermesctl::term {
namespace {

using Row = std::vector<std::string>;

constexpr int gap = 2;

std::string line_of(const Row& row, const std::vector<int>& widths) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
        line += i + 1 < row.size() ? pad(row[i], widths[i] + gap) : row[i];
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

}  // namespace

std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
    std::vector<Row> all;
    if (!header.empty()) all.push_back(header);
    for (const Row& row : rows) {
        all.emplace_back();
        std::ranges::transform(row, std::back_inserter(all.back()),
                               [](const std::string& cell) { return printable(scrub(cell)); });
    }
    std::vector<int> widths;
    for (const Row& row : all) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], columns(row[i]));
    }
    std::string out;
    for (const Row& row : all)
        out += line_of(row, widths);
    return out;
}

}  // namespace hermesctl::term
