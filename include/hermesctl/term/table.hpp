// Columns of text that fit a width.
#pragma once

#include <string>
#include <vector>

namespace hermesctl::term {

/// Rows under a header (none if empty), two spaces between columns. Nothing is cut: where it does not fit
/// `width`, the last column is wrapped below its start, and on very narrow terminals a row becomes
/// "HEADER  value" lines. width 0: no limit, each row is one line.
std::string table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                  int width);

}  // namespace hermesctl::term
