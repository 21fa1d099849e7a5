// Ports lie on one line, each protocol on a stretch of its own; addresses on another.
#include "hermesctl/hermes/traffic.hpp"

#include "ranges.hpp"

#include <algorithm>
#include <iterator>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

constexpr std::uint32_t ports_of_protocol = 0x10000;
constexpr std::uint32_t stretch = 2 * ports_of_protocol;  // so that no two protocols touch
constexpr std::array protocols{Protocol::tcp, Protocol::udp, Protocol::sctp};

std::uint32_t place(Protocol protocol, int port) {
    return static_cast<std::uint32_t>(protocol) * stretch + static_cast<std::uint32_t>(port);
}

/// Nothing after the last address of all.
std::optional<Address> after(Address address) {
    for (int i = 15; i >= (address.v6 ? 0 : 12); --i) {
        if (++address.bytes[static_cast<std::size_t>(i)] != 0) return address;
    }
    if (address.v6) return std::nullopt;
    return Address{.v6 = true};
}

Address before(Address address) {
    if (address == Address{.v6 = true}) {
        Address last;
        std::fill(last.bytes.begin() + 12, last.bytes.end(), std::uint8_t{0xff});
        return last;
    }
    for (int i = 15; i >= 0; --i) {
        if (address.bytes[static_cast<std::size_t>(i)]-- != 0) break;
    }
    return address;
}

Address last_of_all() {
    Address last{.v6 = true};
    last.bytes.fill(0xff);
    return last;
}

Address first_of(const Range& range) {
    Address first{.v6 = range.v6};
    if (range.v6) {
        first.bytes = range.first;
    } else {
        std::copy_n(range.first.begin(), 4, first.bytes.begin() + 12);
    }
    return first;
}

Address last_of(const Range& range) {
    Address last = first_of(range);
    const int free_bits = (range.v6 ? 128 : 32) - range.bits;
    for (int i = 0; i < free_bits; ++i) {
        auto& byte = last.bytes[static_cast<std::size_t>(15 - i / 8)];
        byte = static_cast<std::uint8_t>(byte | (1u << (i % 8)));
    }
    return last;
}

/// The largest range that starts at `first` and ends at or before `last`.
Range largest(const Address& first, const Address& last) {
    Range range{.v6 = first.v6};
    range.bits = first.v6 ? 128 : 32;
    std::copy(first.bytes.begin() + (first.v6 ? 0 : 12), first.bytes.end(), range.first.begin());
    while (range.bits > 0) {
        const Range wider = network_of(range, range.bits - 1);
        if (first_of(wider) != first || last < last_of(wider)) break;
        range = wider;
    }
    return range;
}

/// In as few ranges as there can be.
std::vector<std::string> cidrs(Address first, const Address& last) {
    std::vector<std::string> ranges;
    while (true) {
        const Range range = largest(first, last);
        ranges.push_back(range.text());
        const Address end = last_of(range);
        if (end == last) return ranges;
        first = *after(end);
    }
}

/// The same as "first-last" where that is shorter to read.
std::vector<std::string> short_ranges(Address first, const Address& last) {
    auto ranges = cidrs(first, last);
    if (ranges.size() > 2) ranges = {fmt::format("{}-{}", text_of(first), text_of(last))};
    return ranges;
}

/// What of [first, last] is IPv4 and what is IPv6, each as `written`.
void add_families(std::vector<std::string>& texts, const Address& first, const Address& last,
                  std::vector<std::string> (*written)(Address, const Address&)) {
    const auto add = [&](const Address& from, const Address& to) {
        std::ranges::move(written(from, to), std::back_inserter(texts));
    };
    const Address v6{.v6 = true};
    const bool both = !first.v6 && last.v6;
    add(first, both ? before(v6) : last);
    if (both) add(v6, last);
}

}  // namespace

std::optional<Protocol> parse_protocol(std::string_view name) {
    for (const Protocol protocol : protocols) {
        if (name_of(protocol) == name) return protocol;
    }
    return std::nullopt;
}

std::string_view name_of(Protocol protocol) {
    static constexpr std::array<std::string_view, 3> names{"TCP", "UDP", "SCTP"};
    return names[static_cast<std::size_t>(protocol)];
}

std::string text_of(const Address& address) {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data() + (address.v6 ? 0 : 12), buffer.data(),
              static_cast<socklen_t>(buffer.size()));
    return buffer.data();
}

Ports Ports::all() {
    return of(Protocol::tcp) | of(Protocol::udp) | of(Protocol::sctp);
}
Ports Ports::of(Protocol protocol) {
    return of(protocol, 0, 65535);
}
Ports Ports::of(Protocol protocol, int first, int last) {
    return Ports(Line(place(protocol, first), place(protocol, last) + 1, true));
}

bool Ports::contains(Protocol protocol, int port) const {
    return line_.at(place(protocol, port));
}

std::pair<Protocol, int> Ports::lowest() const {
    const std::uint32_t first = line_.points().begin()->first;
    return {protocols[first / stretch], static_cast<int>(first % stretch)};
}

std::string Ports::text() const {
    std::vector<std::string> parts;
    std::string_view said;
    for (auto step = line_.points().begin(); step != line_.points().end(); std::advance(step, 2)) {
        const std::uint32_t first = step->first % stretch;
        const std::uint32_t last = (std::next(step)->first - 1) % stretch;
        const std::string_view name = name_of(protocols[step->first / stretch]);
        std::string numbers = first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
        if (first <= 1 && last == 65535) numbers = "every port";
        parts.push_back(name == said ? numbers : fmt::format("{} {}", name, numbers));
        said = name;
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

Ports operator|(const Ports& a, const Ports& b) {
    return Ports(Ports::Line::combined(a.line_, b.line_, [](bool x, bool y) { return x || y; }));
}
Ports operator&(const Ports& a, const Ports& b) {
    return Ports(Ports::Line::combined(a.line_, b.line_, [](bool x, bool y) { return x && y; }));
}
Ports operator-(const Ports& a, const Ports& b) {
    return Ports(Ports::Line::combined(a.line_, b.line_, [](bool x, bool y) { return x && !y; }));
}

std::string Packet::text() const {
    return fmt::format("{} {}{}{}:{}", name_of(protocol), to.v6 ? "[" : "", text_of(to), to.v6 ? "]" : "",
                       port);
}

Traffic::Traffic(const Ports& ports) : line_(Address{}, std::nullopt, ports) {}

Traffic::Traffic(std::string_view text, const Ports& ports) {
    const auto range = parse_range(text);
    if (!range) return;
    const Range network = network_of(*range, range->bits);
    line_ = Line(first_of(network), after(last_of(network)), ports);
}

bool Traffic::contains(const Packet& packet) const {
    return line_.at(packet.to).contains(packet.protocol, packet.port);
}

std::optional<Packet> Traffic::example() const {
    if (empty()) return std::nullopt;
    const auto first = line_.points().begin();
    const auto next = std::next(first);
    const Ports& ports = first->second;
    // The first address of a range names the range, and is nobody's.
    const auto second = after(first->first);
    const bool alone = !second || (next != line_.points().end() && !(*second < next->first));
    const Address address = alone ? first->first : *second;
    const auto [protocol, port] = ports.lowest();
    // Port 0 is in "every port", and nobody's.
    const bool nobodys = port == 0 && ports.contains(protocol, 1);
    return Packet{address, protocol, nobodys ? 1 : port};
}

std::vector<std::string> Traffic::text() const {
    std::vector<std::pair<Ports, std::vector<std::string>>> groups;
    const auto& points = line_.points();
    for (auto step = points.begin(); step != points.end(); ++step) {
        if (step->second.empty()) continue;
        const auto next = std::next(step);
        auto group = std::ranges::find_if(groups, [&](const auto& one) { return one.first == step->second; });
        if (group == groups.end()) group = groups.insert(groups.end(), {step->second, {}});
        add_families(group->second, step->first, next == points.end() ? last_of_all() : before(next->first),
                     short_ranges);
    }
    std::vector<std::string> lines;
    for (const auto& [ports, ranges] : groups)
        lines.push_back(fmt::format("{} to {}", ports.text(), fmt::join(ranges, ", ")));
    return lines;
}

std::vector<std::string> Traffic::ranges() const {
    // The same ports everywhere, so that neighbours join.
    const Line line = Line::combined(
        line_, {}, [](const Ports& ports, const Ports&) { return ports.empty() ? Ports() : Ports::all(); });
    std::vector<std::string> texts;
    for (auto step = line.points().begin(); step != line.points().end(); ++step) {
        const auto next = std::next(step);
        if (step->second.empty()) continue;
        add_families(texts, step->first, next == line.points().end() ? last_of_all() : before(next->first),
                     cidrs);
    }
    return texts;
}

Traffic operator|(const Traffic& a, const Traffic& b) {
    return Traffic(Traffic::Line::combined(a.line_, b.line_, [](auto& x, auto& y) { return x | y; }));
}
Traffic operator&(const Traffic& a, const Traffic& b) {
    return Traffic(Traffic::Line::combined(a.line_, b.line_, [](auto& x, auto& y) { return x & y; }));
}
Traffic operator-(const Traffic& a, const Traffic& b) {
    return Traffic(Traffic::Line::combined(a.line_, b.line_, [](auto& x, auto& y) { return x - y; }));
}

}  // namespace hermesctl::hermes
