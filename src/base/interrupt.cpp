#include "hermesctl/base/interrupt.hpp"

#include "hermesctl/base/error.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace hermesctl {
namespace {

volatile sig_atomic_t interrupt_flag = 0;
volatile sig_atomic_t window_flag = 0;
volatile sig_atomic_t hung_up = 0;
std::array<int, 2> wake_pipe{-1, -1};

void on_interrupt(int) {
    const int saved = errno;
    interrupt_flag = 1;
    const char byte = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_pipe[1], &byte, 1);
    errno = saved;
}

/// A terminal that is gone is told more than once, by the shell and by the kernel: that is no second Ctrl-C.
void on_hang_up(int signal) {
    if (hung_up == 0) on_interrupt(signal);
    hung_up = 1;
}

void on_window_change(int) {
    window_flag = 1;
}

void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, nullptr);
}

/// As nohup has it, or a script's `&`.
bool ignored(int signal) {
    struct sigaction action {};
    return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void catch_interrupts() {
    if (wake_pipe[0] == -1 && ::pipe2(wake_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        throw Error(ExitCode::failed, "no descriptors left for a pipe");
    }
    // SA_RESETHAND: the second one gets the default action, so nobody is ever stuck.
    handle(SIGINT, on_interrupt, static_cast<int>(SA_RESETHAND));
    handle(SIGTERM, on_interrupt, static_cast<int>(SA_RESETHAND));
    if (!ignored(SIGQUIT)) handle(SIGQUIT, on_interrupt, static_cast<int>(SA_RESETHAND));
    hung_up = 0;
    if (!ignored(SIGHUP)) handle(SIGHUP, on_hang_up, 0);
    handle(SIGWINCH, on_window_change, SA_RESTART);
    handle(SIGPIPE, SIG_IGN, 0);
    handle(SIGCHLD, SIG_DFL, 0);  // whoever ignores it, and bequeaths that, is told of no child's end
}

bool interrupted() noexcept {
    return interrupt_flag != 0;
}

int interrupt_fd() noexcept {
    return wake_pipe[0];
}

void throw_if_interrupted() {
    if (interrupt_flag == 0) return;
    interrupt_flag = 0;
    std::array<char, 16> bytes{};
    while (::read(wake_pipe[0], bytes.data(), bytes.size()) > 0) {
    }
    throw Error(ExitCode::interrupted, "interrupted",
                "run the command again: it takes things up as they are");
}

bool take_window_change() noexcept {
    const bool changed = window_flag != 0;
    window_flag = 0;
    return changed;
}

}  // namespace hermesctl
