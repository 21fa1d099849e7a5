// IP addresses and CIDR ranges, for the policy and for checks of what a person wrote.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

inline constexpr int nat64_bits = 96;  // of a prefix that ends in an IPv4 address

struct Range {
    bool v6 = false;
    std::array<std::uint8_t, 16> first{};  // IPv4 in the first four bytes
    int bits = 0;                          // length of the prefix

    bool contains(const Range&) const;
    std::string text() const;  // "10.0.0.0/8"
};

/// "10.0.0.0/8", or an address as /32 or /128. Nothing when it is neither; bits after the prefix are kept.
std::optional<Range> parse_range(std::string_view);
/// Whether one of these (whatever of them is a range) holds it.
bool lies_in(const Range&, const std::vector<std::string>& ranges);
bool is_address(std::string_view);
/// The range with the bits after its prefix cleared.
Range network_of(Range, int bits);
/// "" or why this is no CIDR range (no address, bits after the prefix).
std::string complaint_about_range(std::string_view);

/// Sorted, without duplicates and without ranges inside another one.
std::vector<Range> outermost(std::vector<Range>);
/// The same with halves joined, so that there are as few as there can be.
std::vector<Range> minimal(std::vector<Range>);

/// An IPv4 range as it is written behind a NAT64 prefix of 96 bits (RFC 6052), and back; nothing when the
/// range is not behind it.
Range behind_nat64(const Range& prefix, const Range& v4);
std::optional<Range> from_behind_nat64(const Range& prefix, const Range&);

/// "192.168.1.10/32:8080", "[fd00::/8]:443" or "nas.example:443" in its parts.
struct Opening {
    std::string host{};
    int port = 0;
};
/// Nothing when there is no port from 1 to 65535 behind the last colon, or no host before it.
std::optional<Opening> parse_target(std::string_view);

}  // namespace hermesctl::hermes
