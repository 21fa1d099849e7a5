// RFC 6455 frames on a stream of bytes: what is left of a WebSocket once the handshake is done.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/net/websocket.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace hermesctl::net {

/// An open connection that never blocks.
class ByteStream {
  public:
    enum class Status { ok, again, end, failed };
    struct Result {
        Status status = Status::failed;
        std::size_t count = 0;
    };

    virtual ~ByteStream() = default;
    virtual Result read(std::span<char> into) = 0;
    /// After `again` the same bytes at the same address come again: TLS insists on it.
    virtual Result write(std::string_view bytes) = 0;
    virtual int fd() const = 0;
    /// For how long the other end's kernel has left what was sent unacknowledged; 0: it owes nothing.
    virtual std::chrono::milliseconds unacknowledged() const = 0;
};

/// `early`: bytes that came together with the handshake's answer.
std::unique_ptr<WebSocket> make_websocket(std::unique_ptr<ByteStream>, Clock&, std::string protocol,
                                          std::string early);

}  // namespace hermesctl::net
