// The transport under test, pointed at a scripted server.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/net/curl.hpp"
#include "support/answers.hpp"
#include "wire/tls_server.hpp"

#include <functional>
#include <memory>
#include <string>

namespace hermesctl::testing {

inline net::Endpoint endpoint_of(const ScriptedServer& server) {
    net::Endpoint endpoint;
    endpoint.url = server.url();
    endpoint.ca_pem = test_authority().pem();
    return endpoint;
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
