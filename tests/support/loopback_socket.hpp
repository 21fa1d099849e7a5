// A port of loopback, for tests of the scripts that connect.
#pragma once

#include <cstdlib>
#include <string>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hermesctl::testing {

/// Bound, and silent or refusing until somebody listens or reads.
class LoopbackSocket {
  public:
    explicit LoopbackSocket(int type) : fd_(::socket(AF_INET, type, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        if (::bind(fd_, plain, size) != 0) std::abort();
        ::getsockname(fd_, plain, &size);
        port_ = ntohs(address.sin_port);
    }
    ~LoopbackSocket() { ::close(fd_); }
    LoopbackSocket(const LoopbackSocket&) = delete;
    LoopbackSocket& operator=(const LoopbackSocket&) = delete;

    /// From here on it can be connected to.
    void listen() const {
        if (::listen(fd_, 64) != 0) std::abort();
    }
    int fd() const { return fd_; }
    int port() const { return port_; }
    std::string address() const { return fmt::format("127.0.0.1:{}", port_); }

  private:
    int fd_;
    int port_ = 0;
};

}  // namespace hermesctl::testing
