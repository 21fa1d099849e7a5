// What goes over the wire for ordinary exchanges, and what is made of good answers.
#include "hermesctl/base/error.hpp"
#include "support/session.hpp"
#include "wire/client.hpp"

#include <array>
#include <thread>

#include <gmock/gmock.h>
#include <unistd.h>

namespace hermesctl::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Sends it to a server that answers `answer`; what the server saw.
std::string seen_by_server(const net::Request& request,
                           const std::function<void(net::Endpoint&)>& change = {},
                           const std::string& answer = http_answer(200, "{}")) {
    std::string seen;
    ScriptedServer server{[&](Peer& peer) {
        seen = peer.read_request();
        peer.write(answer);
        peer.read_some();
    }};
    auto endpoint = endpoint_of(server);
    if (change) change(endpoint);
    EXPECT_EQ(net::send(*connect(endpoint), request).failure, "");
    return seen;
}

TEST(Transport, SendsAGetWithTheEndpointsHeaders) {
    auto seen = seen_by_server(get("/api/v1/pods?limit=1"), [](net::Endpoint& endpoint) {
        endpoint.headers = {
            {"Impersonate-User", "ann"}, {"Impersonate-Group", "a"}, {"Impersonate-Group", "b"}};
        endpoint.credentials = [](bool) { return net::Credentials{.token = "t0ken"}; };
    });
    EXPECT_THAT(seen, StartsWith("GET /api/v1/pods?limit=1 HTTP/1.1\r\n"));
    EXPECT_THAT(seen, HasSubstr("User-Agent: hermesctl\r\n"));
    EXPECT_THAT(seen, HasSubstr("Impersonate-User: ann\r\n"));
    EXPECT_THAT(seen, HasSubstr("Impersonate-Group: a\r\nImpersonate-Group: b\r\n"));
    EXPECT_THAT(seen, HasSubstr("Authorization: Bearer t0ken\r\n"));
    EXPECT_THAT(seen, HasSubstr("Accept-Encoding: gzip\r\n"));
}

TEST(Transport, SendsAPatchWithItsBodyAndNoExpect) {
    net::Request request{.method = "PATCH", .target = "/x"};
    request.headers = {{"Content-Type", "application/apply-patch+yaml"}};
    request.body.assign(2u << 20, 'b');  // curl would ask "Expect: 100-continue" for so much
    auto seen = seen_by_server(request);
    EXPECT_THAT(seen.substr(0, 400), StartsWith("PATCH /x HTTP/1.1\r\n"));
    EXPECT_THAT(seen.substr(0, 400), HasSubstr("Content-Type: application/apply-patch+yaml\r\n"));
    EXPECT_THAT(seen.substr(0, 400), Not(HasSubstr("Expect")));
    EXPECT_EQ(std::ranges::count(seen.substr(seen.find("\r\n\r\n") + 4), 'b'), 2 << 20);
}

TEST(Transport, SendsADeleteWithABody) {
    auto seen = seen_by_server({.method = "DELETE", .target = "/x", .body = R"({"kind":"DeleteOptions"})"});
    EXPECT_THAT(seen, StartsWith("DELETE /x HTTP/1.1\r\n"));
    EXPECT_THAT(seen, ::testing::EndsWith("\r\n\r\n{\"kind\":\"DeleteOptions\"}"));
    EXPECT_THAT(seen, Not(HasSubstr("urlencoded")));
}

TEST(Transport, PutsTheBasePathOfTheServerBeforeEachTarget) {
    auto seen =
        seen_by_server(get("/api/v1/nodes"), [](auto& endpoint) { endpoint.url += "/k8s/clusters/c-1/"; });
    EXPECT_THAT(seen, StartsWith("GET /k8s/clusters/c-1/api/v1/nodes HTTP/1.1\r\n"));
}

TEST(Transport, LeavesPercentEncodingAndDotsOfTheTargetAlone) {
    EXPECT_THAT(seen_by_server(get("/a%2Fb/..?command=a%2Bb")),
                StartsWith("GET /a%2Fb/..?command=a%2Bb HTTP/1.1"));
}

TEST(Transport, AsksForNoCompressionWhereItIsOff) {
    auto seen = seen_by_server(get("/"), [](auto& endpoint) { endpoint.compression = false; });
    EXPECT_THAT(seen, Not(HasSubstr("Accept-Encoding")));
}

TEST(Transport, RefusesAHeaderWithALineBreak) {
    ScriptedServer server{answering([](auto&) { return http_answer(200, ""); })};
    auto endpoint = endpoint_of(server);
    endpoint.credentials = [](bool) { return net::Credentials{.token = "secret\nX-Other: 1"}; };
    try {
        net::send(*connect(endpoint), get("/"));
        FAIL() << "sent";
    } catch (const Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("Authorization header has a line break"));
        EXPECT_THAT(error.message(), Not(HasSubstr("secret")));
    }
}

TEST(Transport, RefusesAnAddressThatIsNone) {
    for (const char* url : {"", "nonsense", "ftp://host", "https://", "https://host:port"}) {
        net::Endpoint endpoint;
        endpoint.url = url;
        EXPECT_THROW(connect(endpoint), Error) << url;
    }
}

TEST(Transport, UsesOneConnectionForManyRequests) {
    ScriptedServer server{answering([](auto&) { return http_answer(200, "ok"); })};
    auto transport = connect(server);
    for (int i = 0; i < 25; ++i)
        EXPECT_EQ(net::send(*transport, get("/")).body, "ok");
    EXPECT_EQ(server.connections(), 1);
}

TEST(Transport, ReconnectsWhenTheServerHasClosedAnIdleConnection) {
    ScriptedServer server{[](Peer& peer) {
        peer.read_request();
        peer.write(http_answer(200, "ok"));  // and closes
    }};
    auto transport = connect(server);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(net::send(*transport, get("/")).body, "ok");
        system_clock().sleep(20ms);
    }
    EXPECT_EQ(server.connections(), 3);
}

TEST(Transport, AnswersManyInTheirOrderOnAtMostMaxConnections) {
    ScriptedServer server{answering([](const std::string& request) {
        system_clock().sleep(5ms);
        return http_answer(200, request.substr(4, request.find(' ', 4) - 4));
    })};
    auto endpoint = endpoint_of(server);
    endpoint.max_connections = 3;
    auto transport = connect(endpoint);
    std::vector<net::Request> requests;
    for (int i = 0; i < 20; ++i)
        requests.push_back(get("/" + std::to_string(i)));
    auto answers = net::exchange(*transport, requests);
    ASSERT_EQ(answers.size(), 20u);
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(answers[static_cast<std::size_t>(i)].body, "/" + std::to_string(i));
    }
    EXPECT_LE(server.connections(), 3);
    EXPECT_GE(server.most_open(), 2) << "they should have been in flight together";
}

TEST(Transport, WhatWaitsForAConnectionEndsInTimeToo) {
    std::atomic<int> asked{0};
    ScriptedServer server{[&](Peer& peer) {
                              peer.read_request();
                              ++asked;
                              peer.read_some();
                          },
                          {.tls = false}};
    auto endpoint = endpoint_of(server);
    endpoint.max_connections = 1;
    std::vector<net::Request> requests{get("/a"), get("/b")};
    for (auto& request : requests) {
        request.timeout = 3s;
        request.end = system_clock().now() + 1s;
    }
    const auto answers = net::exchange(*connect(endpoint), requests);
    EXPECT_NE(answers.at(0).failure, "");
    EXPECT_EQ(answers.at(1).failure, "no connection was free within the time limit");
    EXPECT_LE(asked, 1);
}

TEST(Transport, StreamsDoNotHoldUpOtherRequests) {
    ScriptedServer server{[](Peer& peer) {
        if (peer.read_request().starts_with("GET /watch")) {
            peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            peer.read_some();
            return;
        }
        peer.write(http_answer(200, "ok"));
        peer.read_some();
    }};
    auto endpoint = endpoint_of(server);
    endpoint.max_connections = 1;
    auto transport = connect(endpoint);
    for (int i = 0; i < 3; ++i) {
        auto watch = get("/watch");
        watch.timeout = 0ms;
        transport->start(watch, {});
    }
    EXPECT_EQ(net::send(*transport, get("/")).body, "ok");
}

TEST(Transport, StreamsAnAnswerPieceByPieceAsItComes) {
    std::atomic<int> pieces{0};
    ScriptedServer server{[&](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        for (int i = 0; pieces == 0 && i < 500; ++i)
            system_clock().sleep(10ms);  // the client has seen it
        peer.write("5\r\nworld\r\n0\r\n\r\n");
        peer.read_some();
    }};
    auto transport = connect(server);
    std::vector<std::string> chunks;
    std::optional<net::Response> answer;
    transport->start(get("/"),
                     {.on_chunk = [&](std::string_view chunk) { chunks.emplace_back(chunk), ++pieces; },
                      .on_done = [&](net::Response response) { answer = std::move(response); }});
    while (!answer)
        transport->poll(1s);
    EXPECT_THAT(chunks, ElementsAre("hello", "world"));
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "");
}

TEST(Transport, KeepsTheBodyOfARefusalOutOfTheStream) {
    ScriptedServer server{
        answering([](auto&) { return http_answer(410, "gone", "Warning: 299 - \"a\"\r\n"); })};
    auto transport = connect(server);
    std::optional<net::Response> answer;
    transport->start(get("/"), {.on_chunk = [](std::string_view) { FAIL() << "not a stream"; },
                                .on_done = [&](net::Response response) { answer = std::move(response); }});
    while (!answer)
        transport->poll(1s);
    EXPECT_EQ(answer->status, 410);
    EXPECT_EQ(answer->body, "gone");
    EXPECT_EQ(answer->header("warning"), "299 - \"a\"");
}

TEST(Transport, KeepsRepeatedHeadersAndForgetsThoseOfA100) {
    ScriptedServer server{answering([](auto&) {
        return "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" +
               http_answer(200, "", "Warning: a\r\nWarning: b\r\n");
    })};
    auto answer = net::send(*connect(server), get("/"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("X-Early"), "");
    std::vector<std::string> warnings;
    for (const auto& header : answer.headers) {
        if (header.name == "Warning") warnings.push_back(header.value);
    }
    EXPECT_THAT(warnings, ElementsAre("a", "b"));
}

TEST(Transport, EachWarningOfTheServerIsToldOnce) {
    ScriptedServer server{answering([](auto&) {
        return http_answer(200, "{}",
                           "Warning: 299 - \"would violate \\\"restricted\\\"\"\r\n"
                           "warning: 299 - \"two\", 299 - \"three\"\r\n"
                           "Warning: 299 - \"two\"\r\n");
    })};
    Session session{endpoint_of(server)};
    EXPECT_TRUE(session.client.get_path("/version").warned);
    std::vector<std::string> told;
    for (const Event& event : session.reporter.events)
        told.push_back(event.detail);
    EXPECT_THAT(told, ElementsAre("would violate \"restricted\"", "two", "three"));
}

TEST(Transport, UnpacksGzip) {
    static constexpr unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
                                               0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x86,
                                               0xa6, 0x10, 0x36, 0x05, 0x00, 0x00, 0x00};
    std::string body{reinterpret_cast<const char*>(packed), sizeof packed};
    ScriptedServer server{
        answering([&](auto&) { return http_answer(200, body, "Content-Encoding: gzip\r\n"); })};
    EXPECT_EQ(net::send(*connect(server), get("/")).body, "hello");
}

TEST(Transport, DoesNotFollowARedirect) {
    ScriptedServer server{
        answering([](auto&) { return http_answer(302, "", "Location: https://127.0.0.1:1/\r\n"); })};
    EXPECT_EQ(net::send(*connect(server), get("/")).status, 302);
}

TEST(Transport, ChoosesHttp11WhereTheServerPrefersH2) {
    std::string chosen;
    ScriptedServer server{[&](Peer& peer) {
        chosen = peer.alpn();
        peer.read_request();
        peer.write(http_answer(200, ""));
    }};
    EXPECT_EQ(net::send(*connect(server), get("/")).status, 200);
    EXPECT_EQ(chosen, "http/1.1");
}

TEST(Transport, RethrowsWhatAHandlerThrowsAndStaysUsable) {
    ScriptedServer server{answering([](auto&) { return http_answer(200, "ok"); })};
    auto transport = connect(server);
    transport->start(get("/"), {.on_done = [](net::Response) {
                         throw Error{ExitCode::failed, "of the handler"};
                     }});
    EXPECT_THROW(for (;;) transport->poll(1s), Error);
    EXPECT_EQ(net::send(*transport, get("/")).body, "ok");
}

TEST(Transport, AHandlerMayCancelItselfAndStartAnother) {
    ScriptedServer server{answering([](auto&) { return http_answer(200, "ok"); })};
    auto transport = connect(server);
    bool second = false;
    net::Transport::Ticket ticket = 0;
    ticket = transport->start(get("/"), {.on_chunk =
                                             [&](std::string_view) {
                                                 transport->cancel(ticket);
                                                 transport->start(get("/2"),
                                                                  {.on_done = [&](auto) { second = true; }});
                                             },
                                         .on_done = [](auto) { FAIL() << "cancelled"; }});
    while (!second)
        transport->poll(1s);
}

TEST(Transport, ACancelledExchangeIsHeardOfNoMore) {
    ScriptedServer server{answering([](auto&) { return http_answer(200, "ok"); })};
    auto transport = connect(server);
    auto ticket = transport->start(get("/"), {.on_done = [](auto) { FAIL() << "cancelled"; }});
    transport->poll(0ms);
    transport->cancel(ticket);
    transport->cancel(ticket);
    transport->cancel(999);
    EXPECT_EQ(net::send(*transport, get("/")).body, "ok");
}

TEST(Transport, PollWakesForADescriptorAndForItsOtherEndGone) {
    ScriptedServer server{answering([](auto&) { return http_answer(200, "ok"); })};
    auto transport = connect(server);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const std::array wakes{net::Wake{.fd = ends[0]}};
    EXPECT_GE(time_of([&] { transport->poll(150ms, wakes); }), 150ms);
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    EXPECT_LT(time_of([&] { transport->poll(20s, wakes); }), 5s);
    char byte = 0;
    ASSERT_EQ(::read(ends[0], &byte, 1), 1);
    ::close(ends[1]);
    EXPECT_LT(time_of([&] { transport->poll(20s, wakes); }), 5s) << "POLLHUP without POLLIN";
    ::close(ends[0]);
}

}  // namespace
}  // namespace hermesctl::testing
