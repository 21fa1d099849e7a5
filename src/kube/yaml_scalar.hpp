// What a plain (unquoted) YAML scalar means, by the rules of Kubernetes' own YAML reader (go.yaml.in/yaml/v2
// below sigs.k8s.io/yaml): yes, no, on, off, y and n are booleans, 0777 is octal, 1_000 is a number.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <string>
#include <string_view>

namespace hermesctl::kube {

/// Null, a boolean, a number, or the string itself. Throws std::range_error for .inf and .nan, which JSON
/// lacks.
Json resolve_plain(const std::string& text);

/// Whether this string can stand without quotes and is a string to every YAML reader, old ones included.
bool plain_is_string(std::string_view text);

}  // namespace hermesctl::kube
