// The few primitives that come from OpenSSL.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace hermesctl {

std::string base64_encode(std::string_view);
/// Nothing when the text is not base64 (line breaks are allowed, as in kubeconfig files).
std::optional<std::string> base64_decode(std::string_view);
std::string hmac_sha256_hex(std::string_view key, std::string_view text);
std::string sha1(std::string_view);
std::string sha256_hex(std::string_view);

/// SHA-256 of what comes piece by piece.
class Sha256 {
  public:
    Sha256();
    void add(std::string_view);
    /// Of everything that was added; nothing can be added after it.
    std::string finish_hex();

  private:
    std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

/// Until when the first certificate of a PEM text is valid; nothing when there is none.
std::optional<std::chrono::system_clock::time_point> certificate_end(std::string_view pem);

/// From the system's generator; throws Error when it fails.
std::string random_bytes(std::size_t count);
std::string hex(std::string_view bytes);

}  // namespace hermesctl
