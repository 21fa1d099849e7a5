// Trust and identity of a connection, read from PEM once for all of them: OpenSSL 3 takes a millisecond for a
// key (OSSL_DECODER tries every form that there is), and libcurl would read it anew for each.
#pragma once

#include <memory>
#include <string>

#include <curl/curl.h>

namespace hermesctl::net {

class TlsMaterial {
  public:
    /// Each may be empty: then that is left as libcurl has it. What cannot be read shows in install().
    TlsMaterial(const std::string& ca_pem, const std::string& certificate_pem, const std::string& key_pem);
    ~TlsMaterial();
    TlsMaterial(const TlsMaterial&) = delete;
    TlsMaterial& operator=(const TlsMaterial&) = delete;

    /// A CURLOPT_SSL_CTX_FUNCTION whose data is a TlsMaterial. It fails with the code that libcurl has for a
    /// bad authority or a bad client certificate.
    static CURLcode install(CURL*, void* context, void* self) noexcept;

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace hermesctl::net
