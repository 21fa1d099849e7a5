// HTTP as the rest of the program sees it: requests in flight in one thread, answers as values.
// A status code is data; so is a failed exchange (Response::failure). Nothing of libcurl shows here.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/net/websocket.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::net {

struct Header {
    std::string name{};
    std::string value{};
};

struct Request {
    std::string method = "GET";
    std::string target{};  // path and query below the endpoint's URL, percent-encoded
    std::vector<Header> headers{};
    std::string body{};
    std::chrono::milliseconds timeout{30'000};  // the whole exchange; 0: none (watches, log streams)
    std::chrono::milliseconds idle{0};          // no byte for so long is a failure; 0: no limit
    Clock::Time end = Clock::Time::max();       // over by then, waits and tries included; not for streams
};

/// Whose certificate is at fault: the server's is from an unknown authority or has expired, or the server
/// does not take the client's.
enum class CertificateFault { none, authority, expired, client };

struct Response {
    int status = 0;  // 0: no answer, see failure
    std::vector<Header> headers{};
    std::string body{};
    std::string failure{};   // what went wrong on the way; holds no secret
    bool connected = false;  // with a failure: whether the server may have seen the request
    bool transient = false;  // with a failure: another try may well go through (refused, reset)
    CertificateFault certificate = CertificateFault::none;  // with a failure
    bool doubtful = false;  // a try before this one was answered 5xx, and may have been carried out
    bool ok() const { return status >= 200 && status < 300; }
    /// The first header of this name (any case), or "".
    std::string_view header(std::string_view name) const;
};

/// What is done with an answer. A 2xx body goes to on_chunk piece by piece when it is set, else into
/// Response::body; the body of any other answer is always in Response::body.
struct Handler {
    std::function<void(std::string_view)> on_chunk{};
    std::function<void(Response)> on_done{};
};

/// A descriptor that poll() also wakes up for.
struct Wake {
    int fd = -1;
    bool write = false;  // also when it becomes writable
    bool now = false;    // something has come already: no waiting
};

struct Upgrade {
    std::unique_ptr<WebSocket> socket{};  // null: refused, see answer
    Response answer{};
};

class Transport {
  public:
    using Ticket = std::uint64_t;

    virtual ~Transport() = default;
    /// Begins an exchange; it makes progress in poll(). Callbacks may start and cancel others.
    virtual Ticket start(Request, Handler) = 0;
    /// Forgets it: no callback comes any more. Unknown and finished tickets are fine.
    virtual void cancel(Ticket) = 0;
    /// Works until something happened or the time is up. Throws Error{interrupted}, and what a callback
    /// threw.
    virtual void poll(std::chrono::milliseconds at_most, std::span<const Wake> wakes = {}) = 0;
    /// Opens a WebSocket (RFC 6455); blocks until the handshake is done, while other exchanges rest.
    virtual Upgrade upgrade(Request, std::span<const std::string> protocols) = 0;
};

/// What kept exchanges from being started (their credentials, say): nothing of them was sent.
struct NotSent : Error {
    explicit NotSent(const Error& error) : Error(error) {}
};

/// What is done with the answer to the request of this index.
using Take = std::function<void(std::size_t, Response)>;

/// Those of the requests that are asked for, by their indices, in flight together; each answer is taken as
/// soon as it is there. Throws NotSent, what poll() does, and what `take` throws; the rest is cancelled then.
void exchange(Transport&, std::span<const Request>, std::span<const std::size_t> asked, const Take&);

/// Percent-encodes everything outside RFC 3986's unreserved characters.
std::string percent_encode(std::string_view);

}  // namespace hermesctl::net
