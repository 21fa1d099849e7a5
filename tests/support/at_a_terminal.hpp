// A piece of a test on a terminal of its own: what it prints, what is typed.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hermesctl::testing {

struct Seen {
    int code = -1;
    std::string screen{};
};

/// Questions, and what is typed as each of them, in this order, has come onto the screen.
using Dialogue = std::vector<std::pair<std::string, std::string>>;

/// Runs it in a child, to its exit code. One that waits for more than is typed is ended by an alarm.
inline Seen at_a_terminal(const std::function<int()>& run, const Dialogue& dialogue) {
    Seen seen;
    int master = -1;
    const pid_t child = ::forkpty(&master, nullptr, nullptr, nullptr);
    if (child == 0) {
        ::alarm(30);
        ::_exit(run());
    }
    char one = 0;
    auto next = dialogue.begin();
    while (::read(master, &one, 1) == 1) {  // until the child has ended
        seen.screen += one;
        if (next == dialogue.end() || !seen.screen.ends_with(next->first)) continue;
        const std::string& keys = next->second;
        if (::write(master, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size())) ++next;
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    ::close(master);
    if (WIFEXITED(status)) seen.code = WEXITSTATUS(status);
    return seen;
}

}  // namespace hermesctl::testing
