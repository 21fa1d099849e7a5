// Which settings are credentials, or may be, as far as names and shapes tell.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

using kube::Json;

/// Whether a value has the shape of a credential, or is a URL whose query has one; or its name says so, and
/// it can be one.
bool is_credential(std::string_view name, std::string_view value);

/// The leaves that hold a credential, or one of the values that are known, by JSON pointer; `pointer` is that
/// of the value itself.
std::vector<std::string> credentials_in(const Json& value, const std::string& pointer,
                                        const std::map<std::string, std::string>& known);

/// Of a Secret's values those by which a copy is known: no id, no switch, and not too short.
std::map<std::string, std::string> telling_values(std::map<std::string, std::string> values);

/// Whether a value in a file in which keys may stand is not to be shown: wider, as what is hidden in vain
/// does little harm. A reference to a variable is shown.
bool may_be_credential(const std::string& path, const Json& value);

/// The same settings with what may be a credential as "***".
Json without_credentials(Json value, const std::string& path);

/// A file of a ConfigMap as what it says: its document, or a list of several; the text itself where it is no
/// YAML.
Json content_of(const Json& text);

}  // namespace hermesctl::hermes
