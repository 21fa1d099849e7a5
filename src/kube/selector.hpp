// What lists and watches share: their query, and how their answers are read.
#pragma once

#include "hermesctl/kube/client.hpp"

#include <string>
#include <string_view>

namespace hermesctl::kube {

/// "labelSelector=app%3Dhermes&fieldSelector=...", or "".
std::string selector_query(const Selector&);
/// What the text says, discarded if it is no JSON; never throws.
Json parsed(std::string_view text);
/// The same without managedFields, which are half of an object; but policies are asked who wrote them.
Json parsed_items(std::string_view text, const Kind&);
/// A list. Gives each item its apiVersion and kind, which the server leaves out; without items it gets an
/// empty array.
Json parsed_list(std::string_view text, const Kind&);

}  // namespace hermesctl::kube
