// Kubernetes objects are JSON here, not typed kinds: what the server sends is what is kept.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

// Compiled once, in object.cpp, and not anew by each file that uses it.
extern template class nlohmann::basic_json<>;

namespace hermesctl::kube {

using Json = nlohmann::json;
/// Of one kind and namespace, by name.
using Objects = std::map<std::string, Json>;

/// Names one object. `ns` is empty for what is not namespaced.
struct Ref {
    std::string kind{};
    std::string ns{};
    std::string name{};
    auto operator<=>(const Ref&) const = default;
};

Ref ref_of(const Json& object);
/// "deployment/hermes": how an object is called in front of people.
std::string title(const Ref&);

/// The value at a JSON pointer ("/spec/replicas"), or a null value where there is none.
const Json& at(const Json&, std::string_view pointer);
/// The string at a pointer; `fallback` where there is none or it is not a string.
std::string text_at(const Json&, std::string_view pointer, std::string_view fallback = {});
std::int64_t int_at(const Json&, std::string_view pointer, std::int64_t fallback = 0);
bool bool_at(const Json&, std::string_view pointer, bool fallback = false);
/// The item of a list that is called so (a container, say), or a null value.
const Json& with_name(const Json& list, std::string_view name);
/// A key as one step of a JSON pointer ("a/b~c" becomes "a~1b~0c").
std::string escape_pointer(std::string_view key);

}  // namespace hermesctl::kube
