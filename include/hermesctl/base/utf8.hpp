// Characters of UTF-8 text that may be anybody's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hermesctl {

struct Character {
    std::uint32_t code = 0;
    std::size_t size = 1;
    bool valid = false;  // false: a byte that is not UTF-8
};

/// The first character of a text that is not empty; strict (no overlong forms, no surrogates).
Character first_character(std::string_view);

/// Whether all of it is UTF-8.
bool is_text(std::string_view);

/// Controls (C0, DEL, C1), line separators, and the marks that can make text read differently from what it
/// is.
bool is_control(std::uint32_t code);

}  // namespace hermesctl
