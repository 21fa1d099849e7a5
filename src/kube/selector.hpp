// What lists and watches share: their query, and the items' own kind, which the server leaves out.
#pragma once

#include "hermesctl/kube/client.hpp"

#include <string>

namespace hermesctl::kube {

/// "labelSelector=app%3Dhermes&fieldSelector=...", or "".
std::string selector_query(const Selector&);
/// Gives each item of a list its apiVersion and kind; a list without items gets an empty one.
void name_items(Json& list, const Kind&);

}  // namespace hermesctl::kube
