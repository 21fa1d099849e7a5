// The opening handshake of RFC 6455 as text.
#pragma once

#include "hermesctl/net/http.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::net {

/// `key`: 16 random bytes in base64.
std::string handshake_text(const std::string& path, const std::vector<Header>& headers,
                           const std::string& key, std::span<const std::string> protocols);

struct HandshakeAnswer {
    Response response{};  // with the whole body unless it is a 101
    std::string rest{};   // what followed a 101: frames already
};

/// Nothing while bytes are missing; `at_end` when no more will come.
std::optional<HandshakeAnswer> read_handshake_answer(std::string_view bytes, bool at_end);

/// Why this 101 is not the answer to our request, or "".
std::string handshake_fault(const Response&, const std::string& key, std::span<const std::string> protocols);

}  // namespace hermesctl::net
