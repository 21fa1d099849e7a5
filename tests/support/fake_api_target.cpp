// Paths, queries and selectors of the fake API server.
#include "support/fake_api_target.hpp"

#include <algorithm>
#include <sstream>

namespace hermesctl::testing {
namespace {

std::string percent_decode(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            plain += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
            i += 2;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) {
        if (!part.empty()) parts.push_back(part);
    }
    return parts;
}

const kube::Kind* kind_at(const std::string& api_version, const std::string& plural) {
    const auto all = kube::kinds();
    const auto found = std::find_if(all.begin(), all.end(), [&](const kube::Kind& kind) {
        return kind.api_version == api_version && kind.plural == plural;
    });
    return found == all.end() ? nullptr : &*found;
}

bool matches(const kube::Json& object, const std::string& requirements, const std::string& root) {
    if (const std::size_t in = requirements.find(" in ("); in != std::string::npos) {  // alone
        const std::string found =
            kube::text_at(object, root + "/" + kube::escape_pointer(requirements.substr(0, in)));
        const std::string values = requirements.substr(in + 5, requirements.size() - in - 6);
        const auto wanted = split(values, ',');
        return std::find(wanted.begin(), wanted.end(), found) != wanted.end();
    }
    for (const std::string& requirement : split(requirements, ',')) {
        const std::size_t equals = requirement.find('=');
        if (equals == std::string::npos) return false;
        std::string key = requirement.substr(0, equals);
        if (root.empty()) {
            std::replace(key.begin(), key.end(), '.', '/');
        } else {
            key = kube::escape_pointer(key);
        }
        const std::size_t value = requirement.find_first_not_of('=', equals);
        const std::string wanted = value == std::string::npos ? "" : requirement.substr(value);
        if (kube::text_at(object, root + "/" + key) != wanted) return false;
    }
    return true;
}

}  // namespace

FakeApi::Target::Target(const std::string& target) : path(target.substr(0, target.find('?'))) {
    if (path.size() < target.size()) {
        for (const std::string& pair : split(target.substr(path.size() + 1), '&')) {
            const std::size_t equals = pair.find('=');
            query.emplace(pair.substr(0, equals),
                          equals == std::string::npos ? "" : percent_decode(pair.substr(equals + 1)));
        }
    }
    std::vector<std::string> parts = split(path, '/');
    const std::size_t prefix = !parts.empty() && parts[0] == "apis" ? 3 : 2;
    if (parts.size() <= prefix) return;
    const std::string version = prefix == 3 ? parts[1] + "/" + parts[2] : parts[1];
    parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(prefix));
    if (parts.size() > 2 && parts[0] == "namespaces") {
        ns = percent_decode(parts[1]);
        parts.erase(parts.begin(), parts.begin() + 2);
    }
    parts.resize(3);
    kind = kind_at(version, parts[0]);
    name = percent_decode(parts[1]);
    subresource = parts[2];
}

std::string FakeApi::Target::parameter(const std::string& key) const {
    const auto found = query.find(key);
    return found == query.end() ? "" : found->second;
}

std::string FakeApi::Target::resource() const {
    if (kind == nullptr) return "";
    return std::string(kind->plural) + (subresource.empty() ? "" : "/" + subresource);
}

bool selected(const kube::Json& object, const kube::Selector& selector) {
    return matches(object, selector.label, "/metadata/labels") && matches(object, selector.field, "");
}

}  // namespace hermesctl::testing
