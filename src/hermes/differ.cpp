// Two JSON objects as the leaves in which they differ.
#include "credentials.hpp"
#include "differ_text.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/plan.hpp"
#include "hermesctl/hermes/secrets.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

bool is_bookkeeping(const std::string& path) {
    for (const std::string_view skipped :
         {"metadata.managedFields", "metadata.resourceVersion", "metadata.generation", "metadata.uid",
          "metadata.creationTimestamp", "status"}) {
        if (path == skipped) return true;
    }
    return false;
}

constexpr std::string_view kubectl_copy =
    "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration";

/// Whether a value is not to be shown.
using Hides = bool (*)(const std::string& path, const Json& value);

/// Of a pod's variables: what is a credential, "...env[API_TOKEN].value" or the variable as a whole.
bool is_of_variables(const std::string& path, const Json& value) {
    constexpr std::string_view lead = ".env[";
    constexpr std::string_view end = "].value";
    if (value.is_object())
        return is_credential(kube::text_at(value, "/name"), kube::text_at(value, "/value"));
    const std::size_t begin = path.rfind(lead);
    if (begin == std::string::npos || !path.ends_with(end) || !value.is_string()) return false;
    const std::string_view name = std::string_view(path).substr(begin + lead.size());
    return is_credential(name.substr(0, name.size() - end.size()), value.get_ref<const std::string&>());
}

/// Of a Secret: its data, what its fingerprint is salted with, and kubectl's copy of it all.
bool is_of_secret(const std::string& path, const Json&) {
    return path.starts_with("data.") || path.starts_with("stringData.") ||
           path == "metadata.annotations.hermesctl/salt" || path == kubectl_copy;
}

/// Of a ConfigMap: what may be a credential in its files, and kubectl's copy of them.
bool is_of_files(const std::string& path, const Json& value) {
    return path == kubectl_copy || (path.starts_with("data.") && may_be_credential(path, value));
}

/// The key of a list's items that Kubernetes merges by ("name" of containers, "mountPath" of mounts); "" if
/// atomic.
std::string_view merge_key(const Json& list) {
    for (const std::string_view key : {"mountPath", "name", "containerPort", "ip"}) {
        bool all = !list.empty();
        for (const Json& item : list) {
            all = all && item.is_object() && item.contains(key);
        }
        if (all) return key;
    }
    return "";
}

bool is_text(const Json& value) {
    return value.is_string() && value.get_ref<const std::string&>().find('\n') != std::string::npos;
}

/// JSON in a text (an annotation); null for other text.
Json inside(const Json& value) {
    if (!value.is_string() || !value.get_ref<const std::string&>().starts_with('{')) return nullptr;
    Json parsed = Json::parse(value.get_ref<const std::string&>(), nullptr, false);
    return parsed.is_object() ? parsed : Json();
}

std::string below(const std::string& path, const std::string& key) {
    return path.empty() ? key : path + "." + key;
}

std::vector<std::string> lines_of(const Json& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text.get<std::string>());
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

template <typename Item>
std::vector<Item> without(std::vector<Item> items, const std::vector<Item>& others) {
    std::erase_if(items, [&](const Item& item) {
        return std::find(others.begin(), others.end(), item) != others.end();
    });
    return items;
}

class Differ {
  public:
    explicit Differ(Hides is_hidden) : hides_(is_hidden) {}

    void compare(const std::string& path, const Json& before, const Json& after) {
        if (is_bookkeeping(path) || before == after) return;
        if (before.is_object() && after.is_object()) return compare_objects(path, before, after);
        // What goes is listed leaf by leaf; what comes only where its leaves must be masked one by one.
        if (before.is_object() && !before.empty() && after.is_null())
            return compare_objects(path, before, Json::object());
        if (before.is_null() && after.is_object() && hides(path, after))
            return compare_objects(path, Json::object(), after);
        const bool lists = before.is_array() || after.is_array();
        if (lists && (before.is_array() || before.is_null()) && (after.is_array() || after.is_null())) {
            const std::string_view key = merge_key(before);
            return !key.empty() && key == merge_key(after)
                       ? compare_keyed(path, before, after, std::string(key))
                       : compare_items(path, before, after);
        }
        add(path, before, after);
    }

    std::vector<std::string> lines{};

  private:
    /// This value, or anything in it.
    bool hides(const std::string& path, const Json& value) const {
        if (hides_(path, value)) return true;
        if (!value.is_structured()) return false;
        return std::ranges::any_of(
            value.items(), [&](const auto& item) { return hides(below(path, item.key()), item.value()); });
    }

    void compare_objects(const std::string& path, const Json& before, const Json& after) {
        for (const auto& [key, value] : before.items()) {
            compare(below(path, key), value, after.contains(key) ? after[key] : Json());
        }
        for (const auto& [key, value] : after.items()) {
            if (!before.contains(key)) compare(below(path, key), Json(), value);
        }
    }

    void compare_keyed(const std::string& path, const Json& before, const Json& after,
                       const std::string& key) {
        auto named = [&](const Json& list, const Json& name) {
            for (const Json& item : list) {
                if (item[key] == name) return item;
            }
            return Json();
        };
        for (const Json& item : before) {
            compare(fmt::format("{}[{}]", path, short_text(item[key])), item, named(after, item[key]));
        }
        for (const Json& item : after) {
            if (named(before, item[key]).is_null()) {
                compare(fmt::format("{}[{}]", path, short_text(item[key])), Json(), item);
            }
        }
    }

    /// A list that is replaced as a whole, as the items that go and come.
    void compare_items(const std::string& path, const Json& before, const Json& after) {
        const auto items = [](const Json& list) {
            return list.is_array() ? list.get<std::vector<Json>>() : std::vector<Json>{};
        };
        // One that follows "--api-key" in a list of arguments has no name of its own.
        const bool hidden = hides(path, before) || hides(path, after);
        const auto shown = [&](const Json& item) { return hidden ? "***" : item_text(path, item); };
        const std::vector<Json> old_items = items(before);
        std::vector<Json> come = without(items(after), old_items);
        const std::vector<Json> gone = without(old_items, items(after));
        if (gone.empty() && come.empty()) lines.push_back(path + ": in another order");
        for (const Json& item : gone) {
            const auto changed =
                std::find_if(come.begin(), come.end(), [&](const Json& other) { return alike(item, other); });
            if (changed == come.end()) {
                lines.push_back(fmt::format("{}: - {}", path, shown(item)));
                continue;
            }
            const auto place = std::find(old_items.begin(), old_items.end(), item) - old_items.begin();
            compare(fmt::format("{}[{}]", path, place), item, *changed);
            come.erase(changed);
        }
        for (const Json& item : come)
            lines.push_back(fmt::format("{}: + {}", path, shown(item)));
    }

    void add(const std::string& path, const Json& before, const Json& after) {
        if (hides(path, before) || hides(path, after)) {
            if (path == fmt::format("data.{}", users_key)) return add_users(path, before, after);
            const std::string_view what = before.is_null()  ? "added"
                                          : after.is_null() ? "removed"
                                                            : "changed";
            lines.push_back(fmt::format("{}: {}", path, what));
            return;
        }
        if (is_text(before) && is_text(after)) return add_text(path, before, after);
        const Json old_inside = inside(before);
        const Json new_inside = inside(after);
        if (!old_inside.is_null() && !new_inside.is_null() && old_inside != new_inside)
            return compare(path, old_inside, new_inside);
        const auto [old_text, new_text] = contrast(before, after);
        lines.push_back(fmt::format("{}: {} -> {}", path, old_text, new_text));
    }

    void add_users(const std::string& path, const Json& before, const Json& after) {
        const std::size_t already = lines.size();
        for (const std::string& user : without(user_words(after), user_words(before)))
            lines.push_back(fmt::format("{}: + {} may use the bot", path, user));
        for (const std::string& user : without(user_words(before), user_words(after)))
            lines.push_back(fmt::format("{}: - {} loses access", path, user));
        if (lines.size() == already) lines.push_back(path + ": changed");
    }

    /// Text of several lines as the lines that went and came.
    void add_text(const std::string& path, const Json& before, const Json& after) {
        lines.push_back(path + ":");
        const auto gone = without(lines_of(before), lines_of(after));
        const auto come = without(lines_of(after), lines_of(before));
        for (const std::string& line : gone)
            lines.push_back("  - " + line);
        for (const std::string& line : come)
            lines.push_back("  + " + line);
        if (gone.empty() && come.empty()) lines.push_back("  (its lines in another order)");
    }

    Hides hides_;
};

std::vector<std::string> scrubbed(std::vector<std::string> lines) {
    for (std::string& line : lines)
        line = scrub(line);
    return lines;
}

/// Of a ConfigMap's files what they say, where both can be read.
std::vector<std::string> differing_files(const Json& before, Json after) {
    Differ differ(is_of_files);
    for (const auto& [name, text] : kube::at(before, "/data").items()) {
        const Json& changed = kube::at(after, "/data/" + kube::escape_pointer(name));
        const Json old_file = content_of(text);
        const Json new_file = content_of(changed);
        if (text == changed || !old_file.is_structured() || !new_file.is_structured()) continue;
        const std::size_t already = differ.lines.size();
        differ.compare("data." + name, old_file, new_file);
        if (differ.lines.size() == already)
            differ.lines.push_back(fmt::format("data.{}: says the same, written otherwise", name));
        after["data"][name] = text;
    }
    differ.compare("", before, after);
    return scrubbed(differ.lines);
}

}  // namespace

std::vector<std::string> lost_users(const Plan& plan) {
    const std::string pointer = fmt::format("/data/{}", users_key);
    for (const Step& step : plan.steps) {
        if (step.ref.kind == "Secret" && step.change == Change::update)
            return without(user_words(kube::at(step.live, pointer)),
                           user_words(kube::at(step.planned, pointer)));
    }
    return {};
}

std::vector<std::string> differing_fields(const Json& before, const Json& after) {
    const auto is_any = [&](const char* kind) {
        return kube::text_at(after, "/kind") == kind || kube::text_at(before, "/kind") == kind;
    };
    if (is_any("ConfigMap")) return differing_files(before, after);
    Differ differ(is_any("Secret") ? is_of_secret : is_of_variables);
    differ.compare("", before, after);
    return differ.lines;
}

std::vector<std::string> differing_settings(const Json& before, const Json& after) {
    Differ differ(may_be_credential);
    differ.compare("", before, after);
    return scrubbed(differ.lines);
}

}  // namespace hermesctl::hermes
