// On a real pseudo-terminal: what is detected, that secrets are not echoed, that its mode comes back.
#include "hermesctl/term/terminal.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/interrupt.hpp"

#include <csignal>
#include <functional>
#include <iostream>

#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace hermesctl::term {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A child on a terminal of its own. Its exit code tells what it found.
class OnTerminal {
  public:
    explicit OnTerminal(const std::function<int()>& work) {
        winsize size{33, 77, 0, 0};
        child_ = ::forkpty(&master_, nullptr, nullptr, &size);
        if (child_ != 0) return;
        int code = 99;
        try {
            code = work();
        } catch (const Error& e) {
            code = static_cast<int>(e.code());
        }
        ::_exit(code);
    }
    ~OnTerminal() { ::close(master_); }
    OnTerminal(const OnTerminal&) = delete;
    OnTerminal& operator=(const OnTerminal&) = delete;

    void type(std::string_view text) const {
        ASSERT_EQ(::write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }
    /// Reads on until this was seen; all that was seen so far.
    const std::string& see(std::string_view what) {
        while (seen_.find(what) == std::string::npos && read_some()) {
        }
        return seen_;
    }
    /// The child's exit code; the rest of its output is in seen() then.
    int end() {
        while (read_some()) {
        }
        int status = 0;
        ::waitpid(child_, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    const std::string& seen() const { return seen_; }
    void kill(int number) const { ::kill(child_, number); }

  private:
    bool read_some() {
        pollfd waiting{master_, POLLIN, 0};
        char buffer[512];
        if (::poll(&waiting, 1, 10'000) != 1) return false;
        const ssize_t count = ::read(master_, buffer, sizeof buffer);
        if (count <= 0) return false;
        seen_.append(buffer, static_cast<std::size_t>(count));
        return true;
    }

    int master_ = -1;
    pid_t child_ = -1;
    std::string seen_{};
};

termios mode_now() {
    termios mode{};
    ::tcgetattr(STDIN_FILENO, &mode);
    return mode;
}
bool same(const termios& a, const termios& b) {
    return a.c_lflag == b.c_lflag && a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag &&
           a.c_cc[VSUSP] == b.c_cc[VSUSP] && a.c_cc[VQUIT] == b.c_cc[VQUIT];
}

constexpr int mode_changed = 77;
constexpr int wrong_answer = 78;

/// Asks for a secret; 0 when it was "s3cret". The mode must be the same before and after.
int ask_and_compare() {
    catch_interrupts();
    const termios before = mode_now();
    int code = wrong_answer;
    try {
        if (ask_secret("Bot token:") == "s3cret") code = 0;
    } catch (const Error& e) {
        code = static_cast<int>(e.code());
    }
    return same(before, mode_now()) ? code : mode_changed;
}

TEST(AskSecret, DoesNotEcho) {
    OnTerminal terminal(ask_and_compare);
    terminal.see("Bot token: ");
    terminal.type("s3cret\n");
    EXPECT_EQ(terminal.end(), 0);
    EXPECT_THAT(terminal.seen(), Not(HasSubstr("s3cret")));
}

TEST(AskSecret, RestoresTheTerminalAfterCtrlC) {
    OnTerminal terminal(ask_and_compare);
    terminal.see("Bot token: ");
    terminal.type("s3c\x03");
    EXPECT_EQ(terminal.end(), static_cast<int>(ExitCode::interrupted));
    EXPECT_THAT(terminal.seen(), Not(HasSubstr("s3c")));
}

TEST(AskSecret, RestoresTheTerminalWhenItIsEndedFromOutside) {
    for (const int number : {SIGTERM, SIGHUP, SIGQUIT}) {
        OnTerminal terminal([number] {
            ::signal(number, SIG_DFL);  // nohup may have started the test
            return ask_and_compare();
        });
        terminal.see("Bot token: ");
        terminal.kill(number);
        EXPECT_EQ(terminal.end(), static_cast<int>(ExitCode::interrupted)) << number;
    }
}

TEST(AskSecret, RestoresTheTerminalAtTheEndOfInput) {
    OnTerminal terminal(ask_and_compare);
    terminal.see("Bot token: ");
    terminal.type("\x04");
    EXPECT_EQ(terminal.end(), static_cast<int>(ExitCode::failed));
}

TEST(AskSecret, CannotBeSuspendedWithTheEchoOff) {
    OnTerminal terminal(ask_and_compare);
    terminal.see("Bot token: ");
    terminal.type("\x1a\x15s3cret\n");  // Ctrl-Z, Ctrl-U: the line is cleared again
    EXPECT_EQ(terminal.end(), 0);
}

TEST(AskSecret, CannotBeKilledWithTheEchoOff) {
    OnTerminal terminal([] {
        ::signal(SIGQUIT, SIG_DFL);  // a script's `&` may have started the test
        return ask_and_compare();
    });
    terminal.see("Bot token: ");
    terminal.type("\x1c\x15s3cret\n");  // Ctrl-\, Ctrl-U
    EXPECT_EQ(terminal.end(), 0);
}

TEST(AskSecret, LeavesWhatFollowsTheAnswerToTheNextQuestion) {
    OnTerminal terminal([] {
        if (ask_secret("Bot token:") != "s3cret") return wrong_answer;
        return ask_line("Name:") == "bob" ? 0 : wrong_answer;
    });
    terminal.see("Bot token: ");
    terminal.type("s3cret\nbob\n");
    EXPECT_EQ(terminal.end(), 0);
}

TEST(AskLine, Echoes) {
    OnTerminal terminal([] { return ask_line("Name:") == "bob" ? 0 : wrong_answer; });
    terminal.see("Name: ");
    terminal.type("bob\n");
    EXPECT_EQ(terminal.end(), 0);
    EXPECT_THAT(terminal.seen(), HasSubstr("bob"));
}

TEST(AskYes, TakesOnlyAYes) {
    for (const auto& [answer, code] : std::vector<std::pair<std::string, int>>{
             {"y\n", 0}, {"yes\n", 0}, {"\n", 1}, {"n\n", 1}, {"yep\n", 1}}) {
        OnTerminal terminal([] { return ask_yes("Go on?") ? 0 : 1; });
        terminal.see("Go on? [y/N] ");
        terminal.type(answer);
        EXPECT_EQ(terminal.end(), code) << answer;
    }
}

TEST(RawMode, EndsWithItsScopeAlsoWhenAnErrorPasses) {
    OnTerminal terminal([] {
        const termios before = mode_now();
        try {
            const RawMode raw;
            if (same(before, mode_now())) return wrong_answer;
            throw Error(ExitCode::failed, "lost");
        } catch (const Error&) {
            return same(before, mode_now()) ? 0 : mode_changed;
        }
    });
    EXPECT_EQ(terminal.end(), 0);
}

TEST(Detect, FindsTheTerminalAndItsSize) {
    OnTerminal terminal([] {
        const Terminal found = detect({{"TERM", "xterm"}, {"LANG", "en_US.UTF-8"}}, false);
        const bool good = found.input && found.live && found.out_is_terminal && found.colour &&
                          found.out_colour && found.unicode && found.width == 77 && found.rows == 33;
        return good ? 0 : wrong_answer;
    });
    EXPECT_EQ(terminal.end(), 0);
}

TEST(Detect, ADumbTerminalIsNotLiveAndHasNoColour) {
    OnTerminal terminal([] {
        const Terminal found = detect({{"TERM", "dumb"}}, false);
        return found.input && !found.live && !found.colour && !found.unicode ? 0 : wrong_answer;
    });
    EXPECT_EQ(terminal.end(), 0);
}

TEST(Detect, NoColorBeatsForceBeatsTheTerminal) {
    OnTerminal terminal([] {
        const std::map<std::string, std::string> tty{{"TERM", "xterm"}};
        auto with = [&](const std::string& name, const std::string& value) {
            auto environment = tty;
            environment[name] = value;
            return environment;
        };
        auto both = with("NO_COLOR", "1");
        both["CLICOLOR_FORCE"] = "1";
        const auto forced_on_a_dumb_one = [&](const std::string& value) {
            auto environment = with("CLICOLOR_FORCE", value);
            environment["TERM"] = "dumb";
            const Terminal found = detect(environment, false);
            return found.colour && found.out_colour;
        };
        const bool good = detect(tty, false).colour && !detect(tty, true).colour &&
                          !detect(with("NO_COLOR", "1"), false).colour &&
                          detect(with("NO_COLOR", ""), false).colour && !detect(both, false).colour &&
                          forced_on_a_dumb_one("1") && !forced_on_a_dumb_one("0");
        return good ? 0 : wrong_answer;
    });
    EXPECT_EQ(terminal.end(), 0);
    // CLICOLOR_FORCE counts where there is no terminal at all.
    EXPECT_TRUE(detect({{"CLICOLOR_FORCE", "1"}}, false).out_colour);
    EXPECT_FALSE(detect({{"CLICOLOR_FORCE", "1"}}, true).out_colour);
}

}  // namespace
}  // namespace hermesctl::term
