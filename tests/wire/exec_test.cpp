// pods/exec on the real transport, against a server that speaks its channels byte by byte.
#include "hermesctl/kube/exec.hpp"

#include "wire/client.hpp"
#include "wire/websocket_server.hpp"

#include <atomic>

#include <gmock/gmock.h>

namespace hermesctl::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string end_of_input{'\xff', '\0'};
const std::string v4 = "v4.channel.k8s.io";

std::string payload_on(char channel, std::string_view payload) {
    return std::string(1, channel) + std::string(payload);
}

std::string on(char channel, std::string_view payload) {
    return frame(payload_on(channel, payload));
}

std::string success() {
    return on(3, R"({"metadata":{},"status":"Success"})");
}

/// The client's messages until its Close, or until it is gone.
std::vector<std::string> all_input(Peer& peer) {
    std::vector<std::string> messages;
    for (auto one = read_frame(peer); one.opcode != Opcode::close; one = read_frame(peer)) {
        if (one.opcode == Opcode::binary) messages.push_back(one.payload);
    }
    return messages;
}

class Exec : public ::testing::Test {
  protected:
    void serve(ScriptedServer::Script script, std::string protocol = "v5.channel.k8s.io") {
        server = std::make_unique<ScriptedServer>(upgraded(std::move(script), std::move(protocol)));
        transport = connect(*server);
    }
    /// Ends the server, so that what its script has written down may be read.
    void stop() {
        transport.reset();
        server.reset();
    }
    kube::ExecSession session() { return {*transport, request}; }
    kube::ExecOutput run(std::string_view input = "") {
        return kube::run_exec(*transport, system_clock(), request, input, 20s);
    }
    /// The message of the Error that run() ends with.
    std::string failure() {
        try {
            run();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::exec_failed);
            return error.message();
        }
        return "none";
    }

    kube::ExecRequest request{.ns = "n", .pod = "p", .container = "c", .argv = {"cat"}};
    std::unique_ptr<ScriptedServer> server{};
    std::unique_ptr<net::Transport> transport{};
};

TEST_F(Exec, AServerThatIsTooBusyIsAskedAgainBeforeTheCommandStarts) {
    std::atomic<int> asked = 0;
    server = std::make_unique<ScriptedServer>([&](Peer& peer) {
        const std::string seen = peer.read_request();
        if (++asked == 1) return peer.write(http_answer(429, "", "Retry-After: 1\r\n"));
        peer.write(accept_upgrade(seen) + on(1, "done") + success() + close_frame());
    });
    transport = connect(*server);
    EXPECT_EQ(run().out, "done");
    EXPECT_EQ(asked, 2);
}

TEST_F(Exec, ACommandThatMayHaveStartedIsNeverTriedAgain) {
    std::atomic<int> asked = 0;
    server = std::make_unique<ScriptedServer>([&](Peer& peer) {
        peer.read_request();
        ++asked;
    });
    transport = connect(*server);
    EXPECT_THROW(run(), kube::ApiError);
    EXPECT_EQ(asked, 1);
}

TEST_F(Exec, InputEndsWithAHalfClose) {
    std::vector<std::string> seen;
    serve([&](Peer& peer) {
        peer.write(on(1, ""));
        seen.push_back(read_frame(peer).payload);
        seen.push_back(read_frame(peer).payload);
        peer.write(on(1, "he") + on(2, "warned") + on(1, "llo") + success() + close_frame());
    });
    request.input = true;
    const auto output = run("hello");
    EXPECT_EQ(output.exit_code, 0);
    EXPECT_EQ(output.out, "hello");
    EXPECT_EQ(output.err, "warned");
    stop();
    EXPECT_THAT(seen, ElementsAre(payload_on(0, "hello"), end_of_input));
}

TEST_F(Exec, WhatFollowsAFloodIsNotWaitedFor) {
    serve([](Peer& peer) {
        peer.write(on(1, std::string(64u << 10, 'x')) + on(1, "tail") + success());
        peer.read_some();
    });
    auto exec = session();
    std::size_t count = 0;
    const kube::ExecSink sink{.out = [&](std::string_view bytes) { count += bytes.size(); }};
    const auto took = time_of([&] {
        while (exec.pump(sink)) {
            const net::Wake wake = exec.wake();
            transport->poll(20s, {&wake, 1});
        }
    });
    EXPECT_EQ(count, (64u << 10) + 4);
    EXPECT_LT(took, 10s) << "TLS holds it already, so no descriptor tells of it";
}

TEST_F(Exec, AV4ServerIsNeverSentAHalfClose) {
    std::vector<std::string> seen;
    serve([&](Peer& peer) { seen = all_input(peer); }, v4);
    request.input = true;
    {
        auto exec = session();
        exec.write("abc");
        EXPECT_FALSE(exec.can_close_input());
        EXPECT_THROW(exec.close_input(), Error);
    }
    stop();
    EXPECT_THAT(seen, ElementsAre(payload_on(0, "abc")));
}

TEST_F(Exec, WhatNeedsAnEndOfInputIsNotBegunOnAV4Server) {
    std::vector<std::string> seen{"nothing"};
    serve([&](Peer& peer) { seen = all_input(peer); }, v4);
    request.input = true;
    EXPECT_THROW(run("abc"), Error);
    stop();
    EXPECT_TRUE(seen.empty());
}

TEST_F(Exec, OnlyATerminalIsResized) {
    for (const bool tty : {false, true}) {
        std::vector<std::string> seen{"nothing"};
        serve([&](Peer& peer) { seen = all_input(peer); });
        request.tty = request.input = tty;
        session().resize(80, 24);
        stop();
        const std::vector<std::string> size{payload_on(4, R"({"Height":24,"Width":80})")};
        EXPECT_EQ(seen, tty ? size : std::vector<std::string>{}) << tty;
    }
}

TEST_F(Exec, AnOrderlyEndWithoutAStatusIsAFailure) {
    serve([](Peer& peer) {
        peer.write(on(1, "all of it") + close_frame());
        peer.read_some();
    });
    EXPECT_EQ(failure(), "pod/p: the connection was lost before the command's end was known");
}

TEST_F(Exec, ALostConnectionIsAFailure) {
    serve([](Peer& peer) {
        peer.write(on(1, "half of it"));
        peer.cut();
    });
    EXPECT_THAT(failure(), HasSubstr("before the command's end was known: the connection was lost"));
}

TEST_F(Exec, TheRemoteExitCodeComesThroughAndAResetAfterItIsHarmless) {
    serve([](Peer& peer) {
        peer.write(on(1, "out") +
                   on(3, R"({"status":"Failure","reason":"NonZeroExitCode","message":"exit code 3",)"
                         R"("details":{"causes":[{"reason":"ExitCode","message":"3"}]}})") +
                   close_frame());
        system_clock().sleep(50ms);
        peer.reset();
    });
    const auto output = run();
    EXPECT_EQ(output.exit_code, 3);
    EXPECT_EQ(output.out, "out");
}

TEST_F(Exec, NothingIsSentAfterTheStatus) {
    std::vector<std::string> seen{"nothing"};
    serve([&](Peer& peer) {
        peer.write(on(1, "") + success());
        seen = all_input(peer);
    });
    request.input = request.tty = true;
    {
        auto exec = session();
        while (exec.pump({})) {
            const net::Wake wake = exec.wake();
            transport->poll(20s, {&wake, 1});
        }
        exec.write("late");
        exec.resize(80, 24);
        exec.close_input();
        EXPECT_EQ(exec.exit_code(), 0);
    }
    stop();
    EXPECT_TRUE(seen.empty()) << "it would reset the connection, and take what we have not read";
}

TEST_F(Exec, AServerThatKnowsNeitherProtocolSaysNoMoreThan403) {
    server = std::make_unique<ScriptedServer>([](Peer& peer) {
        peer.read_request();
        peer.write("HTTP/1.1 403 Forbidden\r\n\r\n");  // as golang.org/x/net/websocket has it
    });
    transport = connect(*server);
    try {
        run();
        FAIL();
    } catch (const kube::ApiError& error) {
        EXPECT_EQ(error.http(), 403);
        EXPECT_EQ(error.message(), "the server answered HTTP 403");
    }
}

TEST_F(Exec, WhatGoesWrongAfterThe101IsTold) {
    serve([](Peer& peer) {
        peer.write(on(3, R"({"status":"Failure","reason":"InternalError",)"
                         R"("message":"container c not found"})") +
                   close_frame(1011));
        peer.read_some();
    });
    EXPECT_EQ(failure(), "pod/p: container c not found");
}

}  // namespace
}  // namespace hermesctl::testing
