// Frames and the handshake, server's side.
#include "wire/websocket_server.hpp"

#include "hermesctl/base/crypto.hpp"

#include <utility>

#include <fmt/format.h>

namespace hermesctl::testing {
namespace {

void append_number(std::string& out, std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i)
        out += static_cast<char>(value >> (8 * i) & 0xff);
}

}  // namespace

std::string frame(std::string_view payload, Opcode opcode, bool final) {
    std::string out;
    out += static_cast<char>((final ? 0x80 : 0) | static_cast<int>(opcode));
    if (payload.size() < 126) {
        append_number(out, payload.size(), 1);
    } else if (payload.size() < 65536) {
        append_number(out, 126, 1);
        append_number(out, payload.size(), 2);
    } else {
        append_number(out, 127, 1);
        append_number(out, payload.size(), 8);
    }
    return out += payload;
}

std::string close_frame(int code) {
    std::string payload;
    append_number(payload, static_cast<std::uint64_t>(code), 2);
    return frame(payload, Opcode::close);
}

Frame read_frame(Peer& peer) {
    auto head = peer.read_exactly(2);
    if (head.size() < 2) return {.opcode = Opcode::close};
    auto first = static_cast<unsigned char>(head[0]);
    auto second = static_cast<unsigned char>(head[1]);
    Frame result{.final = (first & 0x80) != 0, .masked = (second & 0x80) != 0, .opcode = Opcode(first & 15)};
    std::uint64_t size = second & 127;
    if (size >= 126) {
        auto bytes = peer.read_exactly(size == 126 ? 2 : 8);
        size = 0;
        for (char byte : bytes)
            size = size << 8 | static_cast<unsigned char>(byte);
    }
    if (result.masked) result.mask = peer.read_exactly(4);
    result.payload = peer.read_exactly(size);
    for (std::size_t i = 0; result.masked && i < result.payload.size(); ++i) {
        result.payload[i] = static_cast<char>(result.payload[i] ^ result.mask[i % 4]);
    }
    return result;
}

std::string accept_upgrade(const std::string& request, std::string_view protocol) {
    static constexpr std::string_view name = "Sec-WebSocket-Key: ";
    auto start = request.find(name) + name.size();
    auto key = request.substr(start, request.find("\r\n", start) - start);
    auto accept = base64_encode(sha1(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    auto answer = fmt::format(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: {}\r\n",
        accept);
    if (!protocol.empty()) answer += fmt::format("Sec-WebSocket-Protocol: {}\r\n", protocol);
    return answer + "\r\n";
}

ScriptedServer::Script upgraded(ScriptedServer::Script script, std::string protocol) {
    return [script = std::move(script), protocol = std::move(protocol)](Peer& peer) {
        peer.write(accept_upgrade(peer.read_request(), protocol));
        script(peer);
    };
}

}  // namespace hermesctl::testing
