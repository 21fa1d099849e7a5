// Framing by wslay. What the API server's own WebSocket code demands: one frame a message, no ping and no
// input after its Close, and no weight on what cannot be written any more once it has said goodbye.
#include "hermesctl/net/frames.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <deque>
#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <wslay/wslay.h>

namespace hermesctl::net {
namespace {

constexpr std::size_t out_capacity = 64u << 10;
constexpr std::uint64_t largest_message = 32u << 20;  // what the server's side allows as well
constexpr std::chrono::seconds ping_every{10};
constexpr std::chrono::seconds longest_silence{60};
constexpr std::chrono::seconds longest_rest{5};  // between two looks, unless we are stopped

struct ContextDeleter {
    void operator()(wslay_event_context* context) const noexcept { wslay_event_context_free(context); }
};

class FramedSocket final : public WebSocket {
  public:
    FramedSocket(std::unique_ptr<ByteStream>, Clock&, std::string protocol, std::string early);
    ~FramedSocket() override;
    FramedSocket(const FramedSocket&) = delete;
    FramedSocket& operator=(const FramedSocket&) = delete;

    const std::string& protocol() const override { return protocol_; }
    void send(std::string_view message) override;
    std::size_t queued() const override {
        return deaf_ ? 0 : wslay_event_get_queued_msg_length(context_.get()) + out_.size() - written_;
    }
    std::optional<std::string> receive() override;
    bool closed() const override { return over_ && inbox_.empty(); }
    const std::string& failure() const override { return failure_; }
    int fd() const override { return stream_->fd(); }

  private:
    // An exception must not pass through C: it waits in thrown_ until we are back.
    template <typename Work>
    static ssize_t guarded(wslay_event_context* context, void* self, Work work) noexcept {
        auto& socket = *static_cast<FramedSocket*>(self);
        try {
            return work(socket);
        } catch (...) {
            socket.thrown_ = std::current_exception();
            wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
            return -1;
        }
    }
    static wslay_event_callbacks callbacks();

    ssize_t take(std::span<char> into);
    ssize_t put(std::string_view bytes);
    void heard(const wslay_event_on_msg_recv_arg&);
    void heard_pong(std::string_view payload);
    void pull();
    void flush();
    bool gone();
    void ping();
    void queue(std::uint8_t opcode, std::string_view message);
    void end(std::string failure);
    void judge_end();
    void rethrow();

    std::unique_ptr<ByteStream> stream_;
    Clock& clock_;
    std::string protocol_;
    std::string early_;
    std::size_t early_taken_ = 0;
    std::string out_{};  // never moves: see ByteStream::write
    std::size_t written_ = 0;
    std::deque<std::string> inbox_{};
    std::string failure_{};
    std::exception_ptr thrown_{};
    bool dry_ = false;   // the last read found nothing
    bool over_ = false;  // nothing more will come
    bool deaf_ = false;  // the other side takes no more bytes
    std::uint64_t pings_ = 0;
    std::uint64_t reader_free_at_ = 0;  // the ping whose answer tells that all input was read; 0: it was
    std::optional<Clock::Time> unanswered_since_{};  // the oldest ping after which nothing has come
    std::optional<Clock::Time> owed_since_{};        // the first look at which bytes were unacknowledged
    Clock::Time looked_{};
    Clock::Time last_sent_;
    std::unique_ptr<wslay_event_context, ContextDeleter> context_{};
};

wslay_event_callbacks FramedSocket::callbacks() {
    wslay_event_callbacks calls{};
    calls.recv_callback = [](auto context, std::uint8_t* data, std::size_t size, int, void* self) -> ssize_t {
        auto got = guarded(context, self, [&](FramedSocket& socket) {
            return socket.take({reinterpret_cast<char*>(data), size});
        });
        if (got < -1) wslay_event_set_error(context, static_cast<int>(got));  // -1: guarded() has set it
        return got < 0 ? -1 : got;
    };
    calls.send_callback = [](auto context, const std::uint8_t* data, std::size_t size, int,
                             void* self) -> ssize_t {
        auto put = guarded(context, self, [&](FramedSocket& socket) {
            return socket.put({reinterpret_cast<const char*>(data), size});
        });
        if (put == 0) wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return put > 0 ? put : -1;
    };
    calls.genmask_callback = [](auto context, std::uint8_t* mask, std::size_t size, void* self) -> int {
        return static_cast<int>(guarded(context, self, [&](FramedSocket&) -> ssize_t {
            std::memcpy(mask, random_bytes(size).data(), size);
            return 0;
        }));
    };
    calls.on_msg_recv_callback = [](auto context, const wslay_event_on_msg_recv_arg* message, void* self) {
        guarded(context, self, [&](FramedSocket& socket) -> ssize_t {
            socket.heard(*message);
            return 0;
        });
    };
    return calls;
}

FramedSocket::FramedSocket(std::unique_ptr<ByteStream> stream, Clock& clock, std::string protocol,
                           std::string early)
    : stream_{std::move(stream)},
      clock_{clock},
      protocol_{std::move(protocol)},
      early_{std::move(early)},
      last_sent_{clock.now()} {
    out_.reserve(out_capacity);
    auto calls = callbacks();
    wslay_event_context* context = nullptr;
    if (wslay_event_context_client_init(&context, &calls, this) != 0) throw std::bad_alloc{};
    context_.reset(context);
    wslay_event_config_set_max_recv_msg_length(context, largest_message);
}

FramedSocket::~FramedSocket() {
    try {
        if (!over_) wslay_event_queue_close(context_.get(), WSLAY_CODE_NORMAL_CLOSURE, nullptr, 0);
        flush();
    } catch (...) {  // a farewell that cannot be said is no loss
        deaf_ = true;
    }
}

/// More bytes for wslay; at most one message is read ahead.
ssize_t FramedSocket::take(std::span<char> into) {
    if (!inbox_.empty()) return WSLAY_ERR_WOULDBLOCK;
    if (early_taken_ < early_.size()) {
        auto count = early_.copy(into.data(), into.size(), early_taken_);
        early_taken_ += count;
        return static_cast<ssize_t>(count);
    }
    auto [status, count] = stream_->read(into);
    dry_ = status == ByteStream::Status::again;
    if (dry_) return WSLAY_ERR_WOULDBLOCK;
    if (status != ByteStream::Status::ok) {
        end("the connection was lost");
        return WSLAY_ERR_CALLBACK_FAILURE;
    }
    unanswered_since_.reset();
    return static_cast<ssize_t>(count);
}

/// Into the buffer; 0 when it is full.
ssize_t FramedSocket::put(std::string_view bytes) {
    auto count = std::min(bytes.size(), out_capacity - out_.size());
    out_.append(bytes.substr(0, count));
    return static_cast<ssize_t>(count);
}

void FramedSocket::heard(const wslay_event_on_msg_recv_arg& message) {
    if (message.opcode == WSLAY_BINARY_FRAME) {
        inbox_.emplace_back(reinterpret_cast<const char*>(message.msg), message.msg_length);
    } else if (message.opcode == WSLAY_TEXT_FRAME) {
        end("the server sent a text message where bytes belong");
        wslay_event_shutdown_read(context_.get());
    } else if (message.opcode == WSLAY_PONG) {
        heard_pong({reinterpret_cast<const char*>(message.msg), message.msg_length});
    }
}

/// An answer to a ping from before the last input does not tell that this input was read.
void FramedSocket::heard_pong(std::string_view payload) {
    std::uint64_t number = 0;
    std::from_chars(payload.data(), payload.data() + payload.size(), number);
    if (number >= reader_free_at_) reader_free_at_ = 0;
}

void FramedSocket::end(std::string failure) {
    if (over_) return;
    over_ = true;
    failure_ = std::move(failure);
}

/// Until there is a message, the end, or nothing to read: wslay also stops after a short read, and what TLS
/// still holds then would wake no poll.
void FramedSocket::pull() {
    for (dry_ = false; !over_ && !dry_ && inbox_.empty();) {
        int result = wslay_event_recv(context_.get());
        rethrow();
        if (result != 0) end("the connection was lost");
        if (wslay_event_get_read_enabled(context_.get()) == 0) judge_end();
    }
}

/// Reading has stopped: the server's Close, or something that is no WebSocket.
void FramedSocket::judge_end() {
    if (wslay_event_get_close_received(context_.get()) == 0) {
        end("the server sent what is no WebSocket message, or one over 32 MiB");
        return;
    }
    auto code = wslay_event_get_status_code_received(context_.get());
    bool orderly = code == 0 || code == WSLAY_CODE_NORMAL_CLOSURE || code == WSLAY_CODE_NO_STATUS_RCVD;
    end(orderly ? "" : fmt::format("the server ended the connection with code {}", code));
}

/// Writes until the connection takes no more or nothing is left. The buffer is filled only when it is empty,
/// so that what was refused once is offered again unmoved.
void FramedSocket::flush() {
    while (!deaf_) {
        if (written_ == out_.size()) {
            out_.clear();
            written_ = 0;
            wslay_event_send(context_.get());
            rethrow();
            if (out_.empty()) return;
        }
        auto [status, count] = stream_->write(std::string_view{out_}.substr(written_));
        if (status == ByteStream::Status::again) return;
        if (status != ByteStream::Status::ok) {
            // What the server sent before may still be there to read: reading finds the end.
            deaf_ = true;
            wslay_event_shutdown_write(context_.get());
            out_.clear();
            written_ = 0;
            return;
        }
        written_ += count;
        last_sent_ = clock_.now();
    }
}

void FramedSocket::queue(std::uint8_t opcode, std::string_view message) {
    wslay_event_msg frame{opcode, reinterpret_cast<const std::uint8_t*>(message.data()), message.size()};
    int result = wslay_event_queue_msg(context_.get(), &frame);
    if (result == WSLAY_ERR_NOMEM) throw std::bad_alloc{};
    // WSLAY_ERR_NO_MORE_MSG: a goodbye was said, so nobody wants it any more.
}

void FramedSocket::send(std::string_view message) {
    if (over_ || deaf_) return;
    reader_free_at_ = pings_ + 1;
    queue(WSLAY_BINARY_FRAME, message);
    flush();
}

/// Asked after pull() has found nothing more. The server answers no ping while its reader waits for the
/// program to take its input; its kernel still acknowledges what we send. What it owes right after a pause of
/// ours it has owed no longer than we have looked.
bool FramedSocket::gone() {
    const auto now = clock_.now();
    const bool reading = reader_free_at_ == 0 && queued() == 0;
    const auto owed = reading ? std::chrono::milliseconds{0} : stream_->unacknowledged();
    const bool paused = now - std::exchange(looked_, now) > longest_rest;
    if (owed.count() == 0 || paused) owed_since_.reset();
    if (reading) return unanswered_since_ && now - *unanswered_since_ > longest_silence;
    if (owed.count() > 0 && !owed_since_) owed_since_ = now;
    return owed > longest_silence && now - *owed_since_ > longest_silence;
}

/// Proxies drop silent connections.
void FramedSocket::ping() {
    if (over_ || deaf_) return;
    auto now = clock_.now();
    if (gone()) {
        end(fmt::format("the server has not answered for {} s", longest_silence.count()));
    } else if (queued() == 0 && now - last_sent_ >= ping_every) {
        if (!unanswered_since_) unanswered_since_ = now;
        queue(WSLAY_PING, std::to_string(++pings_));
        flush();
    }
}

std::optional<std::string> FramedSocket::receive() {
    flush();
    if (!over_ && inbox_.empty()) {
        pull();
        ping();
        flush();  // pongs and the reply to Close
    }
    if (inbox_.empty()) return std::nullopt;
    auto message = std::move(inbox_.front());
    inbox_.pop_front();
    return message;
}

void FramedSocket::rethrow() {
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

}  // namespace

std::unique_ptr<WebSocket> make_websocket(std::unique_ptr<ByteStream> stream, Clock& clock,
                                          std::string protocol, std::string early) {
    return std::make_unique<FramedSocket>(std::move(stream), clock, std::move(protocol), std::move(early));
}

}  // namespace hermesctl::net
