// Text as content or attribute of XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace hermesctl::hermes {

/// Escaped; what XML may not hold, and what may make text read differently from what it is, is left out. Line
/// breaks and tabs stay.
std::string escaped(std::string_view);

}  // namespace hermesctl::hermes
