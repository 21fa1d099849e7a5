// Kubernetes' LabelSelector (apimachinery, meta/v1): which labels one selects.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <string>

namespace hermesctl::hermes {

/// An empty one selects everything; one with an operator that is not known selects nothing.
bool selects(const kube::Json& selector, const kube::Json& labels);
/// "app=nas,tier in (a, b)"; "" for one that selects everything.
std::string selector_text(const kube::Json& selector);

}  // namespace hermesctl::hermes
