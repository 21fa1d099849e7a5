// Chooses a context and makes of it what the transport needs.
#include "hermesctl/kube/kubeconfig.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/scrub.hpp"
#include "in_cluster.hpp"
#include "kubeconfig_check.hpp"
#include "kubeconfig_credentials.hpp"
#include "kubeconfig_file.hpp"
#include "kubeconfig_headers.hpp"
#include "kubeconfig_server.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::kube {
namespace {

/// A context with the stanzas that it names.
struct Choice {
    std::string name{};
    Stanza context{};
    std::string cluster_name{};
    Stanza cluster{};
    std::string user_name{};
    Stanza user{};
};

std::string names_of(const std::map<std::string, Stanza>& stanzas) {
    std::vector<std::string> names;
    for (const auto& [name, stanza] : stanzas)
        names.push_back(name);
    return fmt::format("{}", fmt::join(names, ", "));
}

[[noreturn]] void refuse_no_context(const Kubeconfig& config) {
    if (config.files.empty() && config.missing.empty()) {
        throw Error(ExitCode::usage, "there is no kubeconfig", kubeconfig_hint());
    }
    if (config.files.empty()) {
        throw Error(ExitCode::usage,
                    fmt::format("there is no kubeconfig {}", fmt::join(config.missing, " or ")),
                    kubeconfig_hint());
    }
    const std::string files = fmt::format("{}", fmt::join(config.files, ", "));
    if (config.contexts.empty()) {
        throw Error(ExitCode::usage, fmt::format("no context in kubeconfig {}", files), kubeconfig_hint());
    }
    throw Error(ExitCode::usage, fmt::format("no current-context in kubeconfig {}", files),
                fmt::format("add --context NAME, one of: {}", names_of(config.contexts)));
}

Stanza named(const std::map<std::string, Stanza>& stanzas, const Choice& choice, const char* kind,
             const std::string& name) {
    const std::string context = fmt::format("context \"{}\" in {}", choice.name, choice.context.file);
    if (name.empty()) throw Error(ExitCode::usage, fmt::format("{} names no {}", context, kind));
    const auto found = stanzas.find(name);
    if (found != stanzas.end()) return found->second;
    throw Error(ExitCode::usage,
                fmt::format("{} names the {} \"{}\", which is nowhere", context, kind, name));
}

Choice choose(const Kubeconfig& config, const std::string& wanted) {
    Choice choice{.name = wanted.empty() ? config.current_context : wanted};
    const auto context = config.contexts.find(choice.name);
    if (context == config.contexts.end() && (choice.name.empty() || config.files.empty()))
        refuse_no_context(config);
    if (context == config.contexts.end()) {
        throw Error(
            ExitCode::usage,
            fmt::format("there is no context \"{}\" in {}", choice.name, fmt::join(config.files, ", ")),
            config.contexts.empty() ? "" : fmt::format("one of: {}", names_of(config.contexts)));
    }
    choice.context = context->second;
    choice.cluster_name = text_at(choice.context.value, "/cluster");
    choice.user_name = text_at(choice.context.value, "/user");
    choice.cluster = named(config.clusters, choice, "cluster", choice.cluster_name);
    // Without a user it is nobody's, as client-go has it: a server may ask for no credentials.
    choice.user.file = choice.context.file;
    if (!choice.user_name.empty()) choice.user = named(config.users, choice, "user", choice.user_name);
    check_cluster(choice.cluster_name, choice.cluster);
    check_user(choice.user_name, choice.user);
    return choice;
}

net::ProxyEnvironment proxies_of(const Environment& environment) {
    const auto first = [&](const char* upper, const char* lower) {
        const std::string value = value_of(environment, upper);
        return value.empty() ? value_of(environment, lower) : value;
    };
    net::ProxyEnvironment proxies{.http = first("HTTP_PROXY", "http_proxy"),
                                  .https = first("HTTPS_PROXY", "https_proxy"),
                                  .none = first("NO_PROXY", "no_proxy")};
    remember_url_password(proxies.http);
    remember_url_password(proxies.https);
    return proxies;
}

/// What a credential plugin is told of the cluster.
Json plugin_cluster(const Choice& choice, const net::Endpoint& endpoint) {
    Json info{{"server", endpoint.url},
              {"config", at(choice.cluster.value, "/extensions/client.authentication.k8s.io~1exec")}};
    if (!endpoint.tls_server_name.empty()) info["tls-server-name"] = endpoint.tls_server_name;
    if (endpoint.insecure) info["insecure-skip-tls-verify"] = true;
    if (!endpoint.ca_pem.empty()) info["certificate-authority-data"] = base64_encode(endpoint.ca_pem);
    if (!endpoint.proxy_url.empty()) info["proxy-url"] = endpoint.proxy_url;
    if (!endpoint.compression) info["disable-compression"] = true;
    return info;
}

net::Endpoint endpoint_of(const Choice& choice, const Environment& environment) {
    const Json& cluster = choice.cluster.value;
    const std::string title = fmt::format("cluster \"{}\" in {}", choice.cluster_name, choice.cluster.file);
    net::Endpoint endpoint;
    endpoint.ca_pem = pem_of(title, choice.cluster, "certificate-authority", "CERTIFICATE");
    endpoint.insecure = bool_at(cluster, "/insecure-skip-tls-verify");
    const Json& user = choice.user.value;
    const bool tls = !endpoint.ca_pem.empty() || endpoint.insecure || user.contains("client-certificate") ||
                     user.contains("client-certificate-data");
    endpoint.url = server_url(text_at(cluster, "/server"), tls, title);
    endpoint.tls_server_name = text_at(cluster, "/tls-server-name");
    endpoint.proxy_url = text_at(cluster, "/proxy-url");
    remember_url_password(endpoint.proxy_url);
    endpoint.proxies = proxies_of(environment);
    endpoint.compression = !bool_at(cluster, "/disable-compression");
    endpoint.headers = impersonation_headers(choice.user_name, choice.user);
    return endpoint;
}

}  // namespace

Connection load_connection(const KubeconfigRequest& request, const Environment& environment, Clock& clock) {
    const Kubeconfig config = read_kubeconfig(request.file, environment);
    const bool nothing = request.context.empty() && config.current_context.empty();
    if (nothing && request.file.empty() && in_cluster_possible(environment, request.service_account)) {
        return in_cluster_connection(environment, clock, request.service_account);
    }
    const Choice choice = choose(config, request.context);
    Connection connection{.endpoint = endpoint_of(choice, environment), .context = choice.name};
    connection.server = connection.endpoint.url;
    // Never over a connection that others can read; client-go sends none there either.
    if (connection.endpoint.url.starts_with("https://")) {
        connection.endpoint.credentials =
            credentials_of(choice.user_name, choice.user, plugin_cluster(choice, connection.endpoint),
                           request, environment, clock);
    }
    return connection;
}

}  // namespace hermesctl::kube
