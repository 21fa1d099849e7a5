// IP addresses and CIDR ranges.
#include "ranges.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

std::optional<int> number(std::string_view text, int most) {
    int value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || value < 0 || value > most) return {};
    return value;
}

auto order(const Range& range) {
    return std::tie(range.v6, range.first, range.bits);
}

/// Of one range: different ones, as outermost() leaves them. Not of all that is public (0.0.0.0/0, 2000::/3):
/// an exception has to lie strictly inside of that.
bool are_halves(const Range& a, const Range& b) {
    if (a.bits != b.bits || a.bits <= (a.v6 ? 4 : 1)) return false;
    return Range{a.v6, a.first, a.bits - 1}.contains(b);
}

}  // namespace

bool Range::contains(const Range& other) const {
    if (v6 != other.v6 || bits > other.bits) return false;
    return network_of(other, bits).first == network_of(*this, bits).first;
}

std::string Range::text() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    inet_ntop(v6 ? AF_INET6 : AF_INET, first.data(), buffer.data(), static_cast<socklen_t>(buffer.size()));
    return fmt::format("{}/{}", buffer.data(), bits);
}

std::optional<Range> parse_range(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string address(text.substr(0, slash));
    Range range;
    range.v6 = address.find(':') != std::string::npos;
    if (address.find('\0') != std::string::npos) return {};
    if (inet_pton(range.v6 ? AF_INET6 : AF_INET, address.c_str(), range.first.data()) != 1) return {};
    range.bits = range.v6 ? 128 : 32;
    if (slash == std::string_view::npos) return range;
    const auto bits = number(text.substr(slash + 1), range.bits);
    if (!bits) return {};
    range.bits = *bits;
    return range;
}

bool lies_in(const Range& range, const std::vector<std::string>& ranges) {
    return std::ranges::any_of(ranges, [&](const std::string& text) {
        const auto found = parse_range(text);
        return found && found->contains(range);
    });
}

bool is_address(std::string_view text) {
    return text.find('/') == std::string_view::npos && parse_range(text).has_value();
}

Range network_of(Range range, int bits) {
    range.bits = std::min(range.bits, bits);
    for (int i = 0; i < 16; ++i) {
        const int kept = std::clamp(range.bits - 8 * i, 0, 8);
        auto& byte = range.first[static_cast<std::size_t>(i)];
        byte = static_cast<std::uint8_t>(byte & (0xff00u >> kept));
    }
    return range;
}

std::string complaint_about_range(std::string_view text) {
    const auto range = parse_range(text);
    if (!range) return fmt::format("'{}' is no address range; one looks like 192.168.0.0/16", text);
    const Range network = network_of(*range, range->bits);
    if (network.first == range->first) return "";
    return fmt::format("'{}' has bits set after its prefix; the range is {}", text, network.text());
}

std::vector<Range> outermost(std::vector<Range> ranges) {
    for (Range& range : ranges)
        range = network_of(range, range.bits);
    std::sort(ranges.begin(), ranges.end(),
              [](const Range& a, const Range& b) { return order(a) < order(b); });
    // A range sorts directly before all that it contains.
    std::vector<Range> kept;
    for (const Range& range : ranges) {
        if (kept.empty() || !kept.back().contains(range)) kept.push_back(range);
    }
    return kept;
}

std::vector<Range> minimal(std::vector<Range> ranges) {
    std::vector<Range> kept;
    for (const Range& range : outermost(std::move(ranges))) {
        kept.push_back(range);
        // What they make may be a half in turn.
        while (kept.size() > 1 && are_halves(kept[kept.size() - 2], kept.back())) {
            kept.pop_back();
            --kept.back().bits;
        }
    }
    return kept;
}

Range behind_nat64(const Range& prefix, const Range& v4) {
    Range range = network_of(prefix, nat64_bits);
    std::copy_n(v4.first.begin(), 4, range.first.begin() + nat64_bits / 8);
    range.bits = nat64_bits + v4.bits;
    return range;
}

std::optional<Range> from_behind_nat64(const Range& prefix, const Range& range) {
    if (!prefix.contains(range) || range.bits < nat64_bits) return {};
    Range v4{.bits = range.bits - nat64_bits};
    std::copy_n(range.first.begin() + nat64_bits / 8, 4, v4.first.begin());
    return v4;
}

std::optional<Opening> parse_target(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    const auto port = number(text.substr(colon + 1), 65535);
    std::string_view host = text.substr(0, colon);
    if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return {};  // an IPv6 address needs its brackets
    }
    if (!port || *port == 0 || host.empty()) return {};
    return Opening{std::string(host), *port};
}

}  // namespace hermesctl::hermes
