// X.509 with OpenSSL's own functions.
#include "wire/certificates.hpp"

#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace hermesctl::testing {
namespace {

template <typename Write>
std::string to_pem(Write write) {
    std::unique_ptr<BIO, decltype(&BIO_free)> bio{BIO_new(BIO_s_mem()), &BIO_free};
    write(bio.get());
    char* data = nullptr;
    auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string certificate_pem(X509* certificate) {
    return to_pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate); });
}

std::shared_ptr<EVP_PKEY> make_key() {
    return {EVP_EC_gen("P-256"), &EVP_PKEY_free};
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    if (extension == nullptr) throw std::runtime_error{"bad certificate extension: " + value};
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

std::shared_ptr<X509> make_certificate(EVP_PKEY* key, const std::string& subject, long not_after) {
    static long serial = 1;
    std::shared_ptr<X509> certificate{X509_new(), &X509_free};
    auto* x = certificate.get();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), -7200);
    X509_gmtime_adj(X509_getm_notAfter(x), not_after);
    X509_set_pubkey(x, key);
    const auto* name = reinterpret_cast<const unsigned char*>(subject.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, name, -1, -1, 0);
    return certificate;
}

}  // namespace

Authority::Authority(const std::string& name) : key_{make_key()} {
    certificate_ = make_certificate(key_.get(), name, 7200);
    auto* x = certificate_.get();
    X509_set_issuer_name(x, X509_get_subject_name(x));
    extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
    extend(x, x, NID_subject_key_identifier, "hash");
    X509_sign(x, key_.get(), EVP_sha256());
    pem_ = certificate_pem(x);
}

KeyPair Authority::issue(const CertificateRequest& request) const {
    auto key = make_key();
    auto certificate = make_certificate(key.get(), request.subject, request.not_after_seconds);
    auto* x = certificate.get();
    X509_set_issuer_name(x, X509_get_subject_name(certificate_.get()));
    extend(x, certificate_.get(), NID_authority_key_identifier, "keyid");
    if (!request.names.empty()) extend(x, certificate_.get(), NID_subject_alt_name, request.names);
    X509_sign(x, key_.get(), EVP_sha256());
    auto write_key = [&](BIO* bio) {
        PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    };
    return {certificate_pem(x), to_pem(write_key)};
}

const Authority& test_authority() {
    static const Authority authority{"hermesctl test authority"};
    return authority;
}

}  // namespace hermesctl::testing
