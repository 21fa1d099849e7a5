// The known word that was probably meant.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace hermesctl {

/// The closest of `known`, without regard to case; "" when none is close.
std::string nearest(std::string_view word, std::span<const std::string_view> known);
/// The same, with at most so many letters that differ.
std::string nearest(std::string_view word, std::span<const std::string_view> known, std::size_t at_most);
/// "; did you mean CLOSEST?", or "".
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace hermesctl
