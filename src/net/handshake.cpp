// Builds the request and reads the answer, which may be any HTTP/1.1 response when the upgrade is refused.
#include "handshake.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/text.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::net {
namespace {

constexpr std::size_t largest_head = 64u << 10;
constexpr std::size_t largest_body = 4u << 20;

template <typename Number>
std::optional<Number> number(std::string_view text, int base) {
    Number value{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end == text.data()) return std::nullopt;
    return value;
}

/// "HTTP/1.1 403 Forbidden" and the header lines.
bool read_head(std::string_view head, Response& response) {
    auto line_end = head.find("\r\n");
    auto first = head.substr(0, line_end);
    if (!first.starts_with("HTTP/1.") || first.size() < 12) return false;
    auto status = number<int>(first.substr(9, 3), 10);
    if (!status || *status < 100) return false;
    response.status = *status;
    while (line_end != std::string_view::npos) {
        head.remove_prefix(line_end + 2);
        line_end = head.find("\r\n");
        auto line = head.substr(0, line_end);
        if (auto colon = line.find(':'); colon != std::string_view::npos) {
            response.headers.push_back({std::string{trimmed(line.substr(0, colon), " \t")},
                                        std::string{trimmed(line.substr(colon + 1), " \t")}});
        }
    }
    return true;
}

/// The chunks' contents so far; true once the last one is there, or the coding is broken.
bool read_chunks(std::string_view bytes, std::string& body) {
    for (;;) {
        auto line_end = bytes.find("\r\n");
        if (line_end == std::string_view::npos) return false;
        auto size = number<std::size_t>(bytes.substr(0, line_end), 16);
        if (!size || *size == 0) return true;
        bytes.remove_prefix(line_end + 2);
        body += bytes.substr(0, *size);
        if (bytes.size() < 2 || bytes.size() - 2 < *size) return false;
        bytes.remove_prefix(*size + 2);
    }
}

/// True when the body is complete.
bool read_body(std::string_view bytes, Response& response) {
    if (lower(response.header("Transfer-Encoding")).find("chunked") != std::string::npos) {
        return read_chunks(bytes, response.body);
    }
    auto length = number<std::size_t>(response.header("Content-Length"), 10);
    response.body = bytes.substr(0, length.value_or(bytes.size()));
    return length && bytes.size() >= *length;
}

}  // namespace

std::string handshake_text(const std::string& path, const std::vector<Header>& headers,
                           const std::string& key, std::span<const std::string> protocols) {
    auto text = fmt::format("GET {} HTTP/1.1\r\n", path);
    for (const auto& header : headers)
        text += fmt::format("{}: {}\r\n", header.name, header.value);
    text += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    text += fmt::format("Sec-WebSocket-Key: {}\r\n", key);
    // One line: the API server reads only the first.
    if (!protocols.empty()) text += fmt::format("Sec-WebSocket-Protocol: {}\r\n", fmt::join(protocols, ", "));
    return text + "\r\n";
}

std::optional<HandshakeAnswer> read_handshake_answer(std::string_view bytes, bool at_end) {
    HandshakeAnswer answer;
    auto fail = [&answer](std::string why) {
        answer.response.status = 0;
        answer.response.failure = std::move(why);
        return answer;
    };
    const auto received = bytes.size();
    do {  // after a 100 or 103 another follows
        answer.response = {.connected = true};
        auto head_end = bytes.find("\r\n\r\n");
        if (head_end == std::string_view::npos) {
            if (!bytes.empty() && !std::string_view{"HTTP/1."}.starts_with(bytes.substr(0, 7))) {
                return fail("the server does not speak HTTP");
            }
            if (received > largest_head) return fail("the server's answer has no end");
            if (at_end) return fail("the server closed the connection without an answer");
            return std::nullopt;
        }
        if (!read_head(bytes.substr(0, head_end), answer.response))
            return fail("the server does not speak HTTP");
        bytes.remove_prefix(head_end + 4);
    } while (answer.response.status < 200 && answer.response.status != 101);
    if (answer.response.status == 101) {
        answer.rest = bytes;
        return answer;
    }
    bool complete = read_body(bytes, answer.response);
    if (complete || at_end || bytes.size() > largest_body) return answer;
    return std::nullopt;
}

std::string handshake_fault(const Response& response, const std::string& key,
                            std::span<const std::string> protocols) {
    static constexpr std::string_view salt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    if (lower(response.header("Upgrade")) != "websocket" ||
        response.header("Sec-WebSocket-Accept") != base64_encode(sha1(key + std::string{salt}))) {
        return "the server's answer is not that of a WebSocket";
    }
    auto chosen = response.header("Sec-WebSocket-Protocol");
    if (std::ranges::find(protocols, chosen) == protocols.end()) {
        return fmt::format("the server chose none of our WebSocket protocols ({})",
                           fmt::join(protocols, ", "));
    }
    return "";
}

}  // namespace hermesctl::net
