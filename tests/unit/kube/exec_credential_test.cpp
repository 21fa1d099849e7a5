#include "../src/kube/exec_credential.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/scrub.hpp"
#include "support/fake_clock.hpp"
#include "support/scratch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string version = "client.authentication.k8s.io/v1";

std::string credential(const std::string& status, const std::string& api = version) {
    return fmt::format(R"({{"kind":"ExecCredential","apiVersion":"{}","status":{}}})", api, status);
}

class ExecPlugins : public ::testing::Test {
  protected:
    /// A plugin that counts its runs in the file "runs" and then does this.
    ExecPlugin plugin(const std::string& script) {
        const std::string program = scratch.write(
            "plugin", "#!/bin/sh\necho x >> " + scratch.path("runs") + "\n" + script + "\n", true);
        return {.title = "user \"u\" in f",
                .spec = {{"command", program}, {"apiVersion", version}, {"interactiveMode", "IfAvailable"}}};
    }
    ExecPlugin printing(const std::string& text) { return plugin("cat " + scratch.write("answer", text)); }
    std::size_t runs() const { return read_file(scratch.path("runs")).value_or("").size() / 2; }
    std::string refusal(const ExecPlugin& what) {
        try {
            ExecCredential(what, environment, clock).get(false);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::denied);
            return error.message() + " | " + error.hint();
        }
        return "accepted";
    }

    testing::Scratch scratch;
    testing::FakeClock clock;
    Environment environment{{"PATH", "/usr/bin:/bin"}, {"INHERITED", "yes"}};
};

TEST_F(ExecPlugins, TokenIsKeptUntilItExpiresOrIsRejected) {
    const std::string expiry = rfc3339(clock.wall() + std::chrono::minutes(10));
    ExecCredential source(
        printing(credential(R"({"token":"plugin-token","expirationTimestamp":")" + expiry + "\"}")),
        environment, clock);
    EXPECT_EQ(source.get(false).token, "plugin-token");
    EXPECT_EQ(scrub("plugin-token"), "***");
    clock.advance(std::chrono::minutes(9));
    source.get(false);
    EXPECT_EQ(runs(), 1u);
    clock.advance(std::chrono::minutes(2));
    scratch.write("answer", credential(R"({"token":"second-token"})"));
    EXPECT_EQ(source.get(false).token, "second-token");
    EXPECT_EQ(runs(), 2u);
    clock.advance(std::chrono::hours(1000));
    source.get(false);
    EXPECT_EQ(runs(), 2u);
    source.get(true);
    EXPECT_EQ(runs(), 3u);
}

TEST_F(ExecPlugins, WhatNeverExpiresIsKept) {
    ExecCredential source(
        printing(credential(R"({"token":"a-token","expirationTimestamp":"9999-12-31T23:59:59Z"})")),
        environment, clock);
    source.get(false);
    source.get(false);
    EXPECT_EQ(runs(), 1u);
}

TEST_F(ExecPlugins, CertificateAndKey) {
    const std::string pem = R"(-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n)";
    const std::string key = R"(-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n)";
    const auto status = [&](const std::string& certificate, const std::string& private_key) {
        return credential(fmt::format(R"({{"clientCertificateData":"{}","clientKeyData":"{}"}})", certificate,
                                      private_key));
    };
    const auto given = ExecCredential(printing(status(pem, key)), environment, clock).get(false);
    EXPECT_THAT(given.certificate_pem, HasSubstr("MIIB"));
    EXPECT_THAT(given.key_pem, HasSubstr("PRIVATE KEY"));
    EXPECT_THAT(refusal(printing(status(pem, ""))), HasSubstr("only one of certificate and key"));
    EXPECT_THAT(refusal(printing(status("x", "y"))), HasSubstr("is not PEM"));
}

TEST_F(ExecPlugins, IsToldWhatItAsksFor) {
    ExecPlugin what =
        plugin("env > " + scratch.path("env") + "; [ \"$1 $2\" = 'get token' ] || exit 9\ncat " +
               scratch.write("answer", credential(R"({"token":"abcdef"})")));
    what.spec["args"] = {"get", "token"};
    what.spec["env"] = {{{"name", "REGION"}, {"value", "north"}}};
    what.cluster = {{"server", "https://h"}, {"config", {{"audience", "x"}}}};
    what.terminal = true;
    ExecCredential(what, environment, clock).get(false);
    EXPECT_THAT(*read_file(scratch.path("env")),
                AllOf(HasSubstr("REGION=north\n"), HasSubstr("INHERITED=yes\n"),
                      HasSubstr(R"(KUBERNETES_EXEC_INFO={"apiVersion":"client.authentication.k8s.io/v1",)"
                                R"("kind":"ExecCredential","spec":{"cluster":{"config":{"audience":"x"},)"
                                R"("server":"https://h"},"interactive":true}})"
                                "\n")));
}

TEST_F(ExecPlugins, InheritNoSecretOfOurs) {
    environment["BOT"] = "secret-of-the-bot";
    remember_secret("secret-of-the-bot");
    ExecPlugin what = plugin("env > " + scratch.path("env") + "\ncat " +
                             scratch.write("answer", credential(R"({"token":"abcdef"})")));
    ExecCredential(what, environment, clock).get(false);
    EXPECT_THAT(*read_file(scratch.path("env")),
                AllOf(HasSubstr("INHERITED=yes\n"), Not(HasSubstr("secret-of-the-bot"))));
}

TEST_F(ExecPlugins, InteractiveModes) {
    ExecPlugin what = plugin("env > " + scratch.path("env") + "\ncat " +
                             scratch.write("answer", credential(R"({"token":"abcdef"})")));
    what.spec["interactiveMode"] = "Always";
    EXPECT_THAT(refusal(what), HasSubstr("needs a terminal"));
    what.spec["interactiveMode"] = "Never";
    what.terminal = true;
    ExecCredential(what, environment, clock).get(false);
    EXPECT_THAT(*read_file(scratch.path("env")), HasSubstr(R"("interactive":false)"));
}

TEST_F(ExecPlugins, ThatFail) {
    EXPECT_THAT(refusal(plugin("echo secret-output; exit 3")),
                AllOf(HasSubstr("plugin of user \"u\" in f failed with exit code 3 | run it by itself"),
                      Not(HasSubstr("secret-output"))));
    EXPECT_THAT(refusal(plugin("exit 0")), HasSubstr("printed no ExecCredential"));
    EXPECT_THAT(refusal(printing("<html>secret-output</html>")),
                AllOf(HasSubstr("printed no ExecCredential"), Not(HasSubstr("secret-output"))));
    EXPECT_THAT(refusal(printing(credential("{}"))), HasSubstr("neither a token nor a certificate"));
    EXPECT_THAT(refusal(printing(credential(R"({"token":"a"})", version + "beta1"))),
                HasSubstr("answered in version"));
    EXPECT_THAT(refusal(printing(credential(R"({"token":"a\r\nX: y"})"))), HasSubstr("control characters"));
    EXPECT_THAT(refusal(printing(credential(R"({"token":"a","expirationTimestamp":"soon"})"))),
                HasSubstr("not a time"));
}

TEST_F(ExecPlugins, ThatHangs) {
    ExecPlugin what = plugin("exec sleep 30");
    what.timeout = std::chrono::milliseconds(200);
    EXPECT_THAT(refusal(what), HasSubstr("did not end within 200ms | give it longer: --timeout 1m"));
}

TEST_F(ExecPlugins, ThatIsNotInstalled) {
    ExecPlugin what{.title = "user \"u\" in f",
                    .spec = {{"command", "no-such-plugin"},
                             {"apiVersion", version},
                             {"installHint", "\x1b[1mbrew\x1b[0m install\a it\xc2\x9b"}}};
    EXPECT_THAT(refusal(what), AllOf(HasSubstr("no-such-plugin of user \"u\" in f cannot be started"),
                                     HasSubstr("| brew install it")));
}

TEST_F(ExecPlugins, ThatCannotBeStarted) {
    ExecPlugin what{.title = "user \"u\" in f",
                    .spec = {{"command", scratch.write("no-program", "#!/bin/sh\n")},
                             {"apiVersion", version},
                             {"installHint", "brew install it"}}};
    EXPECT_THAT(refusal(what),
                AllOf(HasSubstr("cannot be started: Permission denied"), Not(HasSubstr("brew"))));
}

}  // namespace
}  // namespace hermesctl::kube
