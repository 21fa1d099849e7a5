// Field ownership as the API server keeps it, near enough for tests: sets of leaf paths, merging by list
// keys, conflicts. Without schemas: a list is keyed when its items have the fields that Kubernetes uses as
// keys.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace hermesctl::testing {

/// Steps as in fieldsV1: "f:spec", "k:{\"name\":\"hermes\"}", "." for a list item itself.
using Path = std::vector<std::string>;
using FieldSet = std::set<Path>;

FieldSet fields_of(const nlohmann::json& object);
nlohmann::json to_fields_v1(const FieldSet&);
FieldSet from_fields_v1(const nlohmann::json&);

/// Objects and keyed lists are merged, the rest replaced; null removes.
void merge_into(nlohmann::json& live, const nlohmann::json& change);

struct Applied {
    nlohmann::json object{};
    std::vector<nlohmann::json> conflicts{};  // causes of a Status; then `object` is as it was
};

/// Server-side apply of `wanted` by `manager` onto `live` (null: not there).
Applied server_side_apply(const nlohmann::json& live, const nlohmann::json& wanted,
                          const std::string& manager, bool force);
/// managedFields after an ordinary write by `manager`: it owns what differs from `before`.
void own_changes(const nlohmann::json& before, nlohmann::json& after, const std::string& manager);

}  // namespace hermesctl::testing
