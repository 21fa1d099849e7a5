// How a deployment looks while it goes on: widths, with and without colour, at four moments.
#include "hermesctl/term/board.hpp"

#include "hermesctl/term/table.hpp"
#include "support/golden.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hermesctl::term {
namespace {

using namespace std::chrono_literals;
using hermesctl::testing::expect_golden;

struct Moment {
    Board board{};
    Clock::Time now{};
};

const std::string pulling = "pulling docker.io/nousresearch/hermes-agent:latest (2.4 GB)";

Moment start() {
    Moment moment{.board = {}, .now = Clock::Time{} + 400ms};
    moment.board.on({"apply", "namespace/hermes", State::unchanged, ""}, moment.now);
    moment.board.on({"apply", "secret/hermes-secrets", State::done, "created"}, moment.now);
    moment.board.on({"apply", "deployment/hermes", State::waiting, ""}, moment.now);
    return moment;
}

Moment middle() {
    Moment moment = start();
    moment.board.on({"wait", "pod/hermes-5d8f", State::waiting, pulling}, moment.now);
    moment.board.on({"wait", "telegram", State::waiting, "日本語 caf\u00E9"}, moment.now);
    moment.now += 83s;
    moment.board.on({"apply", "deployment/hermes", State::done, "configured"}, Clock::Time{} + 1900ms);
    return moment;
}

Moment failed() {
    Moment moment = middle();
    moment.board.on({"wait", "pod/hermes-5d8f", State::warning, "restarted twice"}, moment.now);
    moment.board.on({"wait", "telegram", State::failed, "the bot token was rejected (401)"}, moment.now);
    return moment;
}

Moment done() {
    Moment moment = middle();
    moment.board.on({"wait", "pod/hermes-5d8f", State::done, "runs"}, moment.now);
    moment.board.on({"wait", "telegram", State::done, "connected as @hermes_bot"}, moment.now);
    moment.board.on({"check", "cage", State::info, "not checked"}, moment.now);
    return moment;
}

/// All moments at one width and style, as one file: what has scrolled up, then what is live.
std::string film(int width, Style style) {
    std::string out;
    for (const auto& [name, moment] : std::vector<std::pair<std::string, Moment>>{
             {"start", start()}, {"middle", middle()}, {"failed", failed()}, {"done", done()}}) {
        Board board = moment.board;
        const std::string finished = board.take_finished(width, style);
        out += fmt::format("== {}\n{}-- live\n{}", name, finished, board.draw(width, moment.now, style));
    }
    return out;
}

TEST(BoardGolden, Unicode) {
    for (const int width : {40, 80, 200}) {
        expect_golden(fmt::format("board/{}.txt", width), film(width, {false, true}));
        expect_golden(fmt::format("board/{}-colour.txt", width), film(width, {true, true}));
    }
}

TEST(BoardGolden, Ascii) {
    expect_golden("board/40-ascii.txt", film(40, {false, false}));
    expect_golden("board/80-ascii.txt", film(80, {false, false}));
}

/// Rows that have scrolled up are never drawn again: what they say is there as a whole.
TEST(BoardGolden, ALongWarningIsWhole) {
    std::string all;
    for (const int width : {40, 80, 200}) {
        Board board;
        board.on({"apply", "deployment/hermes", State::done, "configured"}, {});
        board.on({"plan", "pod security", State::warning,
                  "nothing in this namespace enforces the baseline; kubectl label namespace hermes "
                  "pod-security.kubernetes.io/enforce=baseline does (with --dry-run=server it says what that "
                  "would mean for the pods in it)"},
                 {});
        board.on({"wait", "pod/hermes-5d8f", State::waiting, pulling}, {});
        all += fmt::format("== {}\n{}-- live\n{}", width, board.take_finished(width, {false, true}),
                           board.draw(width, {}, {false, true}));
    }
    expect_golden("board/warning.txt", all);
}

TEST(TableGolden, Instances) {
    const std::vector<std::string> header{"NAMESPACE", "NAME", "STATE", "IMAGE"};
    const std::vector<std::vector<std::string>> rows{
        {"hermes", "hermes", "ready", "docker.io/nousresearch/hermes-agent:latest"},
        {"work", "日本", "not ready", "registry.example/agent@sha256:0123456789abcdef"}};
    expect_golden("table.txt", table(header, rows));
}

}  // namespace
}  // namespace hermesctl::term
