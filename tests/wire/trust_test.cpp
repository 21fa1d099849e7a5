// With an authority in the kubeconfig no public one may vouch for the API server. libcurl's built-in CApath
// does just that unless it is closed, so this test puts an authority of its own there, in a mount namespace.
#include "wire/client.hpp"
#include "wire/proxies.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace hermesctl::testing {
namespace {

enum Result : int { right = 0, trusted_a_public_one = 1, mount_had_no_effect = 2, no_namespace = 3 };

/// The file name under which OpenSSL looks for this authority in a CApath.
std::string hashed_name(const std::string& pem) {
    std::unique_ptr<BIO, decltype(&BIO_free)> bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                  &BIO_free};
    std::unique_ptr<X509, decltype(&X509_free)> certificate{
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free};
    return fmt::format(
        "{:08x}.0", X509_NAME_hash_ex(X509_get_subject_name(certificate.get()), nullptr, nullptr, nullptr));
}

Result try_in_namespace(const std::string& directory, const std::vector<net::Endpoint>& ways) {
    if (::unshare(CLONE_NEWNS) != 0) return no_namespace;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(directory.c_str(), "/etc/ssl/certs", nullptr, MS_BIND, nullptr) != 0) {
        return no_namespace;
    }
    for (net::Endpoint endpoint : ways) {
        if (net::send(*connect(endpoint), get("/")).ok()) return trusted_a_public_one;
        endpoint.ca_pem = "";
        if (!net::send(*connect(endpoint), get("/")).ok()) return mount_had_no_effect;
    }
    return right;
}

TEST(Trust, APublicAuthorityDoesNotVouchForAPrivateServer) {
    const Authority public_one{"public"};
    const Authority private_one{"private"};
    ScriptedServer server{answering([](auto&) { return http_answer(200, "ok"); }),
                          {.certificate = public_one.issue()}};

    std::string directory = std::filesystem::temp_directory_path() / "hermesctl-trust-XXXXXX";
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    std::ofstream{directory + "/" + hashed_name(public_one.pem())} << public_one.pem();
    std::ofstream{directory + "/ca-certificates.crt"} << private_one.pem();

    auto direct = endpoint_of(server);
    direct.ca_pem = private_one.pem();
    // Behind a proxy with TLS of its own libcurl reads the authority itself.
    ScriptedServer proxy{tunnel_to(server.port()), {.certificate = public_one.issue()}};
    auto proxied = direct;
    proxied.proxy_url = proxy.url();
    // A thread of its own has a mount namespace of its own; a fork beside the server's thread may hang.
    Result result = no_namespace;
    std::thread([&] { result = try_in_namespace(directory, {direct, proxied}); }).join();
    std::filesystem::remove_all(directory);
    if (result == no_namespace) GTEST_SKIP() << "no mount namespace here";
    EXPECT_EQ(result, right);
}

}  // namespace
}  // namespace hermesctl::testing
