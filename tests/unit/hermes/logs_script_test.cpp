// manifests/logs.py against made-up logs: rotation, restarts, and what the agent may have put in their place.
#include "hermesctl/base/process.hpp"
#include "support/command.hpp"
#include "support/scratch.hpp"

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using hermesctl::testing::Command;
using hermesctl::testing::Finished;
using ::testing::HasSubstr;
using ::testing::Not;

/// Without the lines that say where the next reading begins.
std::string without_marks(const std::string& out) {
    std::string text;
    for (std::size_t at = 0; at < out.size();) {
        const std::size_t end = std::min(out.find('\n', at), out.size() - 1);
        if (out[at] != '\0') text += out.substr(at, end + 1 - at);
        at = end + 1;
    }
    return text;
}

class LogScript : public ::testing::Test {
  protected:
    LogScript() { fs::create_directories(logs_); }

    static std::vector<std::string> command(const std::string& root, bool follow, int lines, bool boot,
                                            const std::string& place) {
        return {"/usr/bin/python3",
                "-I",
                "-S",
                SOURCE_DIR "/manifests/logs.py",
                "gateway",
                follow ? "1" : "0",
                std::to_string(lines),
                boot ? "1" : "0",
                place,
                root};
    }
    Finished read(int lines = -1, bool boot = false, const std::string& place = "-") {
        return hermesctl::testing::finished(command(scratch_.path(), false, lines, boot, place));
    }
    void write(const std::string& name, const std::string& text) {
        scratch_.write("opt/data/logs/" + name, text);
    }
    void append(const std::string& text) { std::ofstream(log_, std::ios::app) << text; }
    void rotate() { fs::rename(log_, logs_ / "gateway.log.1"); }

    /// As the log writes times; of one moment, however long the test takes.
    std::string time_text(int seconds_ago) const {
        const std::time_t moment = now_ - seconds_ago;
        char text[40];
        std::tm parts{};
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r(&moment, &parts));
        return text;
    }
    /// A gateway that lives since then.
    void gateway(int seconds_ago) {
        timespec now{};
        clock_gettime(CLOCK_BOOTTIME, &now);
        const long ticks = (now.tv_sec - seconds_ago) * sysconf(_SC_CLK_TCK);
        scratch_.write("proc/42/stat",
                       fmt::format("42 (python) S 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 {} 0 0\n", ticks));
        scratch_.write("opt/data/gateway_state.json", fmt::format(R"({{"pid":42,"start_time":{}}})", ticks));
    }

    hermesctl::testing::Scratch scratch_{};
    fs::path logs_ = scratch_.path("opt/data/logs");
    fs::path log_ = logs_ / "gateway.log";
    std::time_t now_ = std::time(nullptr);
};

TEST_F(LogScript, LinesGoBackAcrossRotation) {
    write("gateway.log.2", "a\n");
    write("gateway.log.1", "b\nc\n");
    write("gateway.log", "d\ne\n");
    EXPECT_EQ(read().out, "a\nb\nc\nd\ne\n");
    EXPECT_EQ(read(3).out, "c\nd\ne\n");
    EXPECT_EQ(read(0).out, "");
    EXPECT_EQ(read(100).out, "a\nb\nc\nd\ne\n");
}

TEST_F(LogScript, NoLogIsItsOwnExitCode) {
    EXPECT_EQ(read().code, 3);
    write("gateway.log", "");
    EXPECT_EQ(read().code, 0);
}

TEST_F(LogScript, SinceBootIsWhatTheLiveProcessWrote) {
    write("gateway.log.1", time_text(900) + " INFO Starting Hermes Gateway...\n" + time_text(800) + " old\n");
    write("gateway.log", time_text(700) + " old\n" + time_text(50) + " INFO Starting Hermes Gateway...\n" +
                             time_text(40) + " new\n");
    gateway(60);
    EXPECT_EQ(read(-1, true).out,
              time_text(50) + " INFO Starting Hermes Gateway...\n" + time_text(40) + " new\n");
    gateway(10);  // restarted, and has written nothing yet
    EXPECT_EQ(read(-1, true).out, "");
    write("gateway.log", time_text(700) + " since then\n");
    gateway(1000);  // its start was rotated away
    EXPECT_THAT(read(-1, true).out, HasSubstr(time_text(900) + " INFO Starting"));
    EXPECT_THAT(read(-1, true).out, HasSubstr("since then"));
}

TEST_F(LogScript, GoesOnWhereAnEarlierReadingEnded) {
    write("gateway.log", "a\nb\n");
    struct stat info {};
    ASSERT_EQ(::stat(log_.c_str(), &info), 0);
    const std::string place = fmt::format("{}:2", info.st_ino);
    EXPECT_EQ(read(0, false, place).out, "b\n");
    rotate();
    write("gateway.log", "c\n");
    EXPECT_EQ(read(0, false, place).out, "b\nc\n");
}

TEST_F(LogScript, ALinkOrAPipeThatTheAgentPlantedIsNoLog) {
    scratch_.write("secret", "not a log\n");
    fs::create_symlink(scratch_.path("secret"), log_);
    EXPECT_EQ(read().code, 3);
    EXPECT_THAT(read().out, Not(HasSubstr("not a log")));
    fs::remove(log_);
    ASSERT_EQ(::mkfifo(log_.c_str(), 0600), 0);
    EXPECT_EQ(read().code, 3);
}

/// A reading that follows; it ends with its input.
class Following : public LogScript {
  protected:
    Following() {
        const std::string pipe = scratch_.path("input");
        EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
        input_ = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
    }
    ~Following() override { end(); }

    void start() {
        auto argv = command(scratch_.path(), true, -1, false, "-");
        argv.insert(argv.begin(), {"/bin/sh", "-c", "exec \"$@\" < " + scratch_.path("input"), "sh"});
        reader_ = std::make_unique<Command>(argv);
    }
    void end() {
        if (input_ >= 0) ::close(std::exchange(input_, -1));
    }
    /// True once exactly this was shown.
    bool shows(const std::string& text) {
        for (int i = 0; i < 100 && without_marks(reader_->out()) != text; ++i) {
            std::this_thread::sleep_for(50ms);
        }
        EXPECT_EQ(without_marks(reader_->out()), text) << reader_->err();
        return without_marks(reader_->out()) == text;
    }

    int input_ = -1;
    std::unique_ptr<Command> reader_{};
};

TEST_F(Following, WholeLinesAcrossARotation) {
    write("gateway.log", "a\n");
    start();
    ASSERT_TRUE(shows("a\n"));
    append("b\nhal");
    ASSERT_TRUE(shows("a\nb\n"));
    append("f\nc\n");
    rotate();
    write("gateway.log", "d\n");
    ASSERT_TRUE(shows("a\nb\nhalf\nc\nd\n"));
    end();
    EXPECT_EQ(reader_->wait(), 0);
}

TEST_F(Following, ALogThatComesLaterAndOneThatIsEmptied) {
    start();
    write("gateway.log", "first line\n");
    ASSERT_TRUE(shows("first line\n"));
    fs::resize_file(log_, 0);
    std::this_thread::sleep_for(600ms);
    append("second\n");
    EXPECT_TRUE(shows("first line\nsecond\n"));
}

}  // namespace
}  // namespace hermesctl::hermes
