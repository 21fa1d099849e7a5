// The transport under test, pointed at a scripted server.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/net/curl.hpp"
#include "support/answers.hpp"
#include "wire/tls_server.hpp"

#include <functional>
#include <memory>
#include <string>

#include <fmt/format.h>

namespace hermesctl::testing {

inline net::Endpoint endpoint_of(const ScriptedServer& server) {
    net::Endpoint endpoint;
    endpoint.url = server.url();
    endpoint.ca_pem = test_authority().pem();
    return endpoint;
}

/// A kubeconfig for it; `user` is a flow mapping.
inline std::string kubeconfig_for(const ScriptedServer& server, const std::string& user) {
    return fmt::format(
        "current-context: main\n"
        "contexts: [{{name: main, context: {{cluster: c, user: u}}}}]\n"
        "clusters: [{{name: c, cluster: {{server: '{}', certificate-authority-data: {}}}}}]\n"
        "users: [{{name: u, user: {}}}]\n",
        server.url(), base64_encode(test_authority().pem()), user);
}

/// The user that has a client certificate.
inline std::string user_with(const KeyPair& pair) {
    return fmt::format("{{client-certificate-data: {}, client-key-data: {}}}",
                       base64_encode(pair.certificate_pem), base64_encode(pair.key_pem));
}

/// The user whose token comes from this program.
inline std::string user_of(const std::string& plugin) {
    return fmt::format(
        "{{exec: {{command: {}, interactiveMode: Never, apiVersion: client.authentication.k8s.io/v1}}}}",
        plugin);
}

inline std::unique_ptr<net::Transport> connect(net::Endpoint endpoint) {
    return net::make_curl_transport(std::move(endpoint), system_clock());
}

inline std::unique_ptr<net::Transport> connect(const ScriptedServer& server) {
    return connect(endpoint_of(server));
}

inline net::Request get(std::string target) {
    net::Request request;
    request.target = std::move(target);
    return request;
}

/// How long something took.
inline std::chrono::milliseconds time_of(const std::function<void()>& work) {
    auto start = system_clock().now();
    work();
    return std::chrono::duration_cast<std::chrono::milliseconds>(system_clock().now() - start);
}

}  // namespace hermesctl::testing
