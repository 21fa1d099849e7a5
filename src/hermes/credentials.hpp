// Which settings are credentials, or may be, as far as names and shapes tell.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

using kube::Json;

inline constexpr std::size_t shortest_credential = 8;

/// Whether a name says that its value is a credential, and this value can be one.
bool is_credential(std::string_view name, std::string_view value);

/// The leaves that hold a credential, or one of the values that are known, by path ("model.api_key"); `path`
/// is that of the value itself.
std::vector<std::string> credentials_in(const Json& value, const std::string& path,
                                        const std::map<std::string, std::string>& known);

/// Whether a leaf of a file in which keys may stand is not to be shown: wider, as what is hidden in vain does
/// no harm.
bool may_be_credential(const std::string& path, const Json& value);

/// The same settings with what may be a credential as "***"; a reference to a variable stays.
Json without_credentials(Json value, const std::string& path);

/// A file of a ConfigMap as what it says: its document, or a list of several; the text itself where it is no
/// YAML.
Json content_of(const Json& text);

}  // namespace hermesctl::hermes
