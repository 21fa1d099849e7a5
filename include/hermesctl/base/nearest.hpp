// The known word that was probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hermesctl {

/// The closest of `known`, without regard to case; "" when none is close.
std::string nearest(std::string_view word, std::span<const std::string_view> known);
/// "; did you mean CLOSEST?", or "".
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

}  // namespace hermesctl
