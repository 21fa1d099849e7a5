// Broken servers and networks: what is said, how fast, and whether another try is made.
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/net/retry.hpp"
#include "wire/client.hpp"

#include <csignal>

#include <gmock/gmock.h>

namespace hermesctl::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

net::Response answer_of(ScriptedServer::Script script, net::Request request = get("/")) {
    ScriptedServer server{std::move(script)};
    return net::send(*connect(server), request);
}

TEST(Failure, ConnectionRefusedIsToldWithinASecond) {
    net::Endpoint endpoint;
    {
        ScriptedServer gone{[](Peer&) {}};
        endpoint = endpoint_of(gone);
    }
    auto transport = connect(endpoint);
    std::vector<net::Response> answers;
    const auto request = get("/");
    auto took = time_of([&] { answers = net::exchange_retrying(*transport, system_clock(), {&request, 1}); });
    EXPECT_THAT(answers.at(0).failure, HasSubstr("connection refused by 127.0.0.1:"));
    EXPECT_FALSE(answers.at(0).connected);
    EXPECT_TRUE(answers.at(0).transient);
    EXPECT_LT(took, 20s) << "the two waits are 0.7 s; the rest is for a busy machine";
    EXPECT_GT(took, 500ms) << "a couple of tries";
}

TEST(Failure, UnknownHostIsNamed) {
    net::Endpoint endpoint;
    endpoint.url = "https://no-such-host.invalid:6443";
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).failure,
              "host name not found: no-such-host.invalid:6443");
}

TEST(Failure, AResetInMidBodyIsNoAnswer) {
    auto answer = answer_of([](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        peer.reset();
    });
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(answer.failure, "the connection was lost in the middle of the answer");
    EXPECT_TRUE(answer.connected);
    EXPECT_TRUE(answer.transient);
}

TEST(Failure, AChunkCutInHalfIsNoAnswer) {
    auto answer = answer_of([](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{\"kind\":");
    });
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.failure, "the connection was lost in the middle of the answer");
}

TEST(Failure, HalfABodyWithALengthIsNoAnswer) {
    auto answer = answer_of([](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"kind\":");
    });
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.failure, "the connection was lost in the middle of the answer");
}

TEST(Failure, NoAnswerAtAll) {
    auto answer = answer_of([](Peer& peer) { peer.read_request(); });
    EXPECT_EQ(answer.failure, "the server closed the connection without an answer");
    EXPECT_TRUE(answer.connected);
}

TEST(Failure, AnswersThatAreNoHttp) {
    auto answer = answer_of([](Peer& peer) {
        peer.read_request();
        peer.write("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    });
    EXPECT_EQ(answer.failure, "the server does not speak HTTP");
    EXPECT_FALSE(answer.transient);
}

TEST(Failure, HtmlIsAnAnswerLikeAnyOther) {
    auto answer = answer_of(answering([](auto&) { return http_answer(502, "<html>Bad Gateway</html>"); }));
    EXPECT_EQ(answer.status, 502);
    EXPECT_EQ(answer.body, "<html>Bad Gateway</html>");
}

TEST(Failure, ASilentServerRunsIntoTheTimeLimit) {
    auto request = get("/");
    request.timeout = 1s;
    net::Response answer;
    auto took = time_of([&] {
        answer = answer_of(
            [](Peer& peer) {
                peer.read_request();
                peer.read_some();
            },
            request);
    });
    EXPECT_EQ(answer.failure, "no complete answer within the time limit");
    EXPECT_TRUE(answer.connected);
    EXPECT_FALSE(answer.transient);
    EXPECT_LT(took, 10s);
}

TEST(Failure, AServerThatHangsInTheHandshakeRunsIntoTheTimeLimit) {
    ScriptedServer server{[](Peer& peer) { system_clock().sleep(peer.read_some().empty() ? 0ms : 600ms); },
                          {.tls = false}};
    auto endpoint = endpoint_of(server);
    endpoint.url = "https://127.0.0.1:" + std::to_string(server.port());
    auto request = get("/");
    request.timeout = 200ms;
    auto answer = net::send(*connect(endpoint), request);
    EXPECT_THAT(answer.failure, HasSubstr("no connection to 127.0.0.1:"));
    EXPECT_FALSE(answer.connected);
}

TEST(Failure, AConnectionThatEndsInTheHandshakeIsNamedAndTriedAgain) {
    ScriptedServer server{[](Peer& peer) { peer.read_some(); }, {.tls = false}};
    auto endpoint = endpoint_of(server);
    endpoint.url = "https://127.0.0.1:" + std::to_string(server.port());
    auto answer = net::send(*connect(endpoint), get("/"));
    EXPECT_THAT(answer.failure, HasSubstr("the TLS handshake with 127.0.0.1:"));
    EXPECT_FALSE(answer.connected);
    EXPECT_TRUE(answer.transient);
}

TEST(Failure, AStreamThatFallsSilentRunsIntoItsIdleLimit) {
    auto request = get("/");
    request.timeout = 0ms;
    request.idle = 1s;
    std::string got;
    ScriptedServer server{[](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 4; ++i) {  // longer than the limit in all, but never silent for so long
            peer.write("1\r\nx\r\n");
            system_clock().sleep(400ms);
        }
        peer.read_some();
    }};
    auto transport = connect(server);
    std::optional<net::Response> answer;
    transport->start(request, {.on_chunk = [&](std::string_view chunk) { got += chunk; },
                               .on_done = [&](net::Response response) { answer = std::move(response); }});
    while (!answer)
        transport->poll(10s);
    EXPECT_EQ(got, "xxxx");
    EXPECT_EQ(answer->failure, "nothing came for 1 s");
}

TEST(Failure, AnEndlessAnswerIsCutOff) {
    auto answer = answer_of([](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\n\r\n");
        const std::string much(1u << 20, 'x');
        for (int i = 0; i < 70; ++i)
            peer.write(much);
    });
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.failure, "the answer is larger than 64 MiB");
    EXPECT_EQ(answer.body, "");
}

TEST(Failure, TooManyRequestsIsTriedAgainAfterTheTimeItNames) {
    std::atomic<int> asked{0};
    ScriptedServer server{answering([&](auto&) {
        return ++asked < 2 ? http_answer(429, "Too many requests", "Retry-After: 1\r\n")
                           : http_answer(201, "made");
    })};
    auto transport = connect(server);
    const net::Request request{.method = "POST", .target = "/"};
    std::vector<net::Response> answers;
    auto took = time_of([&] { answers = net::exchange_retrying(*transport, system_clock(), {&request, 1}); });
    EXPECT_EQ(answers.at(0).status, 201);
    EXPECT_EQ(asked, 2);
    EXPECT_GE(took, 1s);
}

TEST(Failure, AResetIsTriedAgainForAGetButNotForAPost) {
    for (const char* method : {"GET", "POST"}) {
        std::atomic<int> asked{0};
        ScriptedServer server{[&](Peer& peer) {
            peer.read_request();
            if (++asked < 3) return peer.reset();
            peer.write(http_answer(200, "ok"));
        }};
        auto transport = connect(server);
        const net::Request request{.method = method, .target = "/"};
        auto answers = net::exchange_retrying(*transport, system_clock(), {&request, 1});
        bool get = request.method == "GET";
        EXPECT_EQ(answers.at(0).status, get ? 200 : 0) << method;
        EXPECT_EQ(asked, get ? 3 : 1) << method;
    }
}

class Interrupt : public ::testing::Test {
  protected:
    void SetUp() override { catch_interrupts(); }
};

TEST_F(Interrupt, EndsAWaitAtOnce) {
    ScriptedServer server{[](Peer& peer) {
        peer.read_request();
        peer.read_some();
    }};
    auto transport = connect(server);
    transport->start(get("/"), {});
    std::thread key{[] {
        system_clock().sleep(150ms);
        std::raise(SIGINT);
    }};
    bool thrown = false;
    auto took = time_of([&] {
        try {
            for (;;)
                transport->poll(20s);
        } catch (const Error& error) {
            thrown = error.code() == ExitCode::interrupted;
        }
    });
    key.join();
    EXPECT_TRUE(thrown);
    EXPECT_LT(took, 10s);
}

TEST_F(Interrupt, EndsAHandshakeAtOnceAndTheNextRequestWorks) {
    ScriptedServer server{[](Peer& peer) {
        if (peer.read_request().find("Upgrade") == std::string::npos) peer.write(http_answer(200, "ok"));
        peer.read_some();
    }};
    auto transport = connect(server);
    std::thread key{[] {
        system_clock().sleep(150ms);
        std::raise(SIGTERM);
    }};
    auto took = time_of([&] { EXPECT_THROW(transport->upgrade(get("/exec"), {}), Error); });
    key.join();
    EXPECT_LT(took, 10s);
    EXPECT_EQ(net::send(*transport, get("/")).body, "ok") << "clean-up may use the network";
}

}  // namespace
}  // namespace hermesctl::testing
