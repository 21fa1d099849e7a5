#include "hermesctl/hermes/ownership.hpp"

#include "hermesctl/kube/client.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

/// `fields` without what is in `other`. A set member is a key with an empty object; "." stands for the item
/// itself.
Json minus(const Json& fields, const Json& other) {
    Json left = Json::object();
    for (const auto& [key, value] : fields.items()) {
        const auto match = other.find(key);
        if (match == other.end()) {
            left[key] = value;
            continue;
        }
        if (value.empty()) continue;
        Json deeper = minus(value, *match);
        // The map alone ("."), with nothing left in it: the server would keep that as a field, of kubectl's.
        const bool nothing = deeper.empty() || (deeper.size() == 1 && deeper.contains("."));
        if (!nothing) left[key] = std::move(deeper);
    }
    return left;
}

const Json* own_entry(const Json& entries) {
    for (const Json& entry : entries) {
        if (text_at(entry, "/manager") == kube::field_manager && text_at(entry, "/operation") == "Apply")
            return &entry;
    }
    return nullptr;
}

bool same_where_owned(const Json& sent, const Json& live, const Json& fields);

bool has_keys(const Json& item, const Json& keys) {
    if (!item.is_object() || !keys.is_object()) return false;
    for (const auto& [key, value] : keys.items()) {
        if (!item.contains(key) || item[key] != value) return false;
    }
    return true;
}

struct OwnedItem {
    Json keys{};                  // that it is known by
    const Json* below = nullptr;  // what is owned of it; null: nothing
};

/// The "k:{...}" of `fields` that `item` has.
OwnedItem owned_item(const Json& fields, const Json& item) {
    for (const auto& [name, below] : fields.items()) {
        if (!name.starts_with("k:")) continue;
        Json keys = Json::parse(name.substr(2), nullptr, false);
        if (has_keys(item, keys)) return {std::move(keys), &below};
    }
    return {};
}

std::size_t owned_in(const Json& fields) {
    return fields.size() - (fields.contains(".") ? 1 : 0);
}

/// The same items in the same order; what others have put between them stays in any case.
bool same_list(const Json& sent, const Json& live, const Json& fields) {
    if (owned_in(fields) != sent.size()) return false;
    auto next = live.begin();
    for (const Json& item : sent) {
        const OwnedItem owned = owned_item(fields, item);
        if (owned.below == nullptr) return false;
        next = std::find_if(next, live.end(), [&](const Json& other) { return has_keys(other, owned.keys); });
        if (next == live.end() || !same_where_owned(item, *next, *owned.below)) return false;
        ++next;
    }
    return true;
}

/// Zero values are left out of what the server sends.
bool is_zero(const Json& value) {
    return value == 0 || value == false || value == "" ||
           ((value.is_array() || value.is_object()) && value.empty());
}

/// Nothing below a field: it is owned whole.
bool same_where_owned(const Json& sent, const Json& live, const Json& fields) {
    if (fields.empty()) return sent == live;
    if (sent.type() != live.type()) return false;
    if (sent.is_array()) return same_list(sent, live, fields);
    std::size_t owned = 0;
    for (const auto& [key, value] : sent.items()) {
        const auto below = fields.find("f:" + key);
        const auto there = live.find(key);
        const bool ours = below != fields.end();
        owned += ours ? 1 : 0;
        const bool same = there == live.end() ? ours && is_zero(value)
                          : ours              ? same_where_owned(value, *there, *below)
                                              : value == *there;
        if (!same) return false;
    }
    return owned == owned_in(fields);
}

/// What names an object is owned by nobody.
Json without_identity(Json object) {
    for (const char* key : {"apiVersion", "kind"})
        object.erase(key);
    for (const char* key : {"name", "namespace"})
        object["metadata"].erase(key);
    return object;
}

}  // namespace

void refuse_foreign(const Json& object, const Names& names, std::string_view command) {
    if (object.is_null()) return;
    const std::string ref = title(kube::ref_of(object));
    if (text_at(object, "/metadata/labels/app.kubernetes.io~1managed-by") != "hermesctl") {
        throw Error(
            ExitCode::failed, fmt::format("{} was not made by hermesctl", ref),
            fmt::format("hermesctl deploy takes an installation made by hand over; then: hermesctl {}",
                        command));
    }
    const std::string instance = text_at(object, "/metadata/labels/app.kubernetes.io~1instance");
    if (instance != names.name) {
        throw Error(ExitCode::failed, fmt::format("{} belongs to the instance {}", ref, instance),
                    fmt::format("hermesctl {} --name {}", command, instance));
    }
}

bool is_kubectl(std::string_view manager) {
    return manager == "kubectl" || manager.starts_with("kubectl-client") ||
           manager.starts_with("kubectl-create") || manager.starts_with("kubectl-patch") ||
           manager.starts_with("kubectl-edit") || manager.starts_with("kubectl-replace") ||
           manager.starts_with("kubectl-set") || manager == "before-first-apply";
}

Json released_fields(const Json& object) {
    const Json& entries = at(object, "/metadata/managedFields");
    const Json* own = own_entry(entries);
    if (own == nullptr) return nullptr;
    Json released = Json::array();
    bool changed = false;
    for (Json entry : entries) {
        if (is_kubectl(text_at(entry, "/manager")) && text_at(entry, "/subresource").empty()) {
            Json left = minus(at(entry, "/fieldsV1"), at(*own, "/fieldsV1"));
            changed = changed || left != at(entry, "/fieldsV1");
            if (left.empty()) continue;
            entry["fieldsV1"] = std::move(left);
        }
        released.push_back(std::move(entry));
    }
    return changed ? released : Json();
}

bool is_applied(const Json& object, const Json& live) {
    const Json& entries = at(live, "/metadata/managedFields");
    const Json* own = own_entry(entries);
    const bool kubectls = std::any_of(entries.begin(), entries.end(), [](const Json& entry) {
        return is_kubectl(text_at(entry, "/manager")) && text_at(entry, "/subresource").empty();
    });
    if (own == nullptr || kubectls || at(*own, "/apiVersion") != at(object, "/apiVersion")) return false;
    return same_where_owned(without_identity(object), live, at(*own, "/fieldsV1"));
}

}  // namespace hermesctl::hermes
