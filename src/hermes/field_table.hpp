// A table of what may stand at each path of an object, and the walk that holds one against it.
#pragma once

#include "settings_check.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

struct FieldRow {
    std::string_view path;                    // "*": any key, "-": each item of a list
    std::string (*check)(const kube::Json&);  // "" or what is wrong
};

/// `pointer` is where `value` stands. null stands for "as if it were not there".
void walk_fields(const kube::Json& value, std::span<const FieldRow> table, const std::string& pointer,
                 std::vector<Problem>& problems);

}  // namespace hermesctl::hermes
