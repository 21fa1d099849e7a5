// Certificates made while a test starts: nothing in the repository that expires or looks like a secret.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace hermesctl::testing {

struct KeyPair {
    std::string certificate_pem{};
    std::string key_pem{};
};

struct CertificateRequest {
    std::string names = "DNS:localhost,IP:127.0.0.1";  // subjectAltName; empty: a client's certificate
    std::string subject = "server";
    long not_after_seconds = 3600;  // negative: expired
};

class Authority {
  public:
    explicit Authority(const std::string& name);
    const std::string& pem() const { return pem_; }
    KeyPair issue(const CertificateRequest& = {}) const;

  private:
    std::shared_ptr<EVP_PKEY> key_;
    std::shared_ptr<X509> certificate_;
    std::string pem_;
};

/// The authority that the tests' servers have unless they say otherwise; made once.
const Authority& test_authority();

}  // namespace hermesctl::testing
