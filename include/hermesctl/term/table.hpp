// Columns of text.
#pragma once

#include <string>
#include <vector>

namespace hermesctl::term {

/// Rows under a header (none if empty), two spaces between columns, a line each. Nothing is cut, and no line
/// is broken: where it is longer than the terminal is wide, a command in it is still copied as one.
std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

}  // namespace hermesctl::term
