#include "support/terminal_session.hpp"

#include <array>
#include <cstdlib>

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

namespace hermesctl::testing {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

winsize size_of(int columns, int rows) {
    winsize size{};
    size.ws_col = static_cast<unsigned short>(columns);
    size.ws_row = static_cast<unsigned short>(rows);
    return size;
}

}  // namespace

TerminalSession::TerminalSession(std::vector<std::string> argv, int columns, int rows) {
    const winsize size = size_of(columns, rows);
    if (::openpty(&fd_, &line_, nullptr, nullptr, &size) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::close(fd_);
    ::login_tty(line_);
    ::setenv("TERM", "xterm-256color", 1);
    ::signal(SIGHUP, SIG_DFL);  // nohup may have started the test
    std::vector<char*> words;
    for (std::string& word : argv) {
        words.push_back(word.data());
    }
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    ::_exit(127);
}

TerminalSession::~TerminalSession() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::close(fd_);
    ::close(line_);
}

bool TerminalSession::read(milliseconds at_most) {
    pollfd one{fd_, POLLIN, 0};
    if (::poll(&one, 1, static_cast<int>(at_most.count())) <= 0) return true;
    std::array<char, 65536> block{};
    const ssize_t count = ::read(fd_, block.data(), block.size());
    if (count <= 0) return false;
    screen_.append(block.data(), static_cast<std::size_t>(count));
    return true;
}

bool TerminalSession::wait_for(std::string_view text, std::chrono::seconds limit) {
    const auto end = steady_clock::now() + limit;
    while (true) {
        if (const std::size_t found = screen_.find(text, seen_); found != std::string::npos) {
            seen_ = found + text.size();
            return true;
        }
        if (steady_clock::now() > end || !read(milliseconds{50})) return false;
    }
}

void TerminalSession::type(std::string_view keys) {
    while (!keys.empty()) {
        const ssize_t count = ::write(fd_, keys.data(), keys.size());
        if (count <= 0) return;
        keys.remove_prefix(static_cast<std::size_t>(count));
    }
}

void TerminalSession::resize(int columns, int rows) {
    const winsize size = size_of(columns, rows);
    ::ioctl(fd_, TIOCSWINSZ, &size);  // the kernel tells the foreground program with SIGWINCH
}

void TerminalSession::close() {
    ::close(fd_);
    fd_ = -1;
}

bool TerminalSession::is_cooked() const {
    termios state{};
    return ::tcgetattr(line_, &state) == 0 &&
           (state.c_lflag & (ECHO | ICANON | ISIG)) == (ECHO | ICANON | ISIG);
}

int TerminalSession::wait(std::chrono::seconds limit) {
    const auto end = steady_clock::now() + limit;
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
        read(milliseconds{50});
        if (steady_clock::now() > end) return -1;
    }
    pid_ = 0;
    while (true) {
        const std::size_t before = screen_.size();
        if (!read(milliseconds{50}) || screen_.size() == before) break;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace hermesctl::testing
