// Which proxy a request goes through, as Go decides it (x/net/http/httpproxy): libcurl would proxy loopback
// too.
#pragma once

#include "hermesctl/net/curl.hpp"

#include <string>
#include <string_view>

namespace hermesctl::net {

/// The proxy's URL for requests to `host` (no brackets), or "" for none.
std::string proxy_for(const Endpoint&, std::string_view scheme, const std::string& host,
                      std::string_view port);

struct ProxyAddress {
    std::string url{};        // for libcurl
    std::string authority{};  // "host:port", for people: without user and password
    std::string user{};       // "user:password" as it is written in the URL; "" without one
};
/// What libcurl must be told to do with a proxy's URL as Go does: without a scheme it is http, without a port
/// the scheme's own counts (libcurl's is always 1080), and the names of servers are a SOCKS proxy's to
/// resolve.
ProxyAddress proxy_address(const std::string& url);

}  // namespace hermesctl::net
