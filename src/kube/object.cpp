// Reading Kubernetes objects as JSON.
#include "hermesctl/kube/object.hpp"

#include "hermesctl/base/text.hpp"

#include <charconv>

template class nlohmann::basic_json<>;

namespace hermesctl::kube {
namespace {

std::string unescape(std::string_view step) {
    std::string key;
    for (std::size_t i = 0; i < step.size(); ++i) {
        if (step[i] == '~' && i + 1 < step.size()) {
            key += step[++i] == '1' ? '/' : '~';
        } else {
            key += step[i];
        }
    }
    return key;
}

const Json* child(const Json& value, std::string_view step) {
    if (value.is_object()) {
        const auto found = value.find(unescape(step));
        return found == value.end() ? nullptr : &*found;
    }
    if (!value.is_array()) return nullptr;
    std::size_t index = 0;
    const auto [end, failure] = std::from_chars(step.data(), step.data() + step.size(), index);
    if (failure != std::errc{} || end != step.data() + step.size() || index >= value.size()) return nullptr;
    return &value[index];
}

}  // namespace

Ref ref_of(const Json& object) {
    return {text_at(object, "/kind"), text_at(object, "/metadata/namespace"),
            text_at(object, "/metadata/name")};
}

std::string title(const Ref& ref) {
    return lower(ref.kind) + "/" + ref.name;
}

const Json& at(const Json& object, std::string_view pointer) {
    static const Json nothing;
    const Json* value = &object;
    while (!pointer.empty()) {
        if (pointer.front() != '/') return nothing;
        pointer.remove_prefix(1);
        const std::string_view step = pointer.substr(0, pointer.find('/'));
        value = child(*value, step);
        if (value == nullptr) return nothing;
        pointer.remove_prefix(step.size());
    }
    return *value;
}

std::string text_at(const Json& object, std::string_view pointer, std::string_view fallback) {
    const Json& value = at(object, pointer);
    return value.is_string() ? value.get<std::string>() : std::string(fallback);
}

std::int64_t int_at(const Json& object, std::string_view pointer, std::int64_t fallback) {
    const Json& value = at(object, pointer);
    return value.is_number_integer() ? value.get<std::int64_t>() : fallback;
}

bool bool_at(const Json& object, std::string_view pointer, bool fallback) {
    const Json& value = at(object, pointer);
    return value.is_boolean() ? value.get<bool>() : fallback;
}

const Json& with_name(const Json& list, std::string_view name) {
    static const Json none;
    for (const Json& item : list) {
        if (text_at(item, "/name") == name) return item;
    }
    return none;
}

std::string escape_pointer(std::string_view key) {
    std::string step;
    for (const char c : key) {
        if (c == '~') {
            step += "~0";
        } else if (c == '/') {
            step += "~1";
        } else {
            step += c;
        }
    }
    return step;
}

}  // namespace hermesctl::kube
