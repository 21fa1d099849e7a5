// Values of a difference in few words.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <string>
#include <utility>
#include <vector>

namespace hermesctl::hermes {

using kube::Json;

/// One line of at most 60 characters; "(none)" for null.
std::string short_text(const Json&);
/// Both, from a little before the place where they differ if that would be cut off.
std::pair<std::string, std::string> contrast(const Json& before, const Json& after);
/// An item of the list at this path: "key: a, operator: Exists", and what a rule of the policy opens.
std::string item_text(const std::string& path, const Json& item);
/// Whether two items of a list are one that was changed, rather than one that went and one that came.
bool alike(const Json& one, const Json& other);
/// Who is on a list of users in base64. Ids are no secrets; anything else may be one in the wrong place.
std::vector<std::string> user_words(const Json& encoded);

}  // namespace hermesctl::hermes
