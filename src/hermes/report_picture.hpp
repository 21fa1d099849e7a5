// What reaches what, as a picture for the page.
#pragma once

#include "hermesctl/hermes/check.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

/// A place outside of the cage, as the rows show it.
struct Destination {
    std::string_view label = "";
    bool wanted = false;               // the agent needs it
    std::optional<Verdict> verdict{};  // nothing: this run did not look
};

std::vector<Destination> destinations_of(const Checks&);

/// Inline SVG; its colours come from the page's style.
std::string picture_of(const Checks&);

/// One word for CSS: "pass", "warn", "fail", "unknown", "none".
std::string_view class_of(std::optional<Verdict>);
/// One character that needs no colour.
std::string_view mark_of(std::optional<Verdict>);

}  // namespace hermesctl::hermes
