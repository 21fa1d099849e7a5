// Leaf paths, merging and conflicts.
#include "support/fake_fields.hpp"

#include <algorithm>

namespace hermesctl::testing {
namespace {

using nlohmann::json;

const std::vector<std::vector<std::string>> list_keys{
    {"mountPath"}, {"containerPort", "protocol"}, {"uid"}, {"name"}};

/// The keys of a list's items; empty for a list that is one value.
std::vector<std::string> keys_of(const json& list) {
    for (const std::vector<std::string>& keys : list_keys) {
        const bool all = !list.empty() && std::all_of(list.begin(), list.end(), [&](const json& item) {
            return item.is_object() && item.contains(keys.front());
        });
        if (all) return keys;
    }
    return {};
}

std::string key_step(const json& item, const std::vector<std::string>& keys) {
    json key = json::object();
    for (const std::string& name : keys) {
        key[name] = item.value(name, json("TCP"));
    }
    return "k:" + key.dump();
}

json* item_with(json& list, const std::string& step) {
    const json key = json::parse(step.substr(2));
    for (json& item : list) {
        const bool same = std::all_of(key.items().begin(), key.items().end(), [&](const auto& entry) {
            return item.is_object() && item.value(entry.key(), json("TCP")) == entry.value();
        });
        if (same) return &item;
    }
    return nullptr;
}

void collect(const json& value, Path& path, FieldSet& fields) {
    const std::vector<std::string> keys = value.is_array() ? keys_of(value) : std::vector<std::string>{};
    if (value.is_object() && !value.empty()) {
        for (const auto& [name, member] : value.items()) {
            path.push_back("f:" + name);
            collect(member, path, fields);
            path.pop_back();
        }
    } else if (!keys.empty()) {
        for (const json& item : value) {
            path.push_back(key_step(item, keys));
            path.push_back(".");
            fields.insert(path);
            path.pop_back();
            collect(item, path, fields);
            path.pop_back();
        }
    } else {
        fields.insert(path);
    }
}

json* find(json& object, const Path& path, std::size_t length) {
    json* value = &object;
    for (std::size_t i = 0; i < length && value != nullptr; ++i) {
        const std::string& step = path[i];
        if (step == ".") continue;
        if (step.starts_with("k:")) {
            value = value->is_array() ? item_with(*value, step) : nullptr;
        } else {
            const std::string name = step.substr(2);
            value = value->is_object() && value->contains(name) ? &(*value)[name] : nullptr;
        }
    }
    return value;
}

void erase(json& object, const Path& path) {
    const std::size_t last = path.back() == "." ? path.size() - 2 : path.size() - 1;
    json* parent = find(object, path, last);
    if (parent == nullptr) return;
    const std::string& step = path[last];
    if (step.starts_with("f:") && parent->is_object()) parent->erase(step.substr(2));
    if (!step.starts_with("k:") || !parent->is_array()) return;
    const json* item = item_with(*parent, step);
    if (item != nullptr) parent->erase(static_cast<std::size_t>(item - &(*parent)[0]));
}

std::string dotted(const Path& path) {
    std::string text;
    for (const std::string& step : path) {
        if (step.starts_with("f:")) text += "." + step.substr(2);
        if (step.starts_with("k:")) text += "[" + step.substr(2) + "]";
    }
    return text;
}

json entry(const std::string& manager, const std::string& operation, const std::string& api_version,
           const FieldSet& fields) {
    return {{"manager", manager},       {"operation", operation},           {"apiVersion", api_version},
            {"fieldsType", "FieldsV1"}, {"fieldsV1", to_fields_v1(fields)}, {"time", "2026-01-01T00:00:00Z"}};
}

json managed_of(const json& object) {
    const json::json_pointer place("/metadata/managedFields");
    return object.contains(place) ? object[place] : json::array();
}

/// The names that every object has do not count as owned.
FieldSet owned_fields(json object) {
    for (const char* name : {"apiVersion", "kind", "status"}) {
        object.erase(name);
    }
    if (!object.contains("metadata")) return fields_of(object);
    for (const char* name : {"name", "namespace", "managedFields", "uid", "resourceVersion", "generation",
                             "creationTimestamp"}) {
        object["metadata"].erase(name);
    }
    if (object["metadata"].empty()) object.erase("metadata");
    return fields_of(object);
}

void write_entry(json& managed, const json& fresh) {
    for (json& old : managed) {
        if (old["manager"] == fresh["manager"] && old["operation"] == fresh["operation"]) {
            old = fresh;
            return;
        }
    }
    managed.push_back(fresh);
}

/// Takes fields away from everybody but (manager, operation).
void disown(json& managed, const FieldSet& taken, const std::string& manager, const std::string& operation) {
    for (json& old : managed) {
        if (old["manager"] == manager && old["operation"] == operation) continue;
        FieldSet fields = from_fields_v1(old["fieldsV1"]);
        std::erase_if(fields, [&](const Path& path) { return taken.contains(path); });
        old["fieldsV1"] = to_fields_v1(fields);
    }
}

bool owned_by_others(const json& managed, const Path& path, const std::string& manager) {
    return std::any_of(managed.begin(), managed.end(), [&](const json& old) {
        return old["manager"] != manager && from_fields_v1(old["fieldsV1"]).contains(path);
    });
}

std::vector<json> conflicts_of(json live, json wanted, const FieldSet& fields, const std::string& manager,
                               FieldSet& taken) {
    std::vector<json> causes;
    const json managed = managed_of(live);
    for (const Path& path : fields) {
        if (path.back() == ".") continue;
        const json* before = find(live, path, path.size());
        const json* after = find(wanted, path, path.size());
        if (before == nullptr || after == nullptr || *before == *after) continue;
        for (const json& old : managed) {
            if (old["manager"] == manager && old["operation"] == "Apply") continue;
            if (!from_fields_v1(old["fieldsV1"]).contains(path)) continue;
            taken.insert(path);
            causes.push_back({{"reason", "FieldManagerConflict"},
                              {"message", "conflict with \"" + old["manager"].get<std::string>() + "\""},
                              {"field", dotted(path)}});
        }
    }
    return causes;
}

}  // namespace

FieldSet fields_of(const json& object) {
    FieldSet fields;
    Path path;
    if (!object.empty()) collect(object, path, fields);
    return fields;
}

json to_fields_v1(const FieldSet& fields) {
    json tree = json::object();
    for (const Path& path : fields) {
        json* node = &tree;
        for (const std::string& step : path) {
            node = &(*node)[step];
            if (node->is_null()) *node = json::object();
        }
    }
    return tree;
}

FieldSet from_fields_v1(const json& tree) {
    FieldSet fields;
    for (const auto& [step, below] : tree.items()) {
        if (below.empty()) {
            fields.insert({step});
            continue;
        }
        for (Path path : from_fields_v1(below)) {
            path.insert(path.begin(), step);
            fields.insert(std::move(path));
        }
    }
    return fields;
}

void merge_into(json& live, const json& change) {
    if (change.is_object()) {
        if (!live.is_object()) live = json::object();
        for (const auto& [name, member] : change.items()) {
            if (member.is_null()) {
                live.erase(name);
            } else {
                merge_into(live[name], member);
            }
        }
        return;
    }
    const std::vector<std::string> keys = change.is_array() ? keys_of(change) : std::vector<std::string>{};
    if (keys.empty() || !live.is_array()) {
        live = change;
        return;
    }
    for (const json& item : change) {
        json* known = item_with(live, key_step(item, keys));
        if (known != nullptr) {
            merge_into(*known, item);
        } else {
            live.push_back(item);
        }
    }
}

Applied server_side_apply(const json& live, const json& wanted, const std::string& manager, bool force) {
    const FieldSet fields = owned_fields(wanted);
    FieldSet taken;
    std::vector<json> causes = conflicts_of(live, wanted, fields, manager, taken);
    if (!causes.empty() && !force) return {live, std::move(causes)};
    json managed = managed_of(live);
    json object = live;
    merge_into(object, wanted);
    for (const json& old : managed) {
        if (old["manager"] != manager || old["operation"] != "Apply") continue;
        for (const Path& path : from_fields_v1(old["fieldsV1"])) {
            if (!fields.contains(path) && !owned_by_others(managed, path, manager)) erase(object, path);
        }
    }
    disown(managed, taken, manager, "Apply");
    write_entry(managed, entry(manager, "Apply", wanted.value("apiVersion", ""), fields));
    object["metadata"]["managedFields"] = managed;
    return {std::move(object), {}};
}

void own_changes(const json& before, json& after, const std::string& manager) {
    json managed = managed_of(after);
    if (managed != managed_of(before)) return;  // the writer set it on purpose
    json old = before;
    FieldSet changed;
    for (const Path& path : owned_fields(after)) {
        const json* was = old.is_object() ? find(old, path, path.size()) : nullptr;
        const json* is = find(after, path, path.size());
        if (was == nullptr || (is != nullptr && *was != *is)) changed.insert(path);
    }
    if (changed.empty()) return;
    disown(managed, changed, manager, "Update");
    for (const json& mine : managed) {
        if (mine["manager"] == manager && mine["operation"] == "Update")
            changed.merge(from_fields_v1(mine["fieldsV1"]));
    }
    write_entry(managed, entry(manager, "Update", after.value("apiVersion", ""), changed));
    after["metadata"]["managedFields"] = managed;
}

}  // namespace hermesctl::testing
