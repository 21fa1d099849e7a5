// What a list gave, and whether a pod in it still counts.
#pragma once

#include "hermesctl/kube/client.hpp"

#include <string>
#include <utility>
#include <vector>

namespace hermesctl::hermes {

/// None where the list was refused, or failed: who must tell that apart asks the outcome itself.
inline std::vector<kube::Json> items_of(const kube::Outcome& answer) {
    if (!answer.object || !kube::at(*answer.object, "/items").is_array()) return {};
    return kube::at(*answer.object, "/items").get<std::vector<kube::Json>>();
}

/// The same of an answer that nobody else needs.
inline std::vector<kube::Json> items_of(kube::Outcome&& answer) {
    if (!answer.object || !kube::at(*answer.object, "/items").is_array()) return {};
    return std::move((*answer.object)["items"].get_ref<kube::Json::array_t&>());
}

/// The items of a list by name. Throws ApiError where there is no list.
inline kube::Objects by_name(const kube::Outcome& answer) {
    kube::Objects found;
    for (const kube::Json& item : kube::at(answer.value(), "/items"))
        found[kube::text_at(item, "/metadata/name")] = item;
    return found;
}

/// Of a list that can have one alone; null where it has none.
inline kube::Json only(const kube::Objects& found) {
    return found.empty() ? kube::Json() : found.begin()->second;
}

/// Nothing of the pod runs any more.
inline bool is_over(const kube::Json& pod) {
    const std::string phase = kube::text_at(pod, "/status/phase");
    return phase == "Succeeded" || phase == "Failed";
}

/// The same, or it is being deleted.
inline bool has_ended(const kube::Json& pod) {
    return is_over(pod) || !kube::at(pod, "/metadata/deletionTimestamp").is_null();
}

}  // namespace hermesctl::hermes
