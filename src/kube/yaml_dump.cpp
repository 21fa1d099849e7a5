// Writes YAML that every reader takes for the same thing: block style, and quotes wherever one could stumble.
#include "hermesctl/kube/yaml.hpp"
#include "yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

/// What must stand for the character that `text` starts with inside quotes, and the bytes that it takes;
/// nothing when it can stand for itself.
std::optional<std::pair<std::string, std::size_t>> escape(std::string_view text) {
    // Next line, line and paragraph separator and the byte order mark are line breaks or vanish in some
    // readers.
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> special{
        {{"\xc2\x85", "\\u0085"},
         {"\xe2\x80\xa8", "\\L"},
         {"\xe2\x80\xa9", "\\P"},
         {"\xef\xbb\xbf", "\\uFEFF"}}};
    for (const auto& [bytes, replacement] : special) {
        if (text.starts_with(bytes)) return {{std::string(replacement), bytes.size()}};
    }
    const auto byte = static_cast<unsigned char>(text[0]);
    if (byte == '\n') return {{"\\n", 1}};
    if (byte == '\t') return {{"\\t", 1}};
    if (byte == '"' || byte == '\\') return {{std::string{'\\', text[0]}, 1}};
    if (byte < 0x20 || byte == 0x7f) return {{fmt::format("\\x{:02X}", byte), 1}};
    return std::nullopt;
}

std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const auto escaped = escape(text);
        out += escaped ? escaped->first : std::string(1, text[0]);
        text.remove_prefix(escaped ? escaped->second : 1);
    }
    return out + "\"";
}

/// Whether a line of text reads the same in a literal block, for every reader and for people.
bool fits_literal_line(std::string_view line) {
    if (line.starts_with('\t') || line.ends_with(' ') || line.ends_with('\t')) return false;
    for (; !line.empty(); line.remove_prefix(1)) {
        if (std::string_view("\"\\\t").find(line[0]) == std::string_view::npos && escape(line)) return false;
    }
    return true;
}

bool fits_literal(std::string_view text) {
    if (text.find('\n') == std::string_view::npos || text[0] == '\n' || text[0] == ' ') return false;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        if (!fits_literal_line(text.substr(start, end - start))) return false;
        start = end + 1;
    }
    return true;
}

std::string literal(std::string_view text, const std::string& indent) {
    const std::size_t last = text.find_last_not_of('\n');
    const std::size_t newlines = text.size() - last - 1;
    std::string out = newlines == 0 ? "|-" : newlines == 1 ? "|" : "|+";
    std::string_view rest = text.substr(0, text.size() - (newlines > 0 ? 1 : 0));
    while (true) {
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        out += '\n';
        if (!line.empty()) out.append(indent).append(line);
        if (end == std::string_view::npos) return out;
        rest.remove_prefix(end + 1);
    }
}

std::string inline_string(const std::string& text) {
    return plain_is_string(text) ? text : in_quotes(text);
}

/// What fits behind "key: " or "- "; a literal block goes on below, `indent` deep.
std::string scalar(const Json& value, const std::string& indent) {
    if (value.is_object()) return "{}";
    if (value.is_array()) return "[]";
    if (!value.is_string()) return value.dump();
    const auto& text = value.get_ref<const std::string&>();
    return fits_literal(text) ? literal(text, indent) : inline_string(text);
}

bool is_block(const Json& value) {
    return value.is_structured() && !value.empty();
}

std::vector<std::string> ordered_keys(const Json& object) {
    static constexpr std::array<std::string_view, 5> first{"apiVersion", "kind", "metadata", "name",
                                                           "namespace"};
    std::vector<std::string> keys;
    for (const auto& item : object.items())
        keys.push_back(item.key());
    const auto rank = [](const std::string& key) { return std::find(first.begin(), first.end(), key); };
    std::stable_sort(keys.begin(), keys.end(),
                     [&](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
    return keys;
}

/// The key with its colon. Readers look for that colon no further than 1024 characters (YAML 1.2.2, 7.4.2),
/// so a longer key is marked as one.
std::string key_text(const std::string& key, const std::string& indent) {
    const std::string text = inline_string(key);
    return text.size() <= 1024 ? text + ":" : "? " + text + "\n" + indent + ":";
}

void write(std::string& out, const Json& value, const std::string& indent);

/// Each item on lines of its own; the first one goes on where `out` ends ("- " stands before it).
void write_map(std::string& out, const Json& value, const std::string& indent) {
    bool first = true;
    for (const std::string& key : ordered_keys(value)) {
        if (!std::exchange(first, false)) out += indent;
        const Json& item = value[key];
        out += key_text(key, indent);
        if (!is_block(item)) {
            out += ' ';
            out += scalar(item, indent + "  ");
            out += '\n';
            continue;
        }
        const std::string below = item.is_array() ? indent : indent + "  ";
        out += "\n" + below;
        write(out, item, below);
    }
}

void write_list(std::string& out, const Json& value, const std::string& indent) {
    bool first = true;
    for (const Json& item : value) {
        if (!std::exchange(first, false)) out += indent;
        out += "- ";
        if (is_block(item)) {
            write(out, item, indent + "  ");
        } else {
            out += scalar(item, indent + "  ") + "\n";
        }
    }
}

void write(std::string& out, const Json& value, const std::string& indent) {
    value.is_object() ? write_map(out, value, indent) : write_list(out, value, indent);
}

}  // namespace

std::string dump_yaml(const Json& value) {
    if (!is_block(value)) return scalar(value, "  ") + "\n";
    std::string out;
    write(out, value, "");
    return out;
}

std::string dump_yaml_documents(const std::vector<Json>& objects) {
    std::string out;
    for (const Json& object : objects) {
        if (!out.empty()) out += "---\n";
        out += dump_yaml(object);
    }
    return out;
}

}  // namespace hermesctl::kube
