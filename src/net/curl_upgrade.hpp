// A WebSocket on a connection that libcurl made (CONNECT_ONLY): TLS, proxies and trust as for any request.
#pragma once

#include "curl_link.hpp"
#include "hermesctl/base/clock.hpp"

namespace hermesctl::net {

Upgrade open_websocket(CurlLink&, Clock&, const Credentials&, const Request&,
                       std::span<const std::string> protocols);

}  // namespace hermesctl::net
