// What others said, fit to be shown.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <string>

namespace hermesctl::hermes {

/// Printable ASCII, scrubbed and short.
std::string tamed(const std::string&);
/// The same for all texts in it, keys too.
kube::Json tamed(const kube::Json&, int depth = 0);

}  // namespace hermesctl::hermes
