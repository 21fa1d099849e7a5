#include "kubeconfig_headers.hpp"

#include "hermesctl/base/error.hpp"
#include "kubeconfig_check.hpp"

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

/// A key as part of a header's name: what no name may hold, and % itself, percent-encoded.
std::string header_key(std::string_view key) {
    constexpr std::string_view marks = "!#$&'*+-.^_`|~";
    std::string out;
    for (const char c : key) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const bool legal = letter || marks.find(c) != std::string_view::npos;
        out += legal ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

}  // namespace

std::vector<net::Header> impersonation_headers(const std::string& name, const Stanza& user) {
    std::vector<net::Header> headers;
    const auto add = [&](const std::string& header, const std::string& value) {
        if (has_control_characters(value)) {
            throw Error(ExitCode::usage,
                        fmt::format("user \"{}\" in {}: {} holds a line break or another control "
                                    "character",
                                    name, user.file, header));
        }
        headers.push_back({header, value});
    };
    const std::string impersonated = text_at(user.value, "/as");
    if (impersonated.empty()) return headers;
    add("Impersonate-User", impersonated);
    if (const std::string uid = text_at(user.value, "/as-uid"); !uid.empty()) add("Impersonate-Uid", uid);
    for (const Json& group : at(user.value, "/as-groups"))
        add("Impersonate-Group", group.get<std::string>());
    for (const auto& extra : at(user.value, "/as-user-extra").items()) {
        for (const Json& value : extra.value()) {
            add("Impersonate-Extra-" + header_key(extra.key()), value.get<std::string>());
        }
    }
    return headers;
}

}  // namespace hermesctl::kube
