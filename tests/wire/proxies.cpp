#include "wire/proxies.hpp"

#include <array>

#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hermesctl::testing {
namespace {

unsigned byte(const std::string& bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes.at(at));
}

/// A connection to a server of this machine; -1 when it refuses.
int dial(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    ::close(fd);
    return -1;
}

/// Passes bytes both ways until the client is gone; the connection ends with it. In one thread: two may not
/// use the client's TLS at once.
void tunnel(Peer& client, int fd) {
    Peer server{fd, nullptr};
    std::array<pollfd, 2> ends{pollfd{client.fd(), POLLIN, 0}, pollfd{fd, POLLIN, 0}};
    while (::poll(ends.data(), ends.size(), 20'000) > 0) {
        const bool from_client = ends[0].revents != 0;
        const std::string bytes = (from_client ? client : server).read_some();
        if (bytes.empty() && from_client) break;
        if (bytes.empty()) ends[1].fd = -1;  // poll() passes over it
        (from_client ? server : client).write(bytes);
    }
    ::close(fd);
}

}  // namespace

ScriptedServer::Script tunnel_to(int port) {
    return [port](Peer& client) {
        client.read_request();
        int fd = dial(port);
        if (fd < 0) return client.write("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        client.write("HTTP/1.1 200 Connection established\r\nX-Of-Proxy: 1\r\n\r\n");
        tunnel(client, fd);
    };
}

ScriptedServer::Script socks5_to(int port, std::string& asked) {
    return [port, &asked](Peer& client) {
        auto greeting = client.read_exactly(2);  // version, number of methods
        if (greeting.size() < 2) return;
        client.read_exactly(byte(greeting, 1));
        client.write(std::string{"\x05\x00", 2});
        auto request = client.read_exactly(4);  // version, CONNECT, reserved, kind of address
        if (request.size() < 4) return;
        std::string host;
        bool name = byte(request, 3) == 3;
        if (name) {
            host = client.read_exactly(byte(client.read_exactly(1), 0));
        } else {
            auto four = client.read_exactly(4);
            host = fmt::format("{}.{}.{}.{}", byte(four, 0), byte(four, 1), byte(four, 2), byte(four, 3));
        }
        auto two = client.read_exactly(2);
        asked = fmt::format("{} {}:{}", name ? "name" : "address", host, byte(two, 0) << 8 | byte(two, 1));
        int fd = dial(port);
        const std::string rest{"\x00\x01\x00\x00\x00\x00\x00\x00", 8};
        client.write((fd < 0 ? "\x05\x04" : std::string{"\x05\x00", 2}) + rest);
        if (fd >= 0) tunnel(client, fd);
    };
}

}  // namespace hermesctl::testing
