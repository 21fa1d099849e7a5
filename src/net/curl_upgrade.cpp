// Connect, shake hands by hand, hand the connection to the frames.
#include "curl_upgrade.hpp"

#include "handshake.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/net/frames.hpp"
#include "tcp.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <poll.h>

namespace hermesctl::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_handshake{30'000};  // for requests without a limit of their own

class CurlStream final : public ByteStream {
  public:
    explicit CurlStream(Easy easy) : multi_{curl_multi_init()}, easy_{std::move(easy)} {
        if (!multi_ || curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) throw std::bad_alloc{};
    }
    ~CurlStream() override { curl_multi_remove_handle(multi_.get(), easy_.get()); }
    CurlStream(const CurlStream&) = delete;
    CurlStream& operator=(const CurlStream&) = delete;

    /// Works on the connection until it stands, or `end`; the result of the attempt.
    CURLcode connect(Clock&, Clock::Time end);

    Result read(std::span<char> into) override {
        std::size_t count = 0;
        auto code = curl_easy_recv(easy_.get(), into.data(), into.size(), &count);
        if (code == CURLE_OK) return {count > 0 ? Status::ok : Status::end, count};
        return {code == CURLE_AGAIN ? Status::again : Status::failed, 0};
    }
    Result write(std::string_view bytes) override {
        std::size_t count = 0;
        auto code = curl_easy_send(easy_.get(), bytes.data(), bytes.size(), &count);
        if (code == CURLE_OK) return {count > 0 ? Status::ok : Status::again, count};
        return {code == CURLE_AGAIN ? Status::again : Status::failed, 0};
    }
    int fd() const override { return fd_; }
    milliseconds unacknowledged() const override { return net::unacknowledged(fd_); }
    CURL* easy() { return easy_.get(); }

  private:
    Multi
        multi_;  // CONNECT_ONLY in a multi, so that connecting can be interrupted; the handle stays attached
    Easy easy_;
    curl_socket_t fd_ = CURL_SOCKET_BAD;
};

CURLcode CurlStream::connect(Clock& clock, Clock::Time end) {
    for (;;) {
        throw_if_interrupted();
        int left = 0;
        curl_multi_perform(multi_.get(), &left);
        if (auto* message = curl_multi_info_read(multi_.get(), &left)) {
            auto code = message->data.result;
            if (code == CURLE_OK) curl_easy_getinfo(easy_.get(), CURLINFO_ACTIVESOCKET, &fd_);
            return code;
        }
        auto wait = std::chrono::ceil<milliseconds>(end - clock.now());
        if (wait.count() <= 0) return CURLE_OPERATION_TIMEDOUT;
        curl_waitfd interrupt{interrupt_fd(), CURL_WAIT_POLLIN, 0};
        curl_multi_poll(multi_.get(), &interrupt, interrupt.fd >= 0 ? 1 : 0, static_cast<int>(wait.count()),
                        nullptr);
    }
}

bool in_time(Clock& clock, Clock::Time end) {
    throw_if_interrupted();
    return clock.now() < end;
}

void wait_for(int fd, bool write, Clock& clock, Clock::Time end) {
    auto left = std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(end - clock.now()));
    std::array<pollfd, 2> fds{
        {{fd, static_cast<short>(POLLIN | (write ? POLLOUT : 0)), 0}, {interrupt_fd(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), static_cast<int>(left.count()));
}

Response failed(std::string why) {
    Response response;
    response.connected = true;
    response.failure = std::move(why);
    return response;
}

/// Sends the request and reads its answer.
HandshakeAnswer converse(CurlStream& stream, std::string_view request, Clock& clock, Clock::Time end) {
    using Status = ByteStream::Status;
    while (!request.empty() && in_time(clock, end)) {
        auto [status, count] = stream.write(request);
        if (status == Status::failed) return {failed("the server closed the connection without an answer")};
        request.remove_prefix(count);
        if (status == Status::again) wait_for(stream.fd(), true, clock, end);
    }
    std::string bytes;
    std::vector<char> piece(16u << 10);
    while (in_time(clock, end)) {  // also while bytes come: there may be no end to them
        auto [status, count] = stream.read(piece);
        bytes.append(piece.data(), count);
        bool at_end = status == Status::end || status == Status::failed;
        if (status == Status::again) {
            wait_for(stream.fd(), false, clock, end);
        } else if (auto answer = read_handshake_answer(bytes, at_end)) {
            return std::move(*answer);
        }
    }
    return {failed("no complete answer within the time limit")};
}

}  // namespace

Upgrade open_websocket(CurlLink& link, Clock& clock, const Credentials& credentials, const Request& request,
                       std::span<const std::string> protocols) {
    auto end = clock.now() + (request.timeout.count() > 0 ? request.timeout : longest_handshake);
    std::array<char, CURL_ERROR_SIZE> detail{};
    auto easy = link.open("/", credentials);
    set_option(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
    set_option(easy.get(), CURLOPT_HTTPPROXYTUNNEL, 1L);
    set_option(easy.get(), CURLOPT_ERRORBUFFER, detail.data());
    auto stream = std::make_unique<CurlStream>(std::move(easy));

    Upgrade result;
    auto code = stream->connect(clock, end);
    if (code != CURLE_OK) {
        explain_failure(result.answer, link, stream->easy(), code, detail.data());
        return result;
    }
    set_option(stream->easy(), CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));  // it ends with this frame

    auto key = base64_encode(random_bytes(16));
    auto text = handshake_text(link.path(request.target), link.headers(request, credentials), key, protocols);
    auto answer = converse(*stream, text, clock, end);
    result.answer = std::move(answer.response);
    if (result.answer.status != 101) return result;
    if (auto fault = handshake_fault(result.answer, key, protocols); !fault.empty()) {
        result.answer = failed(std::move(fault));
        return result;
    }
    auto chosen = std::string{result.answer.header("Sec-WebSocket-Protocol")};
    result.socket = make_websocket(std::move(stream), clock, std::move(chosen), std::move(answer.rest));
    return result;
}

}  // namespace hermesctl::net
