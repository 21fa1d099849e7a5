// Columns of text that fit a width.
#pragma once

#include <string>
#include <vector>

namespace hermesctl::term {

/// Rows under a header (none if empty), two spaces between columns; where it does not fit `width`, the last
/// column is cut, and on very narrow terminals a row becomes "HEADER  value" lines. width 0: no limit.
std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                  int width);

}  // namespace hermesctl::term
