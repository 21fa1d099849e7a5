// Text as a terminal shows it: columns, not bytes; and nothing in it that could command the terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::term {

/// One line that is safe to show: tabs and line breaks become spaces; other control characters, marks that
/// reorder text and bytes that are not UTF-8 become '?'.
std::string printable(std::string_view);
/// Display columns of UTF-8 text: wide characters are two, combining ones none.
int columns(std::string_view);
/// The text cut to at most `width` columns, with an ellipsis where something is missing.
std::string fit(std::string_view, int width, bool unicode);
/// The text with spaces after it up to `width` columns.
std::string pad(std::string_view, int width);
/// Words of the text in lines of at most `width` columns; a longer word is broken. One line at least.
std::vector<std::string> wrapped(std::string_view, int width);

}  // namespace hermesctl::term
