// A new pod by way of the template's annotations.
#pragma once

#include "hermesctl/base/report.hpp"
#include "hermesctl/hermes/live.hpp"

#include <optional>

namespace hermesctl::hermes {

/// With `mark` (the annotations of the Secret that it gets) as deploy would write them, else as `kubectl
/// rollout restart` does. Throws ApiError.
void roll(kube::Client&, const Names&, const std::optional<Json>& mark, Reporter&);

}  // namespace hermesctl::hermes
