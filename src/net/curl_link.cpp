// What holds for every handle: HTTP/1.1, TLS from memory, no CApath, no surprises.
#include "curl_link.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/scrub.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::net {
namespace {

constexpr long connect_ms = 10'000;
constexpr long keepalive_s = 30;
constexpr long idle_connection_s = 80;  // the API server closes idle connections after 90 s

struct UrlDeleter {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

std::string part(const Url& url, CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(url.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
    std::string copy{text};
    curl_free(text);
    return copy;
}

Url parse(const std::string& text) {
    Url url{curl_url()};
    bool right = url && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
    auto scheme = right ? part(url, CURLUPART_SCHEME) : "";
    if (scheme != "https" && scheme != "http") {
        throw Error{ExitCode::usage, fmt::format("not a usable server address: \"{}\"", text),
                    "it should look like https://host:6443"};
    }
    return url;
}

void set_blob(CURL* easy, CURLoption option, const std::string& pem) {
    curl_blob blob{const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_COPY};
    set_option(easy, option, &blob);
}

std::string without_brackets(std::string host) {
    if (host.starts_with('[') && host.ends_with(']')) return host.substr(1, host.size() - 2);
    return host;
}

void check_header(const Header& header) {
    auto control = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
    if (std::ranges::none_of(header.name, control) && std::ranges::none_of(header.value, control)) return;
    throw Error{ExitCode::usage,
                fmt::format("the value for the {} header has a line break in it", header.name)};
}

}  // namespace

CurlLink::CurlLink(Endpoint endpoint) : endpoint_{std::move(endpoint)} {
    auto url = parse(endpoint_.url);
    scheme_ = part(url, CURLUPART_SCHEME);
    host_ = part(url, CURLUPART_HOST);
    port_ = part(url, CURLUPART_PORT);
    base_ = part(url, CURLUPART_PATH);
    while (base_.ends_with('/'))
        base_.pop_back();
    auto proxy = proxy_for(endpoint_, scheme_, without_brackets(host_), port_);
    if (!proxy.empty()) proxy_ = proxy_address(proxy);
    if (encrypted() && !endpoint_.tls_server_name.empty()) {
        connect_to_.reset(curl_slist_append(nullptr, fmt::format("::{}:{}", host_, port_).c_str()));
    }
}

std::string CurlLink::authority() const {
    return fmt::format("{}:{}", host_, port_);
}

std::string CurlLink::host_header() const {
    return port_ == (encrypted() ? "443" : "80") ? host_ : authority();
}

Credentials CurlLink::credentials(bool rejected) const {
    if (!encrypted() || !endpoint_.credentials) return {};
    return endpoint_.credentials(rejected);
}

Easy CurlLink::open(std::string_view target, const Credentials& credentials) {
    Easy easy{curl_easy_init()};
    if (!easy) throw Error{ExitCode::failed, "libcurl cannot be started"};
    auto* e = easy.get();
    // With another TLS name the URL carries that name and CONNECT_TO the real address.
    const auto& host = connect_to_ ? endpoint_.tls_server_name : host_;
    set_option(e, CURLOPT_URL, fmt::format("{}://{}:{}{}", scheme_, host, port_, path(target)).c_str());
    set_option(e, CURLOPT_PATH_AS_IS, 1L);
    set_option(e, CURLOPT_PROTOCOLS_STR, "http,https");
    set_option(e, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set_option(e, CURLOPT_FOLLOWLOCATION, 0L);
    set_option(e, CURLOPT_NOSIGNAL, 1L);
    set_option(e, CURLOPT_QUICK_EXIT, 1L);  // a resolver thread is left behind, not waited for
    set_option(e, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    set_option(e, CURLOPT_TCP_KEEPALIVE, 1L);
    set_option(e, CURLOPT_TCP_KEEPIDLE, keepalive_s);
    set_option(e, CURLOPT_TCP_KEEPINTVL, keepalive_s / 2);
    set_option(e, CURLOPT_MAXAGE_CONN, idle_connection_s);
    set_route(e);
    set_option(e, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (endpoint_.insecure) {
        set_option(e, CURLOPT_SSL_VERIFYPEER, 0L);
        set_option(e, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (!endpoint_.ca_pem.empty()) {
        // The built-in CApath would let every public authority vouch for the API server.
        set_option(e, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
        set_option(e, CURLOPT_CAINFO, static_cast<const char*>(nullptr));
    }
    if (encrypted() && proxy_.url.starts_with("https:")) {
        set_material_of_server(e, credentials);
    } else if (encrypted()) {
        set_material(e, credentials);
    }
    return easy;
}

void CurlLink::set_route(CURL* easy) const {
    set_option(easy, CURLOPT_PROXY, proxy_.url.c_str());  // "" also closes curl's own look at the environment
    set_option(easy, CURLOPT_NOPROXY, "");
    set_option(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (connect_to_) set_option(easy, CURLOPT_CONNECT_TO, connect_to_.get());
}

/// What is read once is set for every TLS handshake.
void CurlLink::set_material(CURL* easy, const Credentials& credentials) {
    const auto found = materials_
                           .try_emplace({credentials.certificate_pem, credentials.key_pem},
                                        endpoint_.insecure ? "" : endpoint_.ca_pem,
                                        credentials.certificate_pem, credentials.key_pem)
                           .first;
    set_option(easy, CURLOPT_SSL_CTX_FUNCTION, &TlsMaterial::install);
    set_option(easy, CURLOPT_SSL_CTX_DATA, &found->second);
    // libcurl does not tell a connection with one certificate from a connection with another then.
    if (materials_.size() == 1) return;
    set_option(easy, CURLOPT_FRESH_CONNECT, 1L);
    set_option(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);  // a resumed session is that of the old one
}

/// A proxy with TLS of its own is to get none of it: libcurl reads these for the server alone, each time.
void CurlLink::set_material_of_server(CURL* easy, const Credentials& credentials) const {
    if (!endpoint_.insecure && !endpoint_.ca_pem.empty())
        set_blob(easy, CURLOPT_CAINFO_BLOB, endpoint_.ca_pem);
    if (credentials.certificate_pem.empty()) return;
    set_option(easy, CURLOPT_SSLCERTTYPE, "PEM");
    set_option(easy, CURLOPT_SSLKEYTYPE, "PEM");
    set_blob(easy, CURLOPT_SSLCERT_BLOB, credentials.certificate_pem);
    set_blob(easy, CURLOPT_SSLKEY_BLOB, credentials.key_pem);
}

std::vector<Header> CurlLink::headers(const Request& request, const Credentials& credentials) const {
    std::vector<Header> all{{"Host", host_header()}, {"User-Agent", "hermesctl"}};
    if (!credentials.token.empty()) {
        all.push_back({"Authorization", "Bearer " + credentials.token});
    } else if (!credentials.username.empty()) {
        auto pair = base64_encode(credentials.username + ":" + credentials.password);
        remember_secret(pair);
        all.push_back({"Authorization", "Basic " + pair});
    }
    all.insert(all.end(), endpoint_.headers.begin(), endpoint_.headers.end());
    all.insert(all.end(), request.headers.begin(), request.headers.end());
    for (const auto& header : all)
        check_header(header);
    return all;
}

}  // namespace hermesctl::net
