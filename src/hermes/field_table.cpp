#include "field_table.hpp"

#include "hermesctl/base/nearest.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;

/// The table's rows at or below one place: what a value there may be.
class Place {
  public:
    Place(std::span<const FieldRow> table, std::string path) : table_(table), path_(std::move(path)) {}

    auto check() const {
        const auto row = std::ranges::find(table_, std::string_view(path_), &FieldRow::path);
        return row == table_.end() ? nullptr : row->check;
    }
    std::vector<std::string_view> keys() const {
        std::vector<std::string_view> keys;
        for (const FieldRow& row : table_) {
            if (!row.path.starts_with(path_ + "/")) continue;
            const std::string_view rest = row.path.substr(path_.size() + 1);
            keys.push_back(rest.substr(0, rest.find('/')));
        }
        return keys;
    }
    Place below(std::string_view step) const { return {table_, fmt::format("{}/{}", path_, step)}; }

  private:
    std::span<const FieldRow> table_;
    std::string path_;
};

void walk(const Json& value, const Place& place, const std::string& pointer, std::vector<Problem>& problems);

void walk_mapping(const Json& value, const Place& place, const std::string& pointer,
                  const std::vector<std::string_view>& keys, std::vector<Problem>& problems) {
    for (const auto& [key, item] : value.items()) {
        const std::string below = pointer + "/" + kube::escape_pointer(key);
        if (keys[0] == "*") {
            walk(item, place.below("*"), below, problems);
        } else if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
            walk(item, place.below(key), below, problems);
        } else {
            problems.push_back({below, fmt::format("unknown key '{}'{}", key, did_you_mean(key, keys))});
        }
    }
}

void walk(const Json& value, const Place& place, const std::string& pointer, std::vector<Problem>& problems) {
    if (value.is_null()) return;
    if (const auto check = place.check()) {
        if (const std::string why = check(value); !why.empty()) problems.push_back({pointer, why});
        return;
    }
    const std::vector<std::string_view> keys = place.keys();
    if (keys[0] != "-") {
        if (!value.is_object()) return problems.push_back({pointer, "must be a mapping"});
        return walk_mapping(value, place, pointer, keys, problems);
    }
    if (!value.is_array()) return problems.push_back({pointer, "must be a list"});
    for (std::size_t i = 0; i < value.size(); ++i) {
        const std::string below = fmt::format("{}/{}", pointer, i);
        if (value[i].is_null()) problems.push_back({below, "is empty"});
        walk(value[i], place.below("-"), below, problems);
    }
}

}  // namespace

void walk_fields(const Json& value, std::span<const FieldRow> table, const std::string& pointer,
                 std::vector<Problem>& problems) {
    walk(value, Place(table, ""), pointer, problems);
}

}  // namespace hermesctl::hermes
