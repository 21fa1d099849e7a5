#include "kubeconfig_server.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/net/proxy.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

/// host, host:port, [v6] or [v6]:port
bool is_authority(std::string_view text) {
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    if (bracket == std::string_view::npos) return false;
    const std::size_t colon = text.find(':', bracket);
    const std::string_view host = text.substr(0, std::min(colon, text.size()));
    const auto odd = [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '\\' || c == '"';
    };
    if (host.empty() || std::any_of(text.begin(), text.end(), odd)) return false;
    const std::string_view port = colon == std::string_view::npos ? "1" : text.substr(colon + 1);
    const bool digits = std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    return !port.empty() && port.size() <= 5 && digits && std::stoi(std::string(port)) <= 65535;
}

}  // namespace

std::string server_url(const std::string& server, bool tls, std::string_view title) {
    const auto refuse = [&](std::string_view why) {
        remember_url_password(server);
        throw Error(ExitCode::usage, fmt::format("{}: server {} {}", title, scrub(server), why),
                    "write it as https://HOST:PORT");
    };
    const std::size_t mark = server.find("://");
    const std::string scheme = mark == std::string::npos ? (tls ? "https" : "http") : server.substr(0, mark);
    std::string rest = mark == std::string::npos ? server : server.substr(mark + 3);
    if (scheme != "https" && scheme != "http") refuse("is neither https nor http");
    rest.erase(std::min(rest.find_first_of("?#"), rest.size()));
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string authority = rest.substr(0, slash);
    std::string path = rest.substr(slash);
    while (path.ends_with('/'))
        path.pop_back();
    if (authority.find('@') != std::string::npos)
        refuse("holds credentials; they belong to the user's stanza");
    if (!is_authority(authority)) refuse("is not a URL");
    const auto blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
    if (std::any_of(path.begin(), path.end(), blank)) refuse("is not a URL");
    if (mark == std::string::npos && !path.empty()) refuse("has a path but no https://");
    return scheme + "://" + authority + path;
}

void remember_url_password(const std::string& url) {
    const std::string user = net::proxy_address(url).user;
    const std::size_t colon = user.find(':');
    if (colon != std::string::npos) remember_secret(user.substr(colon + 1));
}

}  // namespace hermesctl::kube
