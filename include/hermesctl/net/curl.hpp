// The real transport: one libcurl multi handle, HTTP/1.1 with kept-alive connections, TLS material from
// memory.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/net/http.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace hermesctl::net {

struct Credentials {
    std::string token{};
    std::string username{};  // basic authentication
    std::string password{};
    std::string certificate_pem{};
    std::string key_pem{};
    bool operator==(const Credentials&) const = default;
};

/// Proxy settings of the environment, as curl and Go name them.
struct ProxyEnvironment {
    std::string http{};
    std::string https{};
    std::string none{};  // NO_PROXY
};

struct Endpoint {
    std::string url{};     // https://host:port/base
    std::string ca_pem{};  // empty: the system's authorities
    bool insecure = false;
    std::string tls_server_name{};
    std::string proxy_url{};  // beats `proxies`
    ProxyEnvironment proxies{};
    bool compression = true;
    std::vector<Header> headers{};  // impersonation
    /// Asked before each request (https only); `rejected` after the server said 401 to the last ones it gave.
    std::function<Credentials(bool rejected)> credentials{};
    /// For exchanges with a time limit; streams have connections of their own. More do not pay: each costs a
    /// TLS handshake.
    int max_connections = 4;
};

/// Throws Error{usage} when the endpoint cannot be used as it is (a bad URL).
std::unique_ptr<Transport> make_curl_transport(Endpoint, Clock&);

/// Whether its requests go through a proxy, which then is who resolves its name.
bool is_proxied(const Endpoint&);

/// "curl 7.88.1 OpenSSL/3.0": for `version -o json`.
std::string curl_version();

}  // namespace hermesctl::net
