// What goes wrong on the way to the API server, as a person and a program are told of it: on the real
// transport, with a command that reads and one that changes.
#include "hermesctl/kube/object.hpp"
#include "support/cli_world.hpp"
#include "support/scratch.hpp"
#include "wire/client.hpp"

#include <gmock/gmock.h>

namespace hermesctl::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string bot_token = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr";
const std::string model_key = "the-key-of-the-model";
const std::string user_token = "the-token-of-ann";
const std::string plugin_output = "what-the-plugin-says";
const std::string ann = "{token: " + user_token + "}";
constexpr long years_ago = -400'000'000;  // also by the FakeClock

struct Case {
    ScriptedServer::Script script{};
    ServerOptions options{};
    std::string user = ann;  // of the kubeconfig
    ExitCode code = ExitCode::unreachable;
    std::string said{};
    std::string hint{};
    std::vector<std::string> flags{};
};

class CommandLine : public ::testing::Test {
  protected:
    CommandLine() {
        world.context.environment["TOKEN"] = bot_token;
        world.context.environment["KEY"] = model_key;
        // Waits between tries take no time; what is on the wire does.
        world.context.connect = [](const net::Endpoint& endpoint, Clock& clock) {
            return net::make_curl_transport(endpoint, clock);
        };
    }

    void expect(const Case& each) {
        const ScriptedServer server{each.script, each.options};
        world.context.environment["KUBECONFIG"] = scratch.write("config", kubeconfig_for(server, each.user));
        const std::vector<std::string> reading{"status", "-o", "json"};
        const std::vector<std::string> changing{"deploy",
                                                "--allow-user",
                                                "111",
                                                "--secret",
                                                "TELEGRAM_BOT_TOKEN=env:TOKEN",
                                                "--secret",
                                                "MINIMAX_API_KEY=env:KEY",
                                                "-o",
                                                "json"};
        for (auto line : {reading, changing}) {
            line.insert(line.end(), each.flags.begin(), each.flags.end());
            EXPECT_EQ(world.run(line), each.code) << line.front() << world.err.str();
            const std::string text = world.err.str();
            EXPECT_THAT(text, HasSubstr("error: ")) << line.front();
            EXPECT_THAT(text, HasSubstr(each.said)) << line.front();
            EXPECT_THAT(text, HasSubstr("\n  hint: ")) << line.front();
            EXPECT_THAT(text, HasSubstr(each.hint)) << line.front();
            const auto json = kube::Json::parse(world.out.str(), nullptr, false);
            EXPECT_EQ(kube::int_at(json, "/error/code"), static_cast<int>(each.code)) << world.out.str();
            EXPECT_THAT(kube::text_at(json, "/error/message"), HasSubstr(each.said)) << line.front();
            EXPECT_THAT(kube::text_at(json, "/error/hint"), HasSubstr(each.hint)) << line.front();
            for (const std::string& secret : {bot_token, model_key, user_token, plugin_output})
                EXPECT_THAT(text + world.out.str(), Not(HasSubstr(secret))) << line.front();
        }
    }

    Scratch scratch{};
    CliWorld world{};
};

TEST_F(CommandLine, TellsWhichCertificateIsAtFaultAndHowToComeByAnother) {
    const auto fine = answering([](auto&) { return http_answer(200, "{}"); });
    expect({.script = fine,
            .options = {.certificate = Authority{"another"}.issue()},
            .said = "the certificate of the server is not from the authority in the kubeconfig",
            .hint = "/etc/rancher/k3s/k3s.yaml): it lacks this server's certificate-authority-data"});
    expect({.script = fine,
            .options = {.certificate = test_authority().issue({.not_after_seconds = -60})},
            .said = "the certificate of the server has expired",
            .hint = "if the clock here is right, it is to be renewed on the server: systemctl restart k3s"});
    const Authority clients{"clients"};
    const std::string expired =
        user_with(clients.issue({.names = "", .subject = "ann", .not_after_seconds = years_ago}));
    expect({.script = fine,
            .options = {.client_ca_pem = clients.pem()},
            .user = expired,
            .said = "the server says that the client certificate has expired",
            .hint = "get this kubeconfig anew from the cluster"});
    // The API server itself asks for no certificate, and takes whoever has a bad one for nobody.
    expect({.script = answering([](auto&) {
                return http_answer(401, R"({"kind":"Status","reason":"Unauthorized","message":"no"})");
            }),
            .user = expired,
            .code = ExitCode::denied,
            .said = "the client certificate of user \"u\" in " + scratch.path("config") + " expired on 20",
            .hint = "get this kubeconfig anew from the cluster"});
}

TEST_F(CommandLine, TellsOfAPluginThatFails) {
    const std::string plugin =
        scratch.write("plugin", "#!/bin/sh\necho " + plugin_output + "\nexit 3\n", true);
    expect({.script = answering([](auto&) { return http_answer(200, "{}"); }),
            .user = user_of(plugin),
            .code = ExitCode::denied,
            .said = "the credential plugin " + plugin + " of user \"u\" in " + scratch.path("config") +
                    " failed with exit code 3",
            .hint = "run it by itself to see why"});
}

TEST_F(CommandLine, TellsOfAPluginThatOutlastsTheTimeout) {
    const std::string plugin = scratch.write("plugin", "#!/bin/sh\nexec sleep 3\n", true);
    expect({.script = answering([](auto&) { return http_answer(200, "{}"); }),
            .user = user_of(plugin),
            .code = ExitCode::denied,
            .said = "the credential plugin " + plugin + " of user \"u\" in " + scratch.path("config") +
                    " did not end within 1s",
            .hint = "give it longer: --timeout 1m",
            .flags = {"--timeout", "1s"}});
}

TEST_F(CommandLine, TellsOfAnAnswerThatDoesNotCome) {
    // Without TLS, as each of the ten tries of each read has a connection of its own.
    expect({.script =
                [](Peer& peer) {
                    peer.read_request();
                    peer.reset();
                },
            .options = {.tls = false},
            .said = "the API server did not answer: the server closed the connection without an answer",
            .hint = "kubectl config view --minify"});
    expect({.script =
                [](Peer& peer) {
                    peer.read_request();
                    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"kind\":");
                },
            .options = {.tls = false},
            .said = "the API server did not answer: the connection was lost in the middle of the answer",
            .hint = "kubectl config view --minify"});
}

TEST_F(CommandLine, TellsOfAServerThatIsTooBusyAfterTheTimeItNames) {
    expect({.script = answering([](auto&) {
                return http_answer(429, "too many requests of " + user_token, "Retry-After: 20\r\n");
            }),
            .code = ExitCode::failed,
            .said = "the server answered HTTP 429: too many requests of ***",
            .hint = "run the command again in a minute"});
    EXPECT_EQ(world.clock.elapsed(), 40s) << "each of the two has tried again once";
}

}  // namespace
}  // namespace hermesctl::testing
