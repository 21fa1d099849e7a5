// libcurl's results in words. No secrets: only hosts, ports and what the other side said about TLS.
#include "curl_link.hpp"
#include "hermesctl/base/scrub.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace hermesctl::net {
namespace {

// OpenSSL's X509_V_ERR_* as curl hands them through.
enum : long {
    not_yet_valid = 9,
    expired = 10,
    self_signed = 18,
    self_signed_chain = 19,
    no_issuer = 20,
    no_first_issuer = 21,
    wrong_host = 62,
    wrong_address = 64
};

CertificateFault fault_of(long verified) {
    switch (verified) {
        case expired:
            return CertificateFault::expired;
        case self_signed:
        case self_signed_chain:
        case no_issuer:
        case no_first_issuer:
            return CertificateFault::authority;
        default:
            return CertificateFault::none;
    }
}

std::string certificate_problem(const CurlLink& link, long verified, std::string_view detail) {
    switch (fault_of(verified)) {
        case CertificateFault::expired:
            return "the certificate of the server has expired";
        case CertificateFault::authority:
            return link.endpoint().ca_pem.empty()
                       ? "the certificate of the server is not from an authority that this system trusts"
                       : "the certificate of the server is not from the authority in the kubeconfig";
        default:
            break;
    }
    if (verified == not_yet_valid)
        return "the certificate of the server is not valid yet; is the clock right?";
    bool name =
        verified == wrong_host || verified == wrong_address || detail.find("match") != std::string_view::npos;
    const auto& wanted = link.endpoint().tls_server_name;
    if (name) {
        return fmt::format("the certificate of the server is not for {}",
                           wanted.empty() ? link.authority() : wanted);
    }
    return fmt::format("the certificate of the server is not accepted: {}", detail);
}

struct Phrase {
    std::string_view part{};
    std::string_view meaning{};
    CertificateFault fault = CertificateFault::none;
};

/// What OpenSSL's own words mean here; without a meaning when they say nothing of it.
Phrase tls_problem(std::string_view detail) {
    constexpr auto client = CertificateFault::client;
    static constexpr std::array phrases{
        Phrase{"alert certificate required", "the server asks for a client certificate", client},
        Phrase{"alert certificate expired", "the server says that the client certificate has expired",
               client},
        Phrase{"alert unknown ca", "the server does not know the authority of the client certificate",
               client},
        Phrase{"alert bad certificate", "the server does not accept the client certificate", client},
        Phrase{"alert certificate unknown", "the server does not accept the client certificate", client},
        Phrase{"wrong version number", "the server does not speak TLS on this port"},
        Phrase{"packet length too long", "the server does not speak TLS on this port"},
        Phrase{"alert handshake failure",
               "the server refuses the TLS handshake (does it ask for a client certificate?)"},
        Phrase{"alert protocol version", "the server has no TLS 1.2 or newer"},
        Phrase{"unsupported protocol", "the server has no TLS 1.2 or newer"},
    };
    for (const auto& phrase : phrases) {
        if (detail.find(phrase.part) != std::string_view::npos) return phrase;
    }
    return {};
}

template <typename Value>
Value info(CURL* easy, CURLINFO which) {
    Value value{};
    (curl_easy_getinfo)(easy, which, &value);
    return value;
}

/// A proxy is all that we connect to ourselves.
std::string not_connected(const CurlLink& link, long os_error) {
    const auto peer = link.proxy().empty() ? link.authority() : "the proxy " + link.proxy();
    switch (os_error) {
        case ECONNREFUSED:
            return fmt::format("connection refused by {}", peer);
        case EHOSTUNREACH:
            return fmt::format("no route to {}", peer);
        case ENETUNREACH:
            return fmt::format("the network of {} is unreachable", peer);
        case 0:
            return fmt::format("no connection to {}", peer);
        default:
            return fmt::format("no connection to {}: {}", peer, std::strerror(static_cast<int>(os_error)));
    }
}

/// "cluster:6443", and by which way.
std::string with_way(const CurlLink& link) {
    if (link.proxy().empty()) return link.authority();
    return fmt::format("{} through the proxy {}", link.authority(), link.proxy());
}

std::string lost(bool answered) {
    return answered ? "the connection was lost in the middle of the answer"
                    : "the server closed the connection without an answer";
}

std::string words(const CurlLink& link, CURL* easy, CURLcode code, std::string_view detail, bool seen) {
    bool answered = info<long>(easy, CURLINFO_RESPONSE_CODE) != 0;
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return fmt::format("host name not found: {}", link.authority());
        case CURLE_COULDNT_RESOLVE_PROXY:
            return fmt::format("host name of the proxy not found: {}", link.proxy());
        case CURLE_PROXY:
            return fmt::format("the proxy {} makes no connection to {} ({})", link.proxy(), link.authority(),
                               detail);
        case CURLE_COULDNT_CONNECT:
            return not_connected(link, info<long>(easy, CURLINFO_OS_ERRNO));
        case CURLE_OPERATION_TIMEDOUT:
            return seen ? "no complete answer within the time limit"
                        : fmt::format("no connection to {} within the time limit", with_way(link));
        case CURLE_PEER_FAILED_VERIFICATION:
            return certificate_problem(link, info<long>(easy, CURLINFO_SSL_VERIFYRESULT), detail);
        case CURLE_SSL_CERTPROBLEM:
            return "the client certificate and its key cannot be used";
        case CURLE_SSL_CACERT_BADFILE:
            return "the authority in the kubeconfig is not a PEM certificate";
        case CURLE_SSL_CONNECT_ERROR:
            return fmt::format("the TLS handshake with {} failed ({})", with_way(link), detail);
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_SEND_ERROR:
            return lost(answered);
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
            return "the server does not speak HTTP";
        case CURLE_BAD_CONTENT_ENCODING:
            return "the answer is not the gzip that it says it is";
        default:
            if (!seen && !link.proxy().empty())
                return fmt::format("{}, on the way to {}", detail, with_way(link));
            return std::string{detail};
    }
}

bool worth_another_try(CURLcode code, const Phrase& tls) {
    if (!tls.meaning.empty()) return false;
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:  // the connection broke within the handshake
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
            return true;
        default:
            return false;
    }
}

}  // namespace

void explain_failure(Response& response, const CurlLink& link, CURL* easy, CURLcode code,
                     const char* detail) {
    std::string_view more = *detail != '\0' ? detail : curl_easy_strerror(code);
    response.connected = info<curl_off_t>(easy, CURLINFO_PRETRANSFER_TIME_T) > 0;
    const bool verified = code != CURLE_PEER_FAILED_VERIFICATION;
    const Phrase tls = verified ? tls_problem(more) : Phrase{};
    bool proxy_refused = info<long>(easy, CURLINFO_HTTP_CONNECTCODE) >= 300;
    if (proxy_refused) {
        response.failure = fmt::format("the proxy {} answered {}", link.proxy(),
                                       info<long>(easy, CURLINFO_HTTP_CONNECTCODE));
    } else if (!tls.meaning.empty()) {
        response.failure = tls.meaning;
        response.certificate = tls.fault;
    } else if (code == CURLE_RECV_ERROR && response.connected) {
        response.failure = lost(info<long>(easy, CURLINFO_RESPONSE_CODE) != 0);
    } else {
        response.failure = scrub(words(link, easy, code, more, response.connected));
        if (!verified) response.certificate = fault_of(info<long>(easy, CURLINFO_SSL_VERIFYRESULT));
    }
    response.transient = !proxy_refused && worth_another_try(code, tls);
}

}  // namespace hermesctl::net
