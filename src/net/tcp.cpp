#include "tcp.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace hermesctl::net {

// TCP_USER_TIMEOUT would do this by itself, but it also ends connections to a program that is slow to read.
std::chrono::milliseconds unacknowledged(int fd) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
    // A single probe may just be on its way, minutes after the one before.
    const bool owed = info.tcpi_unacked > 0 || info.tcpi_probes > 2;
    return std::chrono::milliseconds{owed ? info.tcpi_last_ack_recv : 0};
}

}  // namespace hermesctl::net
