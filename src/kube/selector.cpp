// Queries and answers of collections.
#include "selector.hpp"

namespace hermesctl::kube {

std::string selector_query(const Selector& selector) {
    std::string query;
    if (!selector.label.empty()) query = "labelSelector=" + net::percent_encode(selector.label);
    if (selector.field.empty()) return query;
    return query + (query.empty() ? "" : "&") + "fieldSelector=" + net::percent_encode(selector.field);
}

Json parsed(std::string_view text) {
    return Json::parse(text, nullptr, false);
}

Json parsed_items(std::string_view text, const Kind& kind) {
    if (kind.name == "NetworkPolicy") return parsed(text);
    const auto keep = [](int, Json::parse_event_t event, const Json& key) {
        return event != Json::parse_event_t::key || key != "managedFields";
    };
    return Json::parse(text, keep, false);
}

Json parsed_list(std::string_view text, const Kind& kind) {
    Json list = parsed_items(text, kind);
    if (!list.is_object()) return list;
    Json& items = list["items"];
    if (!items.is_array()) items = Json::array();
    for (Json& item : items) {
        if (!item.is_object()) item = Json::object();
        item["apiVersion"] = kind.api_version;
        item["kind"] = kind.name;
    }
    return list;
}

}  // namespace hermesctl::kube
