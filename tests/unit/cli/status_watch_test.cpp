// status --watch: what is new, whatever becomes of the server meanwhile.
#include "answers_world.hpp"
#include "hermesctl/base/interrupt.hpp"

#include <algorithm>
#include <csignal>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(AnswersTest, WatchingTellsEachStateOnceUntilAnInterrupt) {
    catch_interrupts();
    int looks = 0;
    api().on_exec = [&](hermesctl::testing::FakeProcess& process) {
        ++looks;
        if (looks == 3) facts_["telegram"] = "retrying", facts_["ready"] = false;
        if (looks == 5) ::raise(SIGINT);
        answer(process);
    };
    EXPECT_EQ(run({"status", "--watch"}), ExitCode::interrupted) << err();
    EXPECT_EQ(looks, 5);
    const std::string said = out();
    const std::size_t first = said.find("Telegram is connected; ");
    const std::size_t second = said.find("it does not answer");
    EXPECT_EQ(first, 0U) << said;
    EXPECT_EQ(said.rfind("Telegram is connected; "), first) << said;
    EXPECT_NE(second, std::string::npos) << said;
    EXPECT_EQ(said.rfind("it does not answer"), second) << said;
    EXPECT_EQ(err(), "") << "to end it so is no error";
}

TEST_F(AnswersTest, WatchingHasNoTimeout) {
    catch_interrupts();
    api().on_exec = [this](hermesctl::testing::FakeProcess& process) {
        ::raise(SIGINT);  // or a watch would have no end
        answer(process);
    };
    EXPECT_EQ(run({"status", "--watch", "--timeout", "5m"}), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr("has no --timeout"), HasSubstr("hermesctl wait --timeout")));
}

TEST_F(AnswersTest, WatchingTellsOnceThatTheServerIsAwayAndGoesOn) {
    catch_interrupts();
    int looks = 0;
    api().on_exec = [&](hermesctl::testing::FakeProcess& process) {
        if (++looks == 2) ::raise(SIGINT);
        answer(process);
        if (looks != 1) return;
        api().down = true;
        world_.transport.after(30s, [this] { api().down = false; });
    };
    EXPECT_EQ(run({"status", "--watch"}), ExitCode::interrupted) << err();
    EXPECT_EQ(looks, 2);
    EXPECT_EQ(err(), "warn  server  cannot reach the API server: connection refused\n");
}

/// Until its caches are filled.
TEST_F(AnswersTest, WatchingBearsWithAServerThatHasJustStartedForAWhile) {
    const auto serve = world_.transport.serve;
    std::optional<int> says;
    world_.transport.serve = [&](net::Transport::Ticket ticket, const net::Request& request) {
        if (!says) return serve(ticket, request);
        world_.transport.finish(ticket, hermesctl::testing::refusal(*says, "Odd", "not yet"));
    };
    for (const int code : {401, 403, 404}) {
        catch_interrupts();
        int looks = 0;
        api().on_exec = [&](hermesctl::testing::FakeProcess& process) {
            answer(process);
            if (++looks == 2) return void(::raise(SIGINT));
            says = code;
            world_.transport.after(25s, [&] { says.reset(); });
        };
        EXPECT_EQ(run({"status", "--watch"}), ExitCode::interrupted) << code << err();
        EXPECT_EQ(looks, 2);
        EXPECT_EQ(std::ranges::count(err(), '\n'), 1) << err();
        catch_interrupts();  // and forget the one that came
        says.reset();
        api().on_exec = [&](hermesctl::testing::FakeProcess& process) {
            answer(process);
            says = code;
        };
        const auto begun = world_.clock.elapsed();
        EXPECT_NE(run({"status", "--watch"}), ExitCode::interrupted) << "it stays so";
        EXPECT_GE(world_.clock.elapsed() - begun, 30s);
        EXPECT_LE(world_.clock.elapsed() - begun, 40s);
        EXPECT_NE(run({"status", "--watch"}), ExitCode::interrupted) << "it was so from the start";
        says.reset();
    }
}

}  // namespace
}  // namespace hermesctl::cli
