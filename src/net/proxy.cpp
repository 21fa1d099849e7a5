// NO_PROXY matching and the choice of a proxy.
#include "hermesctl/net/proxy.hpp"

#include "hermesctl/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include <arpa/inet.h>

namespace hermesctl::net {
namespace {

struct Ip {
    std::array<std::uint8_t, 16> bytes{};
    std::size_t size = 0;  // 4 or 16
};

std::optional<Ip> parse_ip(const std::string& text) {
    Ip ip;
    if (inet_pton(AF_INET, text.c_str(), ip.bytes.data()) == 1) {
        ip.size = 4;
    } else if (inet_pton(AF_INET6, text.c_str(), ip.bytes.data()) == 1) {
        ip.size = 16;
    } else {
        return std::nullopt;
    }
    return ip;
}

bool loopback(const std::string& host) {
    if (host == "localhost") return true;
    auto ip = parse_ip(host);
    if (!ip) return false;
    if (ip->size == 4) return ip->bytes[0] == 127;
    Ip one{.size = 16};
    one.bytes[15] = 1;
    return ip->bytes == one.bytes;
}

bool in_range(const Ip& ip, const Ip& network, unsigned bits) {
    if (ip.size != network.size || bits > ip.size * 8) return false;
    for (std::size_t i = 0; i < ip.size && bits > 0; ++i) {
        unsigned here = std::min(bits, 8u);
        unsigned mask = (0xffu << (8 - here)) & 0xffu;
        if ((ip.bytes[i] & mask) != (network.bytes[i] & mask)) return false;
        bits -= here;
    }
    return true;
}

/// "example.com" is the name and all below it, ".example.com" only what is below.
bool name_matches(std::string_view pattern, std::string_view host) {
    if (pattern.starts_with("*.")) pattern.remove_prefix(1);
    if (pattern.starts_with('.')) return host.ends_with(pattern);
    return host == pattern || (host.ends_with(pattern) && host[host.size() - pattern.size() - 1] == '.');
}

bool address_matches(std::string pattern, const Ip& ip) {
    unsigned bits = static_cast<unsigned>(ip.size * 8);
    if (auto slash = pattern.find('/'); slash != std::string::npos) {
        auto [end, error] =
            std::from_chars(pattern.data() + slash + 1, pattern.data() + pattern.size(), bits);
        if (error != std::errc{} || end != pattern.data() + pattern.size()) return false;
        pattern.resize(slash);
    }
    if (pattern.starts_with('[') && pattern.ends_with(']')) pattern = pattern.substr(1, pattern.size() - 2);
    auto network = parse_ip(pattern);
    return network && in_range(ip, *network, bits);
}

bool entry_matches(std::string entry, const std::string& host, std::string_view port) {
    if (entry == "*") return true;
    // host:port or [v6]:port; a bare IPv6 address has more than one colon
    auto colon = entry.rfind(':');
    bool has_port = colon != std::string::npos && (entry.find(':') == colon || entry[colon - 1] == ']');
    if (has_port) {
        if (entry.substr(colon + 1) != port) return false;
        entry.resize(colon);
    }
    if (auto ip = parse_ip(host)) return address_matches(entry, *ip);
    return !entry.empty() && name_matches(entry, host);
}

bool excepted(std::string_view list, const std::string& host, std::string_view port) {
    const std::string entries = lower(list);
    return std::ranges::any_of(words_of(entries, ", \t"), [&](std::string_view entry) {
        return entry_matches(std::string(entry), host, port);
    });
}

}  // namespace

std::string proxy_for(const Endpoint& endpoint, std::string_view scheme, const std::string& host,
                      std::string_view port) {
    if (!endpoint.proxy_url.empty()) return endpoint.proxy_url;
    const auto& proxy = scheme == "https" ? endpoint.proxies.https : endpoint.proxies.http;
    auto name = lower(host);
    if (proxy.empty() || loopback(name) || excepted(endpoint.proxies.none, name, port)) return "";
    return proxy;
}

ProxyAddress proxy_address(const std::string& url) {
    auto mark = url.find("://");
    auto scheme = mark == std::string::npos ? "http" : lower(url.substr(0, mark));
    auto rest = mark == std::string::npos ? url : url.substr(mark + 3);
    auto user_end = rest.rfind('@') + 1;  // 0 without one; a password may hold anything, "/" too
    auto user = rest.substr(0, user_end);
    auto authority = rest.substr(user_end, rest.find('/', user_end) - user_end);
    auto last_colon = authority.rfind(':');
    bool has_port = last_colon != std::string::npos && authority.find(']', last_colon) == std::string::npos;
    if (!has_port) authority += scheme == "http" ? ":80" : scheme == "https" ? ":443" : ":1080";
    if (scheme == "socks5") scheme = "socks5h";
    auto url_for_curl = scheme + "://" + user + authority;
    if (!user.empty()) user.pop_back();
    return {std::move(url_for_curl), std::move(authority), std::move(user)};
}

}  // namespace hermesctl::net
