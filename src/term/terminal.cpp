#include "hermesctl/term/terminal.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/term/text.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace hermesctl::term {
namespace {

bool speaks_unicode(const Environment& environment) {
    // The Linux console has 512 glyphs; check marks are not among them.
    if (value_of(environment, "TERM") == "linux") return false;
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string locale = lower(value_of(environment, name));
        if (locale.empty()) continue;
        return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
    }
    return false;
}

/// A descriptor that is closed again, unless it is one of the standard ones.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ > STDERR_FILENO) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

  private:
    int fd_;
};

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // a question that cannot be shown is answered by the end of input
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

/// No echo, and no Ctrl-Z or Ctrl-\ that would leave the terminal so.
class NoEcho {
  public:
    explicit NoEcho(int fd) : fd_(fd), active_(::tcgetattr(fd, &before_) == 0) {
        if (!active_) return;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
        quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
        quiet.c_cc[VQUIT] = _POSIX_VDISABLE;
        ::tcsetattr(fd_, TCSAFLUSH, &quiet);
    }
    ~NoEcho() {
        if (active_) ::tcsetattr(fd_, TCSADRAIN, &before_);
    }
    NoEcho(const NoEcho&) = delete;
    NoEcho& operator=(const NoEcho&) = delete;

  private:
    int fd_;
    termios before_{};
    bool active_;
};

/// One line without its newline; byte by byte, so that what follows it stays for others.
std::string read_answer(int fd) {
    std::string line;
    while (true) {
        std::array<pollfd, 2> waiting{pollfd{fd, POLLIN, 0}, pollfd{interrupt_fd(), POLLIN, 0}};
        const int ready = ::poll(waiting.data(), waiting.size(), -1);
        throw_if_interrupted();
        if (ready < 0) continue;
        char byte = 0;
        const ssize_t count = ::read(fd, &byte, 1);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count == 1 && byte == '\n') return line;
        if (count != 1) {
            if (!line.empty()) return line;
            throw Error(ExitCode::failed, "the input ended before there was an answer");
        }
        line += byte;
    }
}

std::string ask(const std::string& question, bool echo) {
    const Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    const int from = terminal.get() < 0 ? STDIN_FILENO : terminal.get();
    const int to = terminal.get() < 0 ? STDERR_FILENO : terminal.get();
    const std::string shown = printable(question) + " ";
    if (echo) {
        write_all(to, shown);
        return read_answer(from);
    }
    const NoEcho guard(from);
    write_all(to, shown);
    try {
        std::string answer = read_answer(from);
        write_all(to, "\n");
        return answer;
    } catch (const Error&) {
        write_all(to, "\n");
        throw;
    }
}

}  // namespace

Terminal detect(const Environment& environment, bool no_colour) {
    const std::string kind = value_of(environment, "TERM");
    const bool capable = !kind.empty() && kind != "dumb";
    const std::string force = value_of(environment, "CLICOLOR_FORCE");
    const bool never = no_colour || !value_of(environment, "NO_COLOR").empty();
    const bool always = !force.empty() && force != "0";
    Terminal terminal;
    terminal.input = ::isatty(STDIN_FILENO) == 1;
    terminal.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
    terminal.live = ::isatty(STDERR_FILENO) == 1 && capable;
    terminal.colour = !never && (always || terminal.live);
    terminal.out_colour = !never && (always || (terminal.out_is_terminal && capable));
    terminal.unicode = speaks_unicode(environment);
    const Size size = size_now();
    terminal.width = size.columns;
    terminal.rows = size.rows;
    return terminal;
}

Size size_now() {
    for (const int fd : {STDERR_FILENO, STDOUT_FILENO, STDIN_FILENO}) {
        winsize size{};
        if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
            return {size.ws_col, size.ws_row};
        }
    }
    return {};
}

std::string paint(std::string_view text, Colour colour) {
    constexpr std::array codes{31, 32, 33, 36, 2};
    return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<std::size_t>(colour)], text);
}

std::string erase_up(int lines) {
    return lines > 0 ? fmt::format("\r\x1b[{}A\x1b[J", lines) : "\r\x1b[J";
}

std::string ask_secret(const std::string& question) {
    return ask(question, false);
}
std::string ask_line(const std::string& question) {
    return ask(question, true);
}
bool ask_yes(const std::string& question) {
    const std::string answer = ask(question + " [y/N]", true);
    return answer == "y" || answer == "Y" || answer == "yes" || answer == "Yes";
}

struct RawMode::Saved {
    termios mode{};
};

RawMode::RawMode() {
    auto saved = std::make_unique<Saved>();
    if (::tcgetattr(STDIN_FILENO, &saved->mode) != 0) return;
    termios raw = saved->mode;
    ::cfmakeraw(&raw);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    saved_ = std::move(saved);
}

RawMode::~RawMode() {
    if (saved_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_->mode);
}

}  // namespace hermesctl::term
