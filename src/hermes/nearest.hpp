// The known word that was probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hermesctl::hermes {

/// The closest of `known`, or "" when none is close.
std::string nearest(std::string_view word, std::span<const std::string_view> known);
/// "; did you mean 'CLOSEST'?", or "".
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace hermesctl::hermes
