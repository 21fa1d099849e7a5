// What may be sent: an exact set of (address, protocol, port), for IPv4 and IPv6.
#pragma once

#include "hermesctl/hermes/steps.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

enum class Protocol : std::uint8_t { tcp, udp, sctp };
std::optional<Protocol> parse_protocol(std::string_view);  // "TCP"
std::string_view name_of(Protocol);

/// All IPv4 addresses, then all IPv6 addresses.
struct Address {
    bool v6 = false;
    std::array<std::uint8_t, 16> bytes{};  // IPv4 in the last four
    auto operator<=>(const Address&) const = default;
};
std::string text_of(const Address&);

/// A set of ports of all protocols.
class Ports {
  public:
    Ports() = default;
    static Ports all();
    static Ports of(Protocol);
    static Ports of(Protocol, int first, int last);

    bool empty() const { return line_.empty(); }
    bool contains(Protocol, int port) const;
    /// The lowest, TCP before UDP before SCTP. Not for an empty set.
    std::pair<Protocol, int> lowest() const;
    std::string text() const;  // "TCP 80, 443-444, UDP every port"
    friend Ports operator|(const Ports&, const Ports&);
    friend Ports operator&(const Ports&, const Ports&);
    friend Ports operator-(const Ports&, const Ports&);
    bool operator==(const Ports&) const = default;

  private:
    using Line = Steps<std::uint32_t, bool>;
    explicit Ports(Line line) : line_(std::move(line)) {}
    Line line_{};
};

struct Packet {
    Address to{};
    Protocol protocol = Protocol::tcp;
    int port = 0;
    std::string text() const;  // "TCP 192.168.1.1:443"
};

class Traffic {
  public:
    Traffic() = default;
    /// To every address.
    explicit Traffic(const Ports&);
    /// To an address or CIDR range; nothing when the text is neither.
    Traffic(std::string_view range, const Ports&);

    bool empty() const { return line_.empty(); }
    bool contains(const Packet&) const;
    /// One packet of it: the lowest. Nothing when it is empty.
    std::optional<Packet> example() const;
    /// A line for each set of ports: "TCP 80, 443 to 1.0.0.0/8, 2.0.0.0-2.0.0.5".
    std::vector<std::string> text() const;
    /// All addresses that something may be sent to, in as few CIDR ranges as there can be, sorted.
    std::vector<std::string> ranges() const;
    friend Traffic operator|(const Traffic&, const Traffic&);
    friend Traffic operator&(const Traffic&, const Traffic&);
    friend Traffic operator-(const Traffic&, const Traffic&);
    bool operator==(const Traffic&) const = default;

  private:
    using Line = Steps<Address, Ports>;
    explicit Traffic(Line line) : line_(std::move(line)) {}
    Line line_{};
};

}  // namespace hermesctl::hermes
