// A WebSocket of binary messages on an open connection, non-blocking.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hermesctl::net {

class WebSocket {
  public:
    virtual ~WebSocket() = default;
    /// The subprotocol that the server chose.
    virtual const std::string& protocol() const = 0;
    /// Queues one message as one frame and writes what the connection takes.
    virtual void send(std::string_view message) = 0;
    /// Bytes that are not yet on the wire; a producer waits while this is large.
    virtual std::size_t queued() const = 0;
    /// The next message that has come; nothing when there is none yet. Also writes what is queued and sends
    /// pings.
    virtual std::optional<std::string> receive() = 0;
    /// The connection is over (close frame, end of stream, or failure()), and all messages were received.
    virtual bool closed() const = 0;
    /// Why it broke; empty after an orderly close.
    virtual const std::string& failure() const = 0;
    virtual int fd() const = 0;
};

}  // namespace hermesctl::net
