// Queries and items of collections.
#include "selector.hpp"

namespace hermesctl::kube {

std::string selector_query(const Selector& selector) {
    std::string query;
    if (!selector.label.empty()) query = "labelSelector=" + net::percent_encode(selector.label);
    if (selector.field.empty()) return query;
    return query + (query.empty() ? "" : "&") + "fieldSelector=" + net::percent_encode(selector.field);
}

void name_items(Json& list, const Kind& kind) {
    Json& items = list["items"];
    if (!items.is_array()) items = Json::array();
    for (Json& item : items) {
        if (!item.is_object()) item = Json::object();
        item["apiVersion"] = kind.api_version;
        item["kind"] = kind.name;
        // Half of a list, and asked for of policies alone: who wrote one.
        if (kind.name != "NetworkPolicy" && item.contains("metadata") && item["metadata"].is_object())
            item["metadata"].erase("managedFields");
    }
}

}  // namespace hermesctl::kube
