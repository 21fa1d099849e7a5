#include "hermesctl/hermes/ownership.hpp"

#include "hermesctl/kube/client.hpp"

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

}  // namespace hermesctl::hermes
