// WebSockets on the real transport: the handshake, both directions under load, and every bad end.
#include "hermesctl/net/websocket.hpp"

#include "wire/client.hpp"
#include "wire/proxies.hpp"
#include "wire/websocket_server.hpp"

#include <array>
#include <atomic>
#include <stdexcept>

#include <gmock/gmock.h>
#include <poll.h>

namespace hermesctl::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::array<std::string, 2> channels{"v5.channel.k8s.io", "v4.channel.k8s.io"};

struct Session {
    explicit Session(ScriptedServer::Script script, ServerOptions options = {})
        : server{std::make_unique<ScriptedServer>(std::move(script), std::move(options))},
          own{connect(*server)},
          transport{own.get()} {
        open();
    }
    explicit Session(net::Transport& other) : transport{&other} { open(); }

    void open() {
        auto upgrade = transport->upgrade(get("/exec?stdout=true"), channels);
        if (!upgrade.socket) throw std::runtime_error{"refused: " + upgrade.answer.failure};
        socket = std::move(upgrade.socket);
    }

    /// Waits until the connection has something to say, or takes more.
    void wait() {
        const std::array wakes{net::Wake{.fd = socket->fd(), .write = socket->queued() > 0}};
        transport->poll(1s, wakes);
    }
    /// All messages until the end, or until `count`.
    std::vector<std::string> messages(std::size_t count = SIZE_MAX) {
        std::vector<std::string> all;
        auto end = system_clock().now() + 20s;
        while (all.size() < count && system_clock().now() < end) {
            while (auto message = socket->receive())
                all.push_back(std::move(*message));
            if (socket->closed()) break;
            if (all.size() < count) wait();
        }
        return all;
    }

    std::unique_ptr<ScriptedServer> server{};
    std::unique_ptr<net::Transport> own{};
    net::Transport* transport;
    std::unique_ptr<net::WebSocket> socket{};
};

/// What the answer is when the server says no.
net::Upgrade refused(ScriptedServer::Script script) {
    ScriptedServer server{std::move(script)};
    auto upgrade = connect(server)->upgrade(get("/exec"), channels);
    EXPECT_EQ(upgrade.socket, nullptr);
    return upgrade;
}

TEST(Handshake, AsksAsTheApiServerReadsIt) {
    std::string seen;
    std::string alpn;
    ScriptedServer server{[&](Peer& peer) {
        alpn = peer.alpn();
        peer.write(accept_upgrade(seen = peer.read_request(), "v4.channel.k8s.io"));
        peer.read_some();
    }};
    auto endpoint = endpoint_of(server);
    endpoint.url += "/base";
    endpoint.headers = {{"Impersonate-User", "ann"}};
    endpoint.credentials = [](bool) { return net::Credentials{.token = "t0ken"}; };
    auto transport = connect(endpoint);
    auto upgrade = transport->upgrade(get("/exec?command=a%2Bb"), channels);
    ASSERT_NE(upgrade.socket, nullptr);
    EXPECT_EQ(upgrade.socket->protocol(), "v4.channel.k8s.io");
    EXPECT_THAT(seen, ::testing::StartsWith("GET /base/exec?command=a%2Bb HTTP/1.1\r\n"));
    EXPECT_THAT(seen, HasSubstr("Sec-WebSocket-Protocol: v5.channel.k8s.io, v4.channel.k8s.io\r\n"));
    EXPECT_THAT(seen, HasSubstr("Authorization: Bearer t0ken\r\n"));
    EXPECT_THAT(seen, HasSubstr("Impersonate-User: ann\r\n"));
    EXPECT_THAT(seen, HasSubstr("Sec-WebSocket-Version: 13\r\n"));
    EXPECT_EQ(alpn, "http/1.1");
}

TEST(Handshake, AWrongAcceptIsNoWebSocket) {
    auto upgrade = refused([](Peer& peer) {
        peer.read_request();
        peer.write(accept_upgrade("Sec-WebSocket-Key: another\r\n"));
        peer.read_some();
    });
    EXPECT_EQ(upgrade.answer.failure, "the server's answer is not that of a WebSocket");
}

TEST(Handshake, ASubprotocolMustBeChosenAndBeOneOfOurs) {
    for (const char* protocol : {"", "v3.channel.k8s.io"}) {
        auto upgrade = refused([&](Peer& peer) {
            peer.write(accept_upgrade(peer.read_request(), protocol));
            peer.read_some();
        });
        EXPECT_THAT(upgrade.answer.failure, HasSubstr("none of our WebSocket protocols"));
    }
}

TEST(Handshake, ARefusalComesWithItsWholeBody) {
    const std::string status = R"({"kind":"Status","code":403,"message":")" + std::string(20000, 'm') + "\"}";
    auto by_length = refused([&](Peer& peer) {
        peer.read_request();
        auto answer = http_answer(403, status, "X-Kind: a\r\n");
        peer.write(answer.substr(0, 50));
        system_clock().sleep(30ms);
        peer.write(answer.substr(50));
        peer.read_some();
    });
    EXPECT_EQ(by_length.answer.status, 403);
    EXPECT_EQ(by_length.answer.body, status);
    EXPECT_EQ(by_length.answer.header("x-kind"), "a");
    auto chunked = refused([](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        system_clock().sleep(30ms);
        peer.write("4\r\ndefg\r\n0\r\n\r\n");
        peer.read_some();
    });
    EXPECT_EQ(chunked.answer.status, 404);
    EXPECT_EQ(chunked.answer.body, "abcdefg");
    auto until_end = refused([](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.0 500 Oops\r\n\r\n<html>");
    });
    EXPECT_EQ(until_end.answer.status, 500);
    EXPECT_EQ(until_end.answer.body, "<html>");
}

TEST(Handshake, CredentialsAreAskedForAgainAfterA401) {
    ScriptedServer server{[](Peer& peer) {
        auto request = peer.read_request();
        if (request.find("Bearer new") == std::string::npos) return peer.write(http_answer(401, "expired"));
        peer.write(accept_upgrade(request));
        peer.read_some();
    }};
    auto endpoint = endpoint_of(server);
    endpoint.credentials = [](bool rejected) { return net::Credentials{.token = rejected ? "new" : "old"}; };
    EXPECT_NE(connect(endpoint)->upgrade(get("/exec"), channels).socket, nullptr);
}

TEST(Handshake, FailuresOnTheWayAreNamed) {
    auto silent = refused([](Peer& peer) { peer.read_request(); });
    EXPECT_EQ(silent.answer.failure, "the server closed the connection without an answer");
    auto foreign = refused([](Peer& peer) {
        peer.read_request();
        peer.write("220 mail.example ESMTP\r\n");
        peer.read_some();
    });
    EXPECT_EQ(foreign.answer.failure, "the server does not speak HTTP");
    ScriptedServer other{[](Peer&) {}, {.certificate = Authority{"another"}.issue()}};
    EXPECT_EQ(connect(other)->upgrade(get("/exec"), channels).answer.failure,
              "the certificate of the server is not from the authority in the kubeconfig");
    auto late = get("/exec");
    late.timeout = 1s;
    ScriptedServer slow{[](Peer& peer) { peer.read_request(), peer.read_some(); }};
    EXPECT_EQ(connect(slow)->upgrade(late, channels).answer.failure,
              "no complete answer within the time limit");
}

TEST(Handshake, ARedirectIsAnAnswerAndNotFollowed) {
    std::string seen;
    ScriptedServer elsewhere{[&](Peer& peer) { seen = peer.read_request(); }};
    auto upgrade = refused([&](Peer& peer) {
        peer.read_request();
        peer.write(http_answer(302, "moved", "Location: " + elsewhere.url() + "/exec\r\n"));
        peer.read_some();
    });
    EXPECT_EQ(upgrade.answer.status, 302);
    EXPECT_EQ(upgrade.answer.body, "moved");
    EXPECT_EQ(elsewhere.connections(), 0) << seen;
}

TEST(Handshake, TlsServerNameIsWhatTheCertificateMustSayAndHostStaysTheServers) {
    std::string seen;
    ScriptedServer server{[&](Peer& peer) {
                              seen = peer.read_request();
                              if (seen.empty()) return;  // it has not liked the certificate
                              peer.write(accept_upgrade(seen));
                              peer.read_some();
                          },
                          {.certificate = test_authority().issue({.names = "DNS:kubernetes.default"})}};
    auto endpoint = endpoint_of(server);
    endpoint.tls_server_name = "kubernetes.default";
    EXPECT_NE(connect(endpoint)->upgrade(get("/exec"), channels).socket, nullptr);
    EXPECT_THAT(seen, HasSubstr("Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
    endpoint.tls_server_name = "other.default";
    EXPECT_EQ(connect(endpoint)->upgrade(get("/exec"), channels).answer.failure,
              "the certificate of the server is not for other.default");
}

TEST(WebSocket, FramesThatComeWithThe101AreNotLost) {
    Session session{[](Peer& peer) {
        auto answer = accept_upgrade(peer.read_request());
        peer.write(answer + frame("\x01") + frame("\x01hello") + close_frame());
        peer.read_some();
    }};
    EXPECT_THAT(session.messages(), ElementsAre("\x01", "\x01hello"));
    EXPECT_TRUE(session.socket->closed());
    EXPECT_EQ(session.socket->failure(), "");
}

TEST(WebSocket, AMessageIsOneMaskedFrame) {
    std::vector<Frame> frames;
    Session session{upgraded([&](Peer& peer) {
        for (int i = 0; i < 3; ++i)
            frames.push_back(read_frame(peer));
        peer.write(close_frame());
        read_frame(peer);
    })};
    const std::string large(32u << 10, 'x');
    session.socket->send("abc");
    session.socket->send(large);
    session.socket->send("abc");
    session.messages();
    ASSERT_EQ(frames.size(), 3u);
    EXPECT_EQ(frames[0].payload, "abc");
    EXPECT_EQ(frames[1].payload, large);
    for (const auto& one : frames)
        EXPECT_TRUE(one.final && one.masked && one.opcode == Opcode::binary);
    EXPECT_NE(frames[0].mask, frames[2].mask) << "masks must be random";
}

TEST(WebSocket, MessagesOver64KibAndFragmentedOnesArriveWhole) {
    const std::string large(200'000, 'l');
    Session session{upgraded([&](Peer& peer) {
        peer.write(frame(large));
        peer.write(frame("one ", Opcode::binary, false) + frame("", Opcode::ping) +
                   frame("two ", Opcode::more, false));
        system_clock().sleep(30ms);
        peer.write(frame("three", Opcode::more, true) + close_frame());
        peer.read_some();
    })};
    EXPECT_THAT(session.messages(), ElementsAre(large, "one two three"));
    EXPECT_EQ(session.socket->failure(), "");
}

TEST(WebSocket, APingIsAnswered) {
    Frame pong;
    Session session{upgraded([&](Peer& peer) {
        peer.write(frame("are you there", Opcode::ping));
        pong = read_frame(peer);
        peer.write(close_frame());
    })};
    session.messages();
    EXPECT_EQ(pong.opcode, Opcode::pong);
    EXPECT_EQ(pong.payload, "are you there");
}

TEST(WebSocket, TenMegabytesEachWayWithASlowReaderArriveIntact) {
    constexpr std::size_t piece = 32u << 10;
    constexpr std::size_t count = 320;
    std::string received;
    auto byte_at = [](std::size_t i) { return static_cast<char>(i * 7 + i / piece); };
    std::string pattern(piece * count, '\0');
    for (std::size_t i = 0; i < pattern.size(); ++i)
        pattern[i] = byte_at(i);
    Session session{upgraded([&](Peer& peer) {
                        system_clock().sleep(200ms);  // long enough for the client to fill every buffer
                        while (received.size() < pattern.size())
                            received += read_frame(peer).payload;
                        for (std::size_t i = 0; i < count; ++i) {
                            peer.write(frame(std::string_view{pattern}.substr(i * piece, piece)));
                        }
                        peer.write(close_frame());
                        peer.read_some();
                    }),
                    {.receive_buffer = 8192}};
    std::size_t most_queued = 0;
    for (std::size_t i = 0; i < count; ++i) {
        session.socket->send(std::string_view{pattern}.substr(i * piece, piece));
        most_queued = std::max(most_queued, session.socket->queued());
        while (session.socket->queued() > 64u << 10) {
            EXPECT_FALSE(session.socket->receive());
            session.wait();
        }
    }
    EXPECT_GT(most_queued, 0u) << "there was no back-pressure";
    std::string echoed;
    for (const auto& message : session.messages())
        echoed += message;
    EXPECT_TRUE(echoed == pattern);
    EXPECT_TRUE(received == pattern);
    EXPECT_EQ(session.socket->failure(), "");
}

TEST(WebSocket, AResetAfterTheServersCloseIsHarmless) {
    std::atomic<bool> arrived{false};
    Session session{upgraded([&](Peer& peer) {
        read_frame(peer);
        peer.write(frame("\x03{}") + close_frame());
        while (!arrived)
            system_clock().sleep(5ms);
        peer.reset();
    })};
    session.socket->send("go");
    pollfd one{session.socket->fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&one, 1, 20'000), 1);
    arrived = true;
    one.events = 0;  // the reset
    ASSERT_EQ(::poll(&one, 1, 20'000), 1);
    session.socket->send("too late");
    EXPECT_THAT(session.messages(), ElementsAre("\x03{}"));
    EXPECT_TRUE(session.socket->closed());
    EXPECT_EQ(session.socket->failure(), "");
    session.socket->send("still too late");
    EXPECT_EQ(session.socket->queued(), 0u);
}

TEST(WebSocket, TheEndWithoutACloseIsAFailureAfterTheLastMessage) {
    Session session{upgraded([](Peer& peer) {
        peer.write(frame("\x01last words"));
        peer.cut();
    })};
    EXPECT_THAT(session.messages(), ElementsAre("\x01last words"));
    EXPECT_TRUE(session.socket->closed());
    EXPECT_EQ(session.socket->failure(), "the connection was lost");
}

TEST(WebSocket, TheServersCloseIsAnsweredAndNothingIsSentAfterIt) {
    std::vector<Frame> frames;
    Session session{upgraded([&](Peer& peer) {
        peer.write(close_frame());
        frames.push_back(read_frame(peer));
        for (auto rest = peer.read_some(); !rest.empty(); rest = peer.read_some())
            frames.push_back({});
    })};
    session.messages();
    session.socket->send("input");
    session.socket->receive();
    session.socket.reset();
    system_clock().sleep(50ms);
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].opcode, Opcode::close);
}

TEST(WebSocket, ACloseWithAnErrorIsAFailure) {
    Session session{upgraded([](Peer& peer) {
        peer.write(close_frame(1011));
        peer.read_some();
    })};
    session.messages();
    EXPECT_THAT(session.socket->failure(), HasSubstr("1011"));
}

TEST(WebSocket, WhatBreaksTheProtocolIsAFailure) {
    const std::string masked = "\x82\x84keykdata";
    const std::array<std::string, 4> wrong{masked, frame("text", Opcode::text),
                                           "\xf2\x01x" /* reserved bits */,
                                           std::string("\x82\x7f\0\0\0\0\x7f\xff\xff\xffx", 11) /* 2 GiB */};
    for (const auto& bytes : wrong) {
        Session session{upgraded([&](Peer& peer) {
            peer.write(bytes);
            peer.read_some();
        })};
        EXPECT_TRUE(session.messages().empty());
        EXPECT_TRUE(session.socket->closed());
        EXPECT_THAT(session.socket->failure(), HasSubstr("the server sent"))
            << ::testing::PrintToString(bytes);
    }
}

TEST(WebSocket, GoesThroughAProxyWithConnect) {
    std::string seen;
    ScriptedServer server{[&](Peer& peer) {
                              peer.write(accept_upgrade(seen = peer.read_request()));
                              peer.write(frame(read_frame(peer).payload + "!") + close_frame());
                              peer.read_some();
                          },
                          {.certificate = test_authority().issue({.names = "DNS:cluster.example"})}};
    ScriptedServer proxy{tunnel_to(server.port()), {.tls = false}};
    auto endpoint = endpoint_of(server);
    endpoint.url = "https://cluster.example:6443";
    endpoint.proxies.https = proxy.url();
    auto transport = connect(endpoint);
    Session session{*transport};
    session.socket->send("hello");
    EXPECT_THAT(session.messages(), ElementsAre("hello!"));
    EXPECT_EQ(session.socket->failure(), "");
    EXPECT_THAT(seen, HasSubstr("Host: cluster.example:6443\r\n"));
    EXPECT_THAT(seen, ::testing::Not(HasSubstr("X-Of-Proxy")));
    EXPECT_EQ(proxy.connections(), 1);
}

TEST(WebSocket, AProxyThatRefusesIsTheAnswer) {
    std::string seen;
    ScriptedServer proxy{[&](Peer& peer) {
                             seen = peer.read_request();
                             peer.write("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n");
                         },
                         {.tls = false}};
    net::Endpoint endpoint;
    endpoint.url = "https://cluster.example:6443";
    endpoint.proxies.https = proxy.url();
    auto upgrade = connect(endpoint)->upgrade(get("/exec"), channels);
    EXPECT_THAT(seen, ::testing::StartsWith("CONNECT cluster.example:6443 "));
    EXPECT_THAT(upgrade.answer.failure, ::testing::EndsWith(" answered 407"));
}

}  // namespace
}  // namespace hermesctl::testing
