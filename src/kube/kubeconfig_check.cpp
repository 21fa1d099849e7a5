#include "kubeconfig_check.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

/// A stanza with words for complaints about it.
struct Subject {
    std::string title{};  // `user "admin" in /home/me/.kube/config`
    const Json& value;

    bool has(const char* field) const { return value.contains(field); }
    [[noreturn]] void refuse(std::string_view why, const std::string& hint = {}) const {
        throw Error(ExitCode::usage, fmt::format("{}: {}", title, why), hint);
    }
    void refuse_both(const char* one, const char* other) const {
        if (has(one) && has(other))
            refuse(fmt::format("has both {} and {}", one, other), "remove one of them");
    }
};

Subject subject(std::string_view kind, const std::string& name, const Stanza& stanza) {
    return {fmt::format("{} \"{}\" in {}", kind, name, stanza.file), stanza.value};
}

void check_proxy(const Subject& cluster) {
    const std::string proxy = text_at(cluster.value, "/proxy-url");
    const std::string scheme = proxy.substr(0, std::min(proxy.find("://"), proxy.size()));
    if (proxy.empty() || scheme == "http" || scheme == "https" || scheme == "socks5") return;
    cluster.refuse("proxy-url must start with http://, https:// or socks5://");
}

void check_exec(const Subject& user) {
    const Json& exec = at(user.value, "/exec");
    if (user.has("auth-provider")) user.refuse("has both exec and auth-provider", "remove auth-provider");
    if (text_at(exec, "/command").empty()) user.refuse("exec has no command");
    const std::string version = text_at(exec, "/apiVersion");
    if (version.empty()) user.refuse("exec has no apiVersion");
    if (version != "client.authentication.k8s.io/v1" && version != "client.authentication.k8s.io/v1beta1") {
        user.refuse(
            fmt::format("exec's apiVersion {} is not supported, only client.authentication.k8s.io/v1 and "
                        "v1beta1",
                        version),
            "update the credential plugin and write its kubeconfig anew");
    }
    for (const Json& variable : at(exec, "/env")) {
        if (text_at(variable, "/name").empty()) user.refuse("exec has an env entry without a name");
    }
    const std::string mode = text_at(exec, "/interactiveMode");
    if (mode != "Never" && mode != "IfAvailable" && mode != "Always") {
        user.refuse("exec's interactiveMode must be Never, IfAvailable or Always");
    }
}

void check_certificate(const Subject& user) {
    const bool key = user.has("client-key") || user.has("client-key-data");
    if (!user.has("client-certificate") && !user.has("client-certificate-data")) return;
    user.refuse_both("client-certificate", "client-certificate-data");
    user.refuse_both("client-key", "client-key-data");
    if (!key) user.refuse("has a client certificate but neither client-key nor client-key-data");
}

void check_impersonation(const Subject& user) {
    if (!user.has("as") && (user.has("as-uid") || user.has("as-groups") || user.has("as-user-extra"))) {
        user.refuse("has as-uid, as-groups or as-user-extra without as");
    }
}

}  // namespace

void check_cluster(const std::string& name, const Stanza& stanza) {
    const Subject cluster = subject("cluster", name, stanza);
    if (!cluster.has("server")) cluster.refuse("has no server");
    check_proxy(cluster);
    cluster.refuse_both("certificate-authority", "certificate-authority-data");
    const bool authority = cluster.has("certificate-authority") || cluster.has("certificate-authority-data");
    if (authority && cluster.has("insecure-skip-tls-verify")) {
        cluster.refuse("has a certificate-authority and insecure-skip-tls-verify: true",
                       "remove one of them");
    }
}

void check_user(const std::string& name, const Stanza& stanza) {
    const Subject user = subject("user", name, stanza);
    if (user.has("token") && (user.has("username") || user.has("password"))) {
        user.refuse("has both a token and a username or password", "remove one of them");
    }
    check_certificate(user);
    if (user.has("exec")) {
        check_exec(user);
    } else if (user.has("auth-provider")) {
        user.refuse(fmt::format("needs the auth-provider {}, which is not supported",
                                text_at(user.value, "/auth-provider/name")),
                    "use a credential plugin (exec), e.g. kubelogin for OpenID Connect");
    }
    check_impersonation(user);
    if (has_control_characters(text_at(user.value, "/token"))) {
        user.refuse("its token holds a line break or another control character");
    }
}

bool is_pem(std::string_view pem, std::string_view label) {
    constexpr std::string_view begin = "-----BEGIN ";
    for (std::size_t from = pem.find(begin); from != std::string_view::npos;
         from = pem.find(begin, from + 1)) {
        const std::size_t name = from + begin.size();
        const std::size_t name_end = pem.find("-----", name);
        if (name_end == std::string_view::npos) break;
        const std::string_view block = pem.substr(name, name_end - name);
        const std::size_t end = pem.find(fmt::format("-----END {}-----", block), name_end);
        if (!block.ends_with(label) || end == std::string_view::npos) continue;
        std::string_view body = pem.substr(name_end + 5, end - name_end - 5);
        // Old encrypted and EC keys carry headers before the base64.
        if (const std::size_t gap = body.find("\n\n"); gap != std::string_view::npos) body.remove_prefix(gap);
        if (const auto bytes = base64_decode(body); bytes && !bytes->empty()) return true;
    }
    return false;
}

bool has_control_characters(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace hermesctl::kube
