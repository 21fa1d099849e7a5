#include "tamed.hpp"

#include "hermesctl/base/scrub.hpp"

#include <algorithm>

namespace hermesctl::hermes {
namespace {

using kube::Json;

constexpr std::size_t longest_text = 200;
constexpr int deepest = 8;

}  // namespace

std::string tamed(const std::string& text) {
    std::string safe = scrub(text);
    std::ranges::replace_if(
        safe, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
    return safe.substr(0, longest_text);
}

Json tamed(const Json& value, int depth) {
    if (depth > deepest) return nullptr;
    if (value.is_string()) return tamed(value.get_ref<const std::string&>());
    if (value.is_object()) {
        Json made = Json::object();
        for (const auto& [key, item] : value.items())
            made[tamed(key)] = tamed(item, depth + 1);
        return made;
    }
    if (!value.is_array()) return value;
    Json made = Json::array();
    for (const Json& item : value)
        made.push_back(tamed(item, depth + 1));
    return made;
}

}  // namespace hermesctl::hermes
