#include "hermesctl/hermes/label_selector.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Json;
using kube::text_at;

bool meets(const Json& expression, const Json& labels) {
    const std::string key = text_at(expression, "/key");
    const std::string op = text_at(expression, "/operator");
    const bool there = labels.is_object() && labels.contains(key);
    if (op == "Exists") return there;
    if (op == "DoesNotExist") return !there;
    const Json& values = at(expression, "/values");
    const bool among = there && std::find(values.begin(), values.end(), labels[key]) != values.end();
    if (op == "In") return among;
    return op == "NotIn" && !among;
}

std::string expression_text(const Json& expression) {
    const std::string key = text_at(expression, "/key");
    const std::string op = text_at(expression, "/operator");
    if (op == "Exists") return key;
    if (op == "DoesNotExist") return "!" + key;
    std::vector<std::string> values;
    for (const Json& value : at(expression, "/values"))
        values.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    return fmt::format("{} {} ({})", key, op == "In" ? "in" : "notin", fmt::join(values, ", "));
}

}  // namespace

bool selects(const Json& selector, const Json& labels) {
    for (const auto& [key, value] : at(selector, "/matchLabels").items()) {
        if (!labels.is_object() || !labels.contains(key) || labels[key] != value) return false;
    }
    const Json& expressions = at(selector, "/matchExpressions");
    return std::all_of(expressions.begin(), expressions.end(),
                       [&](const Json& expression) { return meets(expression, labels); });
}

std::string selector_text(const Json& selector) {
    std::vector<std::string> parts;
    for (const auto& [key, value] : at(selector, "/matchLabels").items())
        parts.push_back(
            fmt::format("{}={}", key, value.is_string() ? value.get<std::string>() : value.dump()));
    for (const Json& expression : at(selector, "/matchExpressions"))
        parts.push_back(expression_text(expression));
    return fmt::format("{}", fmt::join(parts, ","));
}

}  // namespace hermesctl::hermes
