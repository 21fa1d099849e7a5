// Credentials of a kubeconfig on the real transport: what is said when the server does not take them.
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/kube/client.hpp"
#include "hermesctl/kube/kubeconfig.hpp"
#include "support/recording_reporter.hpp"
#include "support/scratch.hpp"
#include "wire/client.hpp"

#include <gmock/gmock.h>

namespace hermesctl::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// An API server that refuses whoever comes.
class Refusing : public ::testing::Test {
  protected:
    kube::Connection load(const std::string& user) {
        return kube::load_connection({.file = scratch.write("config", kubeconfig_for(server, user))},
                                     environment, system_clock());
    }
    static std::string with_certificate(long not_after_seconds) {
        return user_with(
            test_authority().issue({.names = "", .subject = "ann", .not_after_seconds = not_after_seconds}));
    }
    std::string refusal_of(const std::string& user) {
        auto transport = connect(load(user).endpoint);
        kube::Client client(*transport, system_clock(), reporter);
        try {
            client.get({"Pod", "n", "p"});
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::denied);
            return error.message() + " | " + error.hint();
        }
        return "accepted";
    }

    Scratch scratch;
    RecordingReporter reporter;
    Environment environment{{"PATH", "/usr/bin:/bin"}};
    ScriptedServer server{answering([](auto&) {
        return http_answer(401, R"({"kind":"Status","reason":"Unauthorized","message":"Unauthorized"})");
    })};
};

TEST_F(Refusing, AnExpiredClientCertificateIsNamed) {
    const std::string day = rfc3339(system_clock().wall() - 60s).substr(0, 10);
    const std::string said = refusal_of(with_certificate(-60));
    EXPECT_THAT(said, HasSubstr("the client certificate of user \"u\" in " + scratch.path("config") +
                                " expired on " + day + " | "));
    EXPECT_THAT(said, HasSubstr("/etc/rancher/k3s/k3s.yaml"));
}

TEST_F(Refusing, ACertificateThatStillHoldsIsNotBlamed) {
    EXPECT_THAT(refusal_of(with_certificate(3600)),
                StartsWith("the server refused the credentials (HTTP 401): Unauthorized | log in"));
}

TEST_F(Refusing, APluginRunsOnceMoreForRequestsThatAreRefusedTogether) {
    const std::string runs = scratch.path("runs");
    scratch.write("answer", R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
                            R"("status":{"token":"of-the-plugin"}})");
    const std::string plugin = scratch.write(
        "plugin", "#!/bin/sh\nprintf x >> " + runs + "\ncat " + scratch.path("answer") + "\n", true);
    auto transport = connect(load(user_of(plugin)).endpoint);
    kube::Client client(*transport, system_clock(), reporter);
    const std::vector<kube::Ref> refs(7, {"Pod", "n", "p"});
    for (const kube::Outcome& outcome : client.get_all(refs))
        EXPECT_EQ(outcome.error.value().http(), 401);
    EXPECT_EQ(read_file(runs), "xx");
}

TEST(CertificateEnd, IsThatOfTheFirstOne) {
    const std::string first = test_authority().issue({.not_after_seconds = 3600}).certificate_pem;
    const auto end = certificate_end(first + test_authority().pem());
    ASSERT_TRUE(end);
    EXPECT_GT(*end, system_clock().wall() + 3500s);
    EXPECT_LT(*end, system_clock().wall() + 3700s);
    const std::string forever =
        test_authority().issue({.not_after_seconds = 250'000'000'000}).certificate_pem;
    EXPECT_GT(certificate_end(forever), system_clock().wall()) << "of the year 9948";
    EXPECT_FALSE(certificate_end(""));
    EXPECT_FALSE(certificate_end("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"));
}

}  // namespace
}  // namespace hermesctl::testing
