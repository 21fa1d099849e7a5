// The channels of pods/exec, and the traps of its protocol.
#include "hermesctl/kube/exec.hpp"

#include "support/fake_transport.hpp"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::refusal;
using testing::Wire;

const std::string success = R"({"metadata":{},"status":"Success"})";

std::string exit_status(const std::string& code) {
    return R"({"status":"Failure","reason":"NonZeroExitCode","message":"command terminated with non-zero exit code",)"
           R"("details":{"causes":[{"reason":"ExitCode","message":")" +
           code + R"("}]}})";
}

std::string on(char channel, const std::string& payload) {
    return std::string(1, channel) + payload;
}

const std::string end_of_input{'\xff', '\0'};

struct ExecTest : ::testing::Test {
    testing::FakeClock clock{};
    testing::FakeTransport net{clock};
    std::shared_ptr<Wire> wire = std::make_shared<Wire>();
    ExecRequest request{.ns = "hermes", .pod = "hermes-0", .container = "agent", .argv = {"cat", "a+b c"}};
    std::string out{};
    std::string err{};
    ExecSink sink{[this](std::string_view bytes) { out += bytes; },
                  [this](std::string_view bytes) { err += bytes; }};

    void SetUp() override {
        net.watch_wire(wire);
        net.open = [this](const net::Request&, std::span<const std::string> offered) {
            EXPECT_THAT(offered, ElementsAre("v5.channel.k8s.io", "v4.channel.k8s.io"));
            return net::Upgrade{testing::socket_on(wire), {.status = 101}};
        };
    }
    ExecSession session() { return {net, request}; }
};

TEST_F(ExecTest, AsksWithOneParameterForEachArgument) {
    session();
    EXPECT_EQ(net.requests.at(0).method, "GET");
    EXPECT_EQ(net.requests.at(0).target,
              "/api/v1/namespaces/hermes/pods/hermes-0/exec?container=agent&command=cat&command=a%2Bb%20c"
              "&stdin=false&stdout=true&stderr=true&tty=false");
}

TEST_F(ExecTest, WhatFailsBeforeTheCommandStartsIsTriedAgain) {
    std::deque<net::Response> refusals{testing::no_answer("connection refused"),
                                       testing::answer(503, "", {{"Retry-After", "4"}})};
    const auto serve = net.open;
    net.open = [&](const net::Request& asked, std::span<const std::string> offered) {
        if (refusals.empty()) return serve(asked, offered);
        net::Upgrade refused{nullptr, refusals.front()};
        refusals.pop_front();
        return refused;
    };
    const auto again = refusals;
    ExecSession(net, clock, request);
    EXPECT_EQ(clock.elapsed(), 4200ms);
    refusals = again;
    EXPECT_THROW(run_exec(net, clock, request, "", 3s), ApiError) << "no longer than it may take";
    EXPECT_EQ(clock.elapsed(), 4400ms);
    refusals = again;
    EXPECT_THROW(ExecSession(net, request), ApiError) << "once is once";
}

TEST_F(ExecTest, AKubeletThatIsNotReachedForAMomentIsAskedAgain) {
    const auto serve = net.open;
    int refusals = 0;
    std::string reason = "error dialing backend: EOF";
    net.open = [&](const net::Request& asked, std::span<const std::string> offered) {
        if (refusals == 0) return serve(asked, offered);
        --refusals;
        return net::Upgrade{nullptr, refusal(500, "InternalError", reason)};
    };
    refusals = 3;
    ExecSession(net, clock, request);
    EXPECT_EQ(clock.elapsed(), 3500ms);
    refusals = 9;
    EXPECT_THROW(ExecSession(net, clock, request), ApiError);
    EXPECT_EQ(refusals, 5) << "one that stays away is told";
    refusals = 9;
    reason = "etcd is slow";
    EXPECT_THROW(ExecSession(net, clock, request), ApiError);
    EXPECT_EQ(refusals, 8) << "any other 500 is an answer";
}

TEST_F(ExecTest, AKubeletThatIsNotReachedIsToldWithoutTheCommand) {
    ExecSession exec = session();
    wire->incoming = {
        on(3, R"({"status":"Failure","reason":"InternalError","message":"Internal error occurred: )"
              R"(error sending request: Post \"https://10.0.0.1:10250/exec/ns/pod/c?command=a%22%3A+b\": )"
              R"(dial tcp 10.0.0.1:10250: connect: connection refused"})")};
    EXPECT_FALSE(exec.pump(sink));
    try {
        exec.exit_code();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.message(),
                  "pod/hermes-0: Internal error occurred: error sending request: "
                  "dial tcp 10.0.0.1:10250: connect: connection refused");
    }
}

TEST_F(ExecTest, ATerminalHasOneOutput) {
    request.tty = request.input = true;
    session();
    EXPECT_THAT(net.requests.at(0).target, HasSubstr("&stdin=true&stdout=true&stderr=false&tty=true"));
}

TEST_F(ExecTest, ARefusalIsAnApiError) {
    net.open = [](const net::Request&, std::span<const std::string>) {
        return net::Upgrade{nullptr, refusal(404, "NotFound", "pods \"hermes-0\" not found")};
    };
    try {
        session();
        FAIL();
    } catch (const ApiError& error) {
        EXPECT_EQ(error.http(), 404);
        EXPECT_EQ(error.message(), "pods \"hermes-0\" not found");
    }
}

TEST_F(ExecTest, SortsTheChannels) {
    ExecSession exec = session();
    wire->incoming = {on(1, ""), on(1, "he"), on(2, "oops"), on(1, "llo"), "", on(9, "?"), on(3, success)};
    EXPECT_FALSE(exec.pump(sink));
    EXPECT_EQ(out, "hello");
    EXPECT_EQ(err, "oops");
    EXPECT_EQ(exec.exit_code(), 0);
}

TEST_F(ExecTest, AFloodIsHandedOverInRounds) {
    ExecSession exec = session();
    wire->incoming.assign(100, on(1, std::string(8192, 'y')));
    wire->incoming.push_back(on(3, success));
    EXPECT_TRUE(exec.pump(sink));
    EXPECT_LE(out.size(), 80u << 10);
    EXPECT_TRUE(exec.wake().now) << "no descriptor tells what has been read already";
    while (exec.pump(sink)) {
    }
    EXPECT_EQ(out.size(), 100u * 8192);
    EXPECT_EQ(exec.exit_code(), 0);
    EXPECT_FALSE(exec.wake().now);
}

TEST_F(ExecTest, WhatIsEmptyIsAFloodToo) {
    ExecSession exec = session();
    wire->incoming.assign(100'000, "");
    EXPECT_TRUE(exec.pump(sink));
    EXPECT_FALSE(wire->incoming.empty());
}

TEST_F(ExecTest, TheEmptyFirstMessageIsNoEnd) {
    ExecSession exec = session();
    int calls = 0;
    wire->incoming = {on(1, "")};
    EXPECT_TRUE(exec.pump({[&](std::string_view) { ++calls; }, {}}));
    EXPECT_EQ(calls, 0);
}

TEST_F(ExecTest, TheExitCodeIsTheRemoteOne) {
    ExecSession exec = session();
    wire->incoming = {on(3, exit_status("3"))};
    EXPECT_FALSE(exec.pump(sink));
    EXPECT_EQ(exec.exit_code(), 3);
}

TEST_F(ExecTest, ErrorsAfterTheStatusMeanNothing) {
    ExecSession exec = session();
    wire->incoming = {on(3, success)};
    wire->failure = "connection reset";
    EXPECT_FALSE(exec.pump(sink));
    EXPECT_EQ(exec.exit_code(), 0);
}

TEST_F(ExecTest, NoStatusIsAFailureHoweverOrderlyTheEnd) {
    ExecSession exec = session();
    wire->incoming = {on(1, "all of it")};
    wire->ended = true;
    EXPECT_FALSE(exec.pump(sink));
    EXPECT_EQ(out, "all of it");
    try {
        exec.exit_code();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::exec_failed);
        EXPECT_THAT(error.message(), HasSubstr("connection was lost"));
    }
}

TEST_F(ExecTest, ACommandThatDidNotRunHasNoExitCode) {
    for (const std::string& status : {std::string(R"({"status":"Failure","reason":"InternalError",)"
                                                  R"("message":"container not found"})"),
                                      std::string("container not found"), exit_status("none")}) {
        wire->incoming = {on(3, status)};
        ExecSession exec = session();
        EXPECT_FALSE(exec.pump(sink));
        EXPECT_THROW(exec.exit_code(), Error) << status;
    }
}

TEST_F(ExecTest, InputGoesInWholeFramesOfLimitedSize) {
    request.input = true;
    ExecSession exec = session();
    exec.write(std::string(100'000, 'x'));
    exec.close_input();
    ASSERT_EQ(wire->sent.size(), 5u);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_LE(wire->sent[i].size(), 32u << 10);
        EXPECT_EQ(wire->sent[i][0], '\0');
        bytes += wire->sent[i].size() - 1;
    }
    EXPECT_EQ(bytes, 100'000u);
    EXPECT_EQ(wire->sent[4], end_of_input);
}

TEST_F(ExecTest, NothingIsSentAfterTheEnd) {
    request.input = request.tty = true;
    ExecSession exec = session();
    wire->incoming = {on(3, success)};
    exec.pump(sink);
    exec.write("late");
    exec.close_input();
    exec.resize(80, 24);
    EXPECT_TRUE(wire->sent.empty());
}

TEST_F(ExecTest, NothingIsSentAfterTheEndOfInput) {
    request.input = true;
    ExecSession exec = session();
    exec.close_input();
    exec.close_input();
    exec.write("late");
    EXPECT_THAT(wire->sent, ElementsAre(end_of_input));
}

TEST_F(ExecTest, AnOldServerCannotEndInput) {
    request.input = true;
    wire->protocol = "v4.channel.k8s.io";
    ExecSession exec = session();
    exec.write("x");
    EXPECT_FALSE(exec.can_close_input());
    EXPECT_THROW(exec.close_input(), Error);
    EXPECT_THAT(wire->sent, ElementsAre(on(0, "x")));
}

TEST_F(ExecTest, OnlyATerminalHasASize) {
    session().resize(80, 24);
    EXPECT_TRUE(wire->sent.empty());
    request.tty = true;
    session().resize(80, 24);
    EXPECT_THAT(wire->sent, ElementsAre(on(4, R"({"Height":24,"Width":80})")));
}

TEST_F(ExecTest, WakesForWritingOnlyWithSomethingToWrite) {
    ExecSession exec = session();
    EXPECT_FALSE(exec.wake().write);
    wire->queued = 10;
    EXPECT_TRUE(exec.wake().write);
    EXPECT_EQ(exec.queued(), 10u);
}

TEST_F(ExecTest, RunsACommandWithItsInput) {
    request.input = true;
    std::string seen;
    wire->on_send = [&](const std::string& message) {
        if (message != end_of_input) {
            seen += message.substr(1);
        } else {
            wire->incoming = {on(1, "read "), on(1, std::to_string(seen.size())), on(2, "warned"),
                              on(3, exit_status("7"))};
        }
    };
    const ExecOutput output = run_exec(net, clock, request, std::string(600'000, 'x'), 5s);
    EXPECT_EQ(output.exit_code, 7);
    EXPECT_EQ(output.out, "read 600000");
    EXPECT_EQ(output.err, "warned");
    EXPECT_EQ(clock.elapsed(), 0ms);
}

TEST_F(ExecTest, RunEndsAtItsDeadline) {
    try {
        run_exec(net, clock, request, "", 3500ms);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::timeout);
    }
    EXPECT_EQ(clock.elapsed(), 3500ms);
}

TEST_F(ExecTest, ConnectingHasItsLimit) {
    session();
    EXPECT_EQ(net.requests.back().timeout, 10s);
    wire->incoming = {on(3, success)};
    run_exec(net, clock, request, "", 60s);
    EXPECT_EQ(net.requests.back().timeout, 10s);
    wire->incoming = {on(3, success)};
    run_exec(net, clock, request, "", 3s);
    EXPECT_EQ(net.requests.back().timeout, 3s) << "the deadline covers the handshake";
}

TEST_F(ExecTest, RunDoesNotKeepEndlessOutput) {
    for (int i = 0; i < 40; ++i) {
        wire->incoming.push_back(on(1, std::string(1u << 20, 'x')));
    }
    EXPECT_THROW(run_exec(net, clock, request, "", 5s), Error);
}

TEST_F(ExecTest, RunSendsNoInputToAServerThatCannotEndIt) {
    request.input = true;
    wire->protocol = "v4.channel.k8s.io";
    EXPECT_THROW(run_exec(net, clock, request, "rm -rf /tmp/x", 5s), Error);
    EXPECT_TRUE(wire->sent.empty());
}

TEST_F(ExecTest, AnOldServerWillDoWhereNoEndOfInputIsAwaited) {
    request.input = true;
    request.input_ends = false;
    wire->protocol = "v4.channel.k8s.io";
    wire->on_send = [&](const std::string&) { wire->incoming = {on(1, "read"), on(3, success)}; };
    int rounds = 0;
    EXPECT_EQ(run_exec(net, clock, request, "a line\n", 5s, [&] { ++rounds; }).out, "read");
    EXPECT_THAT(wire->sent, ElementsAre(on(0, "a line\n")));
    EXPECT_GT(rounds, 0);
}

}  // namespace
}  // namespace hermesctl::kube
