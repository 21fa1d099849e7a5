// The server's side of RFC 6455, by hand, so that it can also be wrong.
#pragma once

#include "wire/tls_server.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace hermesctl::testing {

enum class Opcode : std::uint8_t { more = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

struct Frame {
    bool final = true;
    bool masked = false;
    Opcode opcode = Opcode::binary;
    std::string payload{};  // unmasked
    std::string mask{};
};

/// A frame as a server sends it: not masked.
std::string frame(std::string_view payload, Opcode = Opcode::binary, bool final = true);
/// A Close with a code.
std::string close_frame(int code = 1000);
/// The next frame of the client; opcode close when it is gone.
Frame read_frame(Peer&);
/// The 101 for this request.
std::string accept_upgrade(const std::string& request, std::string_view protocol = "v5.channel.k8s.io");

/// A server that shakes hands and goes on with `script`.
ScriptedServer::Script upgraded(ScriptedServer::Script script, std::string protocol = "v5.channel.k8s.io");

}  // namespace hermesctl::testing
