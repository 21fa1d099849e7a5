#include "tls_material.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace hermesctl::net {
namespace {

struct Free {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(X509_STORE* store) const noexcept { X509_STORE_free(store); }
    void operator()(STACK_OF(X509) * chain) const noexcept { sk_X509_pop_free(chain, X509_free); }
};
template <typename Type>
using Owned = std::unique_ptr<Type, Free>;
using Chain = STACK_OF(X509);

Owned<BIO> reader(const std::string& pem) {
    return Owned<BIO>{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
}

/// Nobody is asked for the passphrase of a key that has one.
int no_passphrase(char*, int, int, void*) noexcept {
    return -1;
}

/// All certificates of the text; like Go, past what is none.
Owned<Chain> certificates(const std::string& pem) {
    auto bio = reader(pem);
    Owned<Chain> all{sk_X509_new_null()};
    while (bio && all && !BIO_eof(bio.get())) {
        if (X509* one = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
            sk_X509_push(all.get(), one);
        }
    }
    ERR_clear_error();
    return all;
}

/// Empty without a certificate in the text.
Owned<X509_STORE> store_of(const std::string& pem) {
    auto all = certificates(pem);
    Owned<X509_STORE> store{X509_STORE_new()};
    if (!all || !store || sk_X509_num(all.get()) == 0) return nullptr;
    for (int i = 0; i < sk_X509_num(all.get()); ++i) {
        X509_STORE_add_cert(store.get(), sk_X509_value(all.get(), i));
    }
    // As libcurl and Go have it: an authority need not be a root.
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    return store;
}

}  // namespace

struct TlsMaterial::Parts {
    bool has_authority = false;
    bool has_identity = false;
    Owned<X509_STORE> authority{};
    Owned<X509> certificate{};
    Owned<Chain> chain{};  // what comes with the certificate
    Owned<EVP_PKEY> key{};

    bool authority_works(SSL_CTX* context) const noexcept {
        if (!has_authority) return true;
        if (authority) SSL_CTX_set1_cert_store(context, authority.get());
        return authority != nullptr;
    }
    bool identity_works(SSL_CTX* context) const noexcept {
        if (!has_identity) return true;
        return certificate && key &&
               SSL_CTX_use_cert_and_key(context, certificate.get(), key.get(), chain.get(), 1) == 1;
    }
};

TlsMaterial::TlsMaterial(const std::string& ca_pem, const std::string& certificate_pem,
                         const std::string& key_pem)
    : parts_{std::make_unique<Parts>()} {
    parts_->has_authority = !ca_pem.empty();
    parts_->has_identity = !certificate_pem.empty();
    if (parts_->has_authority) parts_->authority = store_of(ca_pem);
    if (!parts_->has_identity) return;
    parts_->chain = certificates(certificate_pem);
    parts_->certificate.reset(sk_X509_shift(parts_->chain.get()));
    if (auto bio = reader(key_pem)) {
        parts_->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    }
    ERR_clear_error();
}

TlsMaterial::~TlsMaterial() = default;

CURLcode TlsMaterial::install(CURL*, void* context, void* self) noexcept {
    const auto& parts = *static_cast<const TlsMaterial*>(self)->parts_;
    auto* ctx = static_cast<SSL_CTX*>(context);
    if (!parts.authority_works(ctx)) return CURLE_SSL_CACERT_BADFILE;
    return parts.identity_works(ctx) ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

}  // namespace hermesctl::net
