// The files of manifests/ as they were when the binary was built; YAML as JSON, one object a file.
#pragma once

#include <string_view>

namespace hermesctl::hermes {

/// The text of manifests/NAME. Throws std::logic_error for a name that is not there.
std::string_view embedded(std::string_view name);

}  // namespace hermesctl::hermes
