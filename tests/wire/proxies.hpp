// Proxies that really make the connection, to one server whatever they are asked for.
#pragma once

#include "wire/tls_server.hpp"

#include <string>

namespace hermesctl::testing {

/// An http proxy: answers CONNECT.
ScriptedServer::Script tunnel_to(int port);
/// SOCKS 5 without authentication (RFC 1928). `asked`: what it was asked for, "name HOST:PORT" or
/// "address A.B.C.D:PORT".
ScriptedServer::Script socks5_to(int port, std::string& asked);

}  // namespace hermesctl::testing
