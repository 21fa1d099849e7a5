#include "hermesctl/base/crypto.hpp"

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/error.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

namespace hermesctl {
namespace {

const unsigned char* bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

/// Two digests that failed would be equal.
void demand(bool done) {
    if (!done) throw Error(ExitCode::failed, "this system's OpenSSL computes no digest");
}

/// Room for a digest, and how much of it is taken.
struct Digest {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int size = 0;

    std::string text() const { return {reinterpret_cast<const char*>(bytes.data()), size}; }
};

std::string digest(const EVP_MD* algorithm, std::string_view text) {
    Digest out;
    demand(EVP_Digest(text.data(), text.size(), out.bytes.data(), &out.size, algorithm, nullptr) == 1);
    return out.text();
}

}  // namespace

std::string base64_encode(std::string_view text) {
    std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes(text),
                                     static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
    std::string compact;
    std::copy_if(text.begin(), text.end(), std::back_inserter(compact),
                 [](char c) { return c != '\n' && c != '\r' && c != ' ' && c != '\t'; });
    if (compact.size() % 4 != 0) return std::nullopt;
    const std::size_t padding = compact.ends_with("==") ? 2 : compact.ends_with('=') ? 1 : 0;
    std::string out(compact.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes(compact),
                                     static_cast<int>(compact.size()));
    if (size < 0) return std::nullopt;
    out.resize(static_cast<std::size_t>(size) - padding);
    return out;
}

std::string hmac_sha256_hex(std::string_view key, std::string_view text) {
    Digest out;
    demand(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(text), text.size(),
                out.bytes.data(), &out.size) != nullptr);
    return hex(out.text());
}

std::string sha1(std::string_view text) {
    return digest(EVP_sha1(), text);
}

std::string sha256_hex(std::string_view text) {
    return hex(digest(EVP_sha256(), text));
}

Sha256::Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    demand(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::add(std::string_view text) {
    demand(EVP_DigestUpdate(context_.get(), text.data(), text.size()) == 1);
}

std::string Sha256::finish_hex() {
    Digest out;
    demand(EVP_DigestFinal_ex(context_.get(), out.bytes.data(), &out.size) == 1);
    return hex(out.text());
}

std::optional<std::chrono::system_clock::time_point> certificate_end(std::string_view pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free);
    std::tm time{};
    if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &time) != 1) {
        return std::nullopt;
    }
    return wall_of(::timegm(&time));
}

std::string random_bytes(std::size_t count) {
    std::string out(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) != 1) {
        throw Error(ExitCode::failed, "the system gave no random bytes");
    }
    return out;
}

std::string hex(std::string_view text) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

}  // namespace hermesctl
