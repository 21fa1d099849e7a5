// What may stand in hermes.yaml, and what is wrong with what does.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

struct Problem {
    std::string pointer{};  // "/telegram/allowedUsers/0"
    std::string why{};
};

/// All problems, in the order of the keys. null stands for "as if it were not there".
std::vector<Problem> problems_of(const kube::Json& settings);
/// And of a file: the credentials that would be sent where others may read them. One that is live already
/// keeps nobody from a deploy.
std::vector<Problem> problems_of_file(const kube::Json& document);

/// "/telegram/allowedUsers/-", "/secrets/*/file": the places that have a value. Its page has a row for each.
std::vector<std::string_view> known_settings();

/// "telegram.allowedUsers[0]": a JSON pointer as people write it.
std::string dotted(const std::string& pointer);

}  // namespace hermesctl::hermes
