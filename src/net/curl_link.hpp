// Everything about one endpoint that each curl handle needs: address, trust, proxy, identity.
#pragma once

#include "hermesctl/base/error.hpp"
#include "hermesctl/net/curl.hpp"
#include "hermesctl/net/proxy.hpp"
#include "tls_material.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <curl/curl.h>

namespace hermesctl::net {

struct CurlDeleter {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
struct MultiDeleter {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
using Easy = std::unique_ptr<CURL, CurlDeleter>;
using Multi = std::unique_ptr<CURLM, MultiDeleter>;
using Lines = std::unique_ptr<curl_slist, CurlDeleter>;

/// An option that libcurl refuses is never skipped: most of them are about trust.
template <typename Value>
void set_option(CURL* easy, CURLoption option, Value value) {
    if (auto code = (curl_easy_setopt)(easy, option, value); code != CURLE_OK) {
        throw Error{ExitCode::failed, "libcurl refuses an option: " + std::string{curl_easy_strerror(code)}};
    }
}

class CurlLink {
  public:
    /// Throws Error{usage} when the URL is none.
    explicit CurlLink(Endpoint);

    const Endpoint& endpoint() const { return endpoint_; }
    bool encrypted() const { return scheme_ == "https"; }
    /// "host:port" as people write it.
    std::string authority() const;
    /// "host:port" of the proxy that is used; "" without one.
    const std::string& proxy() const { return proxy_.authority; }
    /// The base path of the endpoint and what is below it.
    std::string path(std::string_view target) const { return base_ + std::string{target}; }

    /// What the endpoint's credentials are now; none over plain HTTP.
    Credentials credentials(bool rejected) const;
    /// A handle that is set up for a request to `target`, but for method, headers and body.
    Easy open(std::string_view target, const Credentials&);
    /// Host, User-Agent, Authorization, impersonation, then the request's own.
    std::vector<Header> headers(const Request&, const Credentials&) const;

  private:
    /// As curl and Go send it: a strict virtual host knows itself only without the scheme's own port.
    std::string host_header() const;
    void set_material(CURL*, const Credentials&);
    void set_material_of_server(CURL*, const Credentials&) const;
    void set_route(CURL*) const;

    Endpoint endpoint_;
    std::string scheme_;
    std::string host_;  // IPv6 in brackets
    std::string port_;
    std::string base_;      // "" or "/prefix"
    ProxyAddress proxy_{};  // empty: none
    Lines connect_to_{};
    std::map<std::pair<std::string, std::string>, TlsMaterial> materials_{};  // by certificate and key
};

/// Why a transfer failed, for people; also whether the request may have been seen and another try makes
/// sense.
void explain_failure(Response&, const CurlLink&, CURL*, CURLcode, const char* detail);

}  // namespace hermesctl::net
