#include "hermesctl/term/board.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/term/text.hpp"

#include <sstream>

#include <gmock/gmock.h>

namespace hermesctl::term {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Clock::Time start{};
constexpr Style ascii{false, false};

Event waiting(const std::string& subject, const std::string& why = {}) {
    return {"wait", subject, State::waiting, why};
}

TEST(Board, SaysHowLongAndWhy) {
    Board board;
    board.on(waiting("pod", "pulling the image"), start);
    EXPECT_EQ(board.draw(80, start + 72s, ascii), "| pod  1m12s  pulling the image\n");
}

TEST(Board, ReplacesARowAndKeepsItsStart) {
    Board board;
    board.on(waiting("pod", "scheduling"), start);
    board.on(waiting("pod", "starting"), start + 5s);
    EXPECT_EQ(board.draw(80, start + 9200ms, ascii), "| pod  9s  starting\n");
}

TEST(Board, KeepsEqualSubjectsOfDifferentPhasesApart) {
    Board board;
    board.on({"plan", "pod", State::waiting, "a"}, start);
    board.on({"wait", "pod", State::waiting, "b"}, start);
    EXPECT_EQ(board.draw(80, start, ascii), "| pod  a\n| pod  b\n");
}

TEST(Board, HandsOutFinishedRowsOnce) {
    Board board;
    board.on(waiting("pod"), start);
    board.on(waiting("image"), start);
    board.on({"wait", "pod", State::done, "runs"}, start + 3s);
    EXPECT_EQ(board.take_finished(80, ascii), "+ pod    3s  runs\n");
    EXPECT_EQ(board.take_finished(80, ascii), "");
    EXPECT_EQ(board.draw(80, start, ascii), "| image\n");
}

TEST(Board, NoLineIsWiderThanTheTerminal) {
    Board board;
    board.on(waiting("deployment/a-name-that-is-rather-long-for-a-terminal", std::string(300, 'y')), start);
    board.on(waiting("日本語日本語日本語日本語", "日本語日本語日本語日本語日本語日本語"), start);
    for (const int width : {8, 20, 40, 41, 79, 80, 200}) {
        std::istringstream lines(board.draw(width, start + 2h, {false, true}));
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(columns(line), width) << line;
        }
    }
}

TEST(Board, GivesTheWhyALineOfItsOwnOnNarrowTerminals) {
    Board board;
    board.on(waiting("deployment/hermes", "the image is being pulled"), start);
    EXPECT_EQ(board.draw(40, start + 4s, ascii), "| deployment/hermes  4s\n    the image is being pulled\n");
}

/// They scroll up and are never drawn again; and a command in one is copied as one line.
TEST(Board, FinishedRowsAreWhole) {
    const std::string why = "the key is refused; hermesctl rotate-secret MINIMAX_API_KEY sets a new one";
    const std::string file = "projects/2026/quarterly reports/a rather long name of a link.md";
    for (const int width : {8, 40, 80}) {
        Board board;
        board.on({"wait", "model", State::warning, why}, start);
        board.on({"cp", file, State::warning, "left out"}, start);
        const std::string said = board.take_finished(width, ascii);
        EXPECT_THAT(said, HasSubstr("  " + why + "\n")) << width;
        EXPECT_THAT(said, HasSubstr("! " + file + "  left out\n")) << width;
    }
}

TEST(Board, ShowsNoSecretsAndNoEscapes) {
    remember_secret("hunter2-hunter2");
    Board board;
    board.on(waiting("pod", "key hunter2-hunter2 \x1b[2J"), start);
    EXPECT_THAT(board.draw(200, start, ascii), Not(HasSubstr("hunter2")));
    EXPECT_THAT(board.draw(200, start, ascii), Not(HasSubstr("\x1b")));
}

TEST(PlainLine, IsAWordASubjectAndAReason) {
    EXPECT_EQ(plain_line({"apply", "deployment/hermes", State::done, "applied"}, ascii),
              "done  deployment/hermes  applied\n");
    EXPECT_EQ(plain_line({"", "image", State::failed, ""}, ascii), "fail  image\n");
    EXPECT_THAT(plain_line({"", "image", State::failed, ""}, {true, true}), HasSubstr("\x1b[31mfail\x1b[0m"));
}

}  // namespace
}  // namespace hermesctl::term
