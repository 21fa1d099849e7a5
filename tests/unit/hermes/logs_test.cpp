// Reading logs: what ends a reading, what only interrupts it, and what is a failure.
#include "hermesctl/hermes/logs.hpp"

#include "support/installation.hpp"
#include "support/recording_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using hermesctl::testing::FakeProcess;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string mark(
    "\0"
    "12:2\n",
    6);

class Logs : public ::testing::Test {
  protected:
    Logs() { hermesctl::testing::put_installation(api_); }

    /// Until `enough` lines have come.
    void read(const LogRequest& request, std::size_t enough = 100) {
        const LineSink sink = [&](const std::string& line) {
            lines_.push_back(line);
            return lines_.size() < enough;
        };
        read_log(client_, {.ns = "hermes", .name = "hermes"}, request, sink, reporter_);
    }
    Error failure_of(const LogRequest& request) {
        try {
            read(request);
        } catch (const Error& error) {
            return error;
        }
        ADD_FAILURE() << "it ended well";
        return {ExitCode::ok, ""};
    }
    /// The console's nth request is answered so; each round lists the pods first.
    void console(int nth, const std::string& text, const std::string& failure) {
        net::Response response = hermesctl::testing::answer(200, text);
        if (!failure.empty()) {  // as curl has it, after the bytes that came
            response.status = 0;
            response.connected = response.transient = true;
            response.failure = failure;
        }
        api_.fail("GET", "Pod", 2 * nth, response);
    }

    hermesctl::testing::FakeClock clock_{};
    hermesctl::testing::FakeTransport transport_{clock_};
    hermesctl::testing::FakeApi api_{transport_};
    hermesctl::testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
    std::vector<std::string> lines_{};
};

TEST_F(Logs, AConsoleIsAskedForAgainWhereTheServerSaysWhen) {
    api_.logs["hermes-1-a"] = "2026-01-01T00:00:00Z one\n";
    api_.fail("GET", "Pod", 2, hermesctl::testing::answer(429, "", {{"Retry-After", "2"}}));
    read({.source = "console"});
    EXPECT_THAT(lines_, ElementsAre("one"));
    EXPECT_EQ(clock_.elapsed(), std::chrono::seconds{2});
}

TEST_F(Logs, AConsoleThatIsCutOffIsAFailureAndNotBegunAgain) {
    console(1, "2026-01-01T00:00:00Z one\n2026-01-01T00:00:01Z tw", "connection reset");
    const Error error = failure_of({.source = "console"});
    EXPECT_EQ(error.code(), ExitCode::unreachable);
    EXPECT_THAT(error.message(), HasSubstr("connection reset"));
    EXPECT_THAT(error.trail(), ElementsAre(HasSubstr("reading the console of pod/hermes-1-a")));
    EXPECT_THAT(lines_, ElementsAre("one", "tw")) << "once";
}

TEST_F(Logs, AConsoleThatHangsEndsAndOneThatIsFollowedMayRest) {
    const auto serve = transport_.serve;
    transport_.serve = [&](net::Transport::Ticket ticket, const net::Request& request) {
        if (request.target.find("/log?") == std::string::npos) return serve(ticket, request);
        transport_.chunk(ticket, "2026-01-01T00:00:00Z one\n2026-01-01T00:00:01Z tw");
        transport_.after(std::chrono::minutes{10}, [&, ticket] { transport_.chunk(ticket, "o\n"); });
    };
    const Error error = failure_of({.source = "console"});
    EXPECT_THAT(error.message(), HasSubstr("the API server did not answer"));
    EXPECT_THAT(error.trail(), ElementsAre(HasSubstr("reading the console of pod/hermes-1-a")));
    EXPECT_THAT(lines_, ElementsAre("one", "tw"));
    EXPECT_EQ(clock_.elapsed(), std::chrono::minutes{1});
    lines_.clear();
    read({.source = "console", .follow = true}, 2);
    EXPECT_THAT(lines_, ElementsAre("one", "two"));
}

TEST_F(Logs, AConsoleThatIsFollowedGoesOnAfterACut) {
    console(1, "2026-01-01T00:00:00Z one\n2026-01-01T00:00:01Z tw", "connection reset");
    api_.logs["hermes-1-a"] = "2026-01-01T00:00:00Z one\n2026-01-01T00:00:01Z two\n";
    read({.source = "console", .follow = true}, 2);
    EXPECT_THAT(lines_, ElementsAre("one", "two"));
}

/// What is no line's beginning has no time, and must not become the place from which the console goes on.
TEST_F(Logs, AConsoleThatIsFollowedKeepsItsPlaceInALineThatComesInPieces) {
    const std::vector<std::string> long_line{"2026-01-01T00:00:00Z " + std::string(1u << 20, 'x'),
                                             "2999-01-01T00:00:00Z end\n"};
    std::vector<std::string> asked;
    transport_.serve = [&, api = transport_.serve](net::Transport::Ticket ticket,
                                                   const net::Request& request) {
        if (request.target.find("/log?") == std::string::npos) return api(ticket, request);
        asked.push_back(request.target);
        for (const std::string& piece : long_line)
            transport_.chunk(ticket, piece);
        transport_.chunk(ticket, "2026-01-01T00:00:01Z two\n");
        if (asked.size() > 1) transport_.chunk(ticket, "the kubelet complains\n2026-01-01T00:00:02Z three\n");
        transport_.finish(ticket, hermesctl::testing::answer(200, ""));
    };
    read({.source = "console", .follow = true}, 5);
    ASSERT_EQ(asked.size(), 2u);
    EXPECT_THAT(asked[1], HasSubstr("sinceTime=2026-01-01T00%3A00%3A01Z"));
    ASSERT_EQ(lines_.size(), 5u);
    lines_.erase(lines_.begin());
    EXPECT_THAT(lines_, ElementsAre("2999-01-01T00:00:00Z end", "two", "the kubelet complains", "three"));
}

TEST_F(Logs, AScriptThatCannotRunEndsTheFollowing) {
    api_.on_exec = [](FakeProcess& process) {
        process.err("env: no python3\n");
        process.exit(127);
    };
    const Error error = failure_of({.follow = true});
    EXPECT_EQ(error.code(), ExitCode::failed);
    EXPECT_THAT(error.message(), HasSubstr("exit code 127: env: no python3"));
}

TEST_F(Logs, WhatNeverSaysAWordEndsTheFollowingToo) {
    int tries = 0;
    api_.on_exec = [&](FakeProcess& process) {
        ++tries;
        process.wire->incoming.push_back(std::string(1, 3) +
                                         R"({"status":"Failure","message":"no such file or directory"})");
        process.wire->ended = true;
    };
    EXPECT_THAT(failure_of({.follow = true}).message(), HasSubstr("no such file or directory"));
    EXPECT_EQ(tries, 5);
    EXPECT_FALSE(reporter_.events.empty()) << "each try is told";
}

TEST_F(Logs, FollowingGoesOnWhereItsConnectionWasLost) {
    std::vector<std::string> places;
    api_.on_exec = [&](FakeProcess& process) {
        places.push_back(process.argv.back());
        if (places.size() > 1) return process.out("b\n");
        process.out("a\n" + mark);
        process.lose("reset");
    };
    read({.follow = true}, 2);
    EXPECT_THAT(lines_, ElementsAre("a", "b"));
    EXPECT_THAT(places, ElementsAre("-", "12:2"));
}

TEST_F(Logs, FollowingGoesOnAfterAnOrderlyEndAndAfterTheContainersEnd) {
    int tries = 0;
    api_.on_exec = [&](FakeProcess& process) {
        if (++tries == 3) return process.out("b\n");
        process.exit(tries == 1 ? 0 : 137);
    };
    read({.follow = true}, 1);
    EXPECT_EQ(tries, 3);
}

TEST_F(Logs, ALogThatIsNotThereSaysWhereElseToLook) {
    api_.on_exec = [](FakeProcess& process) { process.exit(3); };
    const Error error = failure_of({.source = "errors"});
    EXPECT_THAT(error.message(), HasSubstr("has no errors.log yet"));
    EXPECT_EQ(error.hint(), "hermesctl logs --source console");
}

}  // namespace
}  // namespace hermesctl::hermes
