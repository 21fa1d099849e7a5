#include "differ_text.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/allowlist.hpp"
#include "hermesctl/hermes/policy.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

constexpr std::size_t longest_value = 60;
constexpr std::size_t longest_item = 160;

std::string cut(std::string text, std::size_t longest) {
    if (const auto line_end = text.find('\n'); line_end != std::string::npos)
        text = text.substr(0, line_end) + "...";
    return text.size() > longest ? text.substr(0, longest) + "..." : text;
}

std::string plain(const Json& value) {
    if (value.is_null()) return "(none)";
    return value.is_string() ? value.get<std::string>() : value.dump();
}

/// The leaves of a value with their keys, wherever in a list they stand.
void collect_leaves(const Json& value, const std::string& path, std::multiset<std::string>& leaves) {
    if (!value.is_structured()) leaves.insert(path + "=" + value.dump());
    if (!value.is_structured()) return;
    for (const auto& [key, item] : value.items())
        collect_leaves(item, value.is_object() ? path + "." + key : path, leaves);
}

}  // namespace

std::string short_text(const Json& value) {
    return cut(plain(value), longest_value);
}

std::pair<std::string, std::string> contrast(const Json& before, const Json& after) {
    std::string old_text = plain(before);
    std::string new_text = plain(after);
    const auto [old_end, new_end] =
        std::mismatch(old_text.begin(), old_text.end(), new_text.begin(), new_text.end());
    const auto same = static_cast<std::size_t>(old_end - old_text.begin());
    if (same > longest_value - 20) {
        old_text.replace(0, same - 10, "...");
        new_text.replace(0, same - 10, "...");
    }
    return {cut(old_text, longest_value), cut(new_text, longest_value)};
}

std::string item_text(const std::string& path, const Json& item) {
    if (path == "spec.egress") return rule_text(item);
    if (!item.is_object() || item.empty()) return cut(plain(item), longest_item);
    std::vector<std::string> parts;
    for (const auto& [key, value] : item.items())
        parts.push_back(fmt::format("{}: {}", key, plain(value)));
    return cut(fmt::format("{}", fmt::join(parts, ", ")), longest_item);
}

bool alike(const Json& one, const Json& other) {
    if (!one.is_object() || !other.is_object()) return false;
    std::multiset<std::string> these;
    std::multiset<std::string> those;
    collect_leaves(one, "", these);
    collect_leaves(other, "", those);
    std::vector<std::string> common;
    std::set_intersection(these.begin(), these.end(), those.begin(), those.end(), std::back_inserter(common));
    return 2 * common.size() >= std::max(these.size(), those.size());
}

std::vector<std::string> user_words(const Json& encoded) {
    const auto text = encoded.is_string() ? base64_decode(encoded.get<std::string>()) : std::nullopt;
    const UserList list = user_list(text.value_or(""));
    std::vector<std::string> words(list.odd, "somebody who is no id");
    if (list.everybody) words.emplace_back("everybody (*)");
    for (const UserId id : list.ids)
        words.push_back(std::to_string(id));
    return words;
}

}  // namespace hermesctl::hermes
