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

}  // namespace hermesctl::net
