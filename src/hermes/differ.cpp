// Two JSON objects as the leaves in which they differ.
#include "hermesctl/hermes/plan.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

constexpr std::size_t longest_value = 60;

bool is_bookkeeping(const std::string& path) {
    for (const std::string_view skipped :
         {"metadata.managedFields", "metadata.resourceVersion", "metadata.generation", "metadata.uid",
          "metadata.creationTimestamp", "status"}) {
        if (path == skipped) return true;
    }
    return false;
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

std::string shown(const Json& value) {
    if (value.is_null()) return "(none)";
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (const auto line_end = text.find('\n'); line_end != std::string::npos)
        text = text.substr(0, line_end) + "...";
    if (text.size() > longest_value) text = text.substr(0, longest_value) + "...";
    return text;
}

bool is_text(const Json& value) {
    return value.is_string() && value.get_ref<const std::string&>().find('\n') != std::string::npos;
}

std::vector<std::string> lines_of(const Json& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text.get<std::string>());
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

bool contains(const std::vector<std::string>& lines, const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
}

class Differ {
  public:
    explicit Differ(bool secret) : secret_(secret) {}

    void compare(const std::string& path, const Json& before, const Json& after) {
        if (is_bookkeeping(path) || before == after) return;
        if (before.is_object() && after.is_object()) return compare_objects(path, before, after);
        if (before.is_array() && after.is_array() && !merge_key(before).empty() &&
            merge_key(before) == merge_key(after)) {
            return compare_lists(path, before, after, std::string(merge_key(before)));
        }
        add(path, before, after);
    }

    std::vector<std::string> lines{};

  private:
    void compare_objects(const std::string& path, const Json& before, const Json& after) {
        const std::string lead = path.empty() ? "" : path + ".";
        for (const auto& [key, value] : before.items()) {
            compare(lead + key, value, after.contains(key) ? after[key] : Json());
        }
        for (const auto& [key, value] : after.items()) {
            if (!before.contains(key)) compare(lead + key, Json(), value);
        }
    }

    void compare_lists(const std::string& path, const Json& before, const Json& after,
                       const std::string& key) {
        auto named = [&](const Json& list, const Json& name) {
            for (const Json& item : list) {
                if (item[key] == name) return item;
            }
            return Json();
        };
        for (const Json& item : before) {
            compare(fmt::format("{}[{}]", path, shown(item[key])), item, named(after, item[key]));
        }
        for (const Json& item : after) {
            if (named(before, item[key]).is_null()) {
                compare(fmt::format("{}[{}]", path, shown(item[key])), Json(), item);
            }
        }
    }

    void add(const std::string& path, const Json& before, const Json& after) {
        if (secret_ && (path.starts_with("data.") || path == "data")) {
            const std::string_view what = before.is_null()  ? "added"
                                          : after.is_null() ? "removed"
                                                            : "changed";
            lines.push_back(fmt::format("{}: {}", path, what));
            return;
        }
        if (is_text(before) && is_text(after)) return add_text(path, before, after);
        lines.push_back(fmt::format("{}: {} -> {}", path, shown(before), shown(after)));
    }

    /// Text of several lines as the lines that went and came.
    void add_text(const std::string& path, const Json& before, const Json& after) {
        lines.push_back(path + ":");
        const auto old_lines = lines_of(before);
        const auto new_lines = lines_of(after);
        for (const std::string& line : old_lines) {
            if (!contains(new_lines, line)) lines.push_back("  - " + line);
        }
        for (const std::string& line : new_lines) {
            if (!contains(old_lines, line)) lines.push_back("  + " + line);
        }
    }

    bool secret_;
};

}  // namespace

std::vector<std::string> differing_fields(const Json& before, const Json& after) {
    Differ differ(kube::text_at(after, "/kind") == "Secret" || kube::text_at(before, "/kind") == "Secret");
    differ.compare("", before, after);
    return differ.lines;
}

}  // namespace hermesctl::hermes
