#include "hermesctl/net/resolve.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace hermesctl::net {
namespace {

std::string text_of(const addrinfo& info) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* bytes =
        info.ai_family == AF_INET6
            ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(info.ai_addr)->sin6_addr)
            : &reinterpret_cast<const sockaddr_in*>(info.ai_addr)->sin_addr;
    ::inet_ntop(info.ai_family, bytes, text.data(), static_cast<socklen_t>(text.size()));
    return text.data();
}

}  // namespace

std::vector<std::string> addresses_of(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &wanted, &first) != 0) return {};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(first, &::freeaddrinfo);
    std::vector<std::string> found;
    for (const addrinfo* one = first; one != nullptr; one = one->ai_next) {
        if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
        const std::string text = text_of(*one);
        if (std::ranges::find(found, text) == found.end()) found.push_back(text);
    }
    return found;
}

}  // namespace hermesctl::net
