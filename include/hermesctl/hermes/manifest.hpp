// The objects of manifests/.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <string_view>

namespace hermesctl::hermes {

/// The object in manifests/NAME, which is read once. Throws std::logic_error for a name that is not there.
const kube::Json& manifest(std::string_view name);

}  // namespace hermesctl::hermes
