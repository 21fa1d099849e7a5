#include "hermesctl/term/reporters.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/term/text.hpp"
#include "support/fake_clock.hpp"

#include <sstream>

#include <gmock/gmock.h>

namespace hermesctl::term {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Terminal live{.input = true, .live = true, .out_is_terminal = true, .unicode = false, .width = 60};
constexpr Terminal none{.unicode = false};

class StoryTest : public ::testing::Test {
  protected:
    std::unique_ptr<Story> story(const Terminal& terminal, bool quiet = false) {
        return make_reporter(terminal, err_, clock_, quiet);
    }
    /// What was written since the last call.
    std::string take() {
        std::string text = err_.str();
        err_.str("");
        return text;
    }
    std::ostringstream err_{};
    hermesctl::testing::FakeClock clock_{};
};

Event waiting(const std::string& subject, const std::string& why = {}) {
    return {"wait", subject, State::waiting, why};
}

TEST_F(StoryTest, PlainSaysEachChangeOnce) {
    const auto plain = story(none);
    plain->on(waiting("pod", "scheduling"));
    plain->on(waiting("pod", "scheduling"));
    plain->on(waiting("pod", "pulling"));
    plain->on({"wait", "pod", State::done, ""});
    EXPECT_EQ(take(), "wait  pod  scheduling\nwait  pod  pulling\ndone  pod\n");
}

TEST_F(StoryTest, PlainSaysTheSameOfAnotherInstallation) {
    const auto plain = story(none);
    for (const char* name_space : {"namespace/a", "namespace/b"}) {
        plain->on({"open", name_space, State::info, ""});
        plain->on({"apply", "secret/hermes-secrets", State::done, "created"});
    }
    const std::string said = take();
    EXPECT_NE(said.find("secret/hermes-secrets"), said.rfind("secret/hermes-secrets"));
}

TEST_F(StoryTest, PlainSaysEveryHalfMinuteWhatStillWaits) {
    const auto plain = story(none);
    plain->on(waiting("pod", "pulling"));
    plain->on({"wait", "image", State::done, ""});
    take();
    clock_.advance(29s);
    plain->tick();
    EXPECT_EQ(take(), "");
    clock_.advance(1s);
    plain->tick();
    plain->tick();
    EXPECT_EQ(take(), "wait  pod  30s  pulling\n");
    clock_.advance(30s);
    plain->tick();
    EXPECT_EQ(take(), "wait  pod  1m00s  pulling\n");
}

TEST_F(StoryTest, QuietTellsOnlyWarningsAndFailures) {
    for (const Terminal& terminal : {none, live}) {
        const auto quiet = story(terminal, true);
        quiet->on(waiting("pod"));
        clock_.advance(60s);
        quiet->tick();
        quiet->on({"wait", "pod", State::done, ""});
        EXPECT_EQ(take(), "");
        quiet->on({"check", "cage", State::warning, "not enforced"});
        quiet->on({"check", "pod", State::failed, "crashed"});
        EXPECT_EQ(take(), "warn  cage  not enforced\nfail  pod  crashed\n");
    }
}

TEST_F(StoryTest, LiveDrawsOverItself) {
    const auto board = story(live);
    board->on(waiting("pod", "scheduling"));
    EXPECT_EQ(take(), "| pod  scheduling\n");
    clock_.advance(1s);
    board->tick();
    EXPECT_EQ(take(), erase_up(1) + "- pod  1s  scheduling\n");
}

TEST_F(StoryTest, LiveBreaksLongLinesOfAPlanBetweenWords) {
    Terminal narrow = live;
    narrow.width = 40;
    const std::string plan =
        "~ change  secret/hermes-secrets\n"
        "            TELEGRAM_ALLOWED_USERS: 111 -> 111, 222 and one more\n"
        "            it goes with hermesctl teardown --delete-data\n\n";
    story(narrow)->print_broken(plan);
    EXPECT_EQ(take(),
              "~ change  secret/hermes-secrets\n"
              "     TELEGRAM_ALLOWED_USERS: 111 ->\n"
              "       111, 222 and one more\n"
              "            it goes with hermesctl teardown --delete-data\n\n");
    story(none)->print_broken(plan);
    EXPECT_EQ(take(), plan);
    story(narrow)->print(plan);
    EXPECT_EQ(take(), plan) << "a line of -v, say";
}

TEST_F(StoryTest, LiveBreaksLinesOnATerminalOfOneColumn) {
    Terminal narrow = live;
    for (const int width : {1, 2, 3}) {
        narrow.width = width;
        story(narrow)->print_broken("  ab c\n");
        EXPECT_THAT(take(), HasSubstr("c\n")) << width;
    }
}

TEST_F(StoryTest, LiveIsNotDrawnMoreThanTenTimesASecond) {
    const auto board = story(live);
    board->on(waiting("pod", "1"));
    take();
    board->on(waiting("pod", "2"));
    clock_.advance(99ms);
    board->tick();
    EXPECT_EQ(take(), "");
    clock_.advance(1ms);
    board->tick();
    EXPECT_THAT(take(), HasSubstr("2"));
}

TEST_F(StoryTest, LiveScrollsUpWhatIsFinal) {
    const auto board = story(live);
    board->on(waiting("pod"));
    board->on(waiting("image"));
    take();
    board->on({"wait", "image", State::done, "pulled"});
    EXPECT_EQ(take(), erase_up(1) + "+ image  pulled\n| pod\n");
    clock_.advance(100ms);
    board->tick();
    EXPECT_EQ(take(), erase_up(1) + "/ pod\n");
}

TEST_F(StoryTest, LiveMakesRoomForOthers) {
    const auto board = story(live);
    board->on(waiting("pod"));
    take();
    board->print("a log line\n");
    EXPECT_EQ(take(), erase_up(1) + "a log line\n");
    board->hide();
    EXPECT_EQ(take(), "") << "nothing is live any more";
    board->tick();
    EXPECT_EQ(take(), "| pod\n");
    board->finish();
    EXPECT_EQ(take(), erase_up(1) + "| pod\n") << "the last picture stays";
    board->finish();
    clock_.advance(1s);
    board->tick();
    EXPECT_EQ(take(), "");
}

TEST_F(StoryTest, LiveErasesWrappedLinesAfterTheirWhy) {
    const auto board = story(live);
    board->on(waiting("deployment/hermes", "the node has too little memory for another pod"));
    take();
    board->hide();
    EXPECT_EQ(take(), erase_up(2));
}

TEST_F(StoryTest, LiveNeverGrowsAboveTheScreen) {
    Terminal low = live;
    low.rows = 4;
    const auto board = story(low);
    for (int i = 0; i < 9; ++i) {
        board->on(waiting("pod-" + std::to_string(i)));
    }
    take();
    clock_.advance(1s);
    board->tick();
    EXPECT_EQ(take(), erase_up(1) + "- pod-0  1s\n- pod-1  1s\n  and 7 more\n");
}

TEST_F(StoryTest, PrintScrubsAndKeepsEscapesOut) {
    remember_secret("hunter2-hunter2");
    for (const Terminal& terminal : {none, live}) {
        story(terminal)->print("token hunter2-hunter2\x1b[2J\nnext\n");
        EXPECT_EQ(take(), "token ***?[2J\nnext\n");
    }
}

}  // namespace
}  // namespace hermesctl::term
