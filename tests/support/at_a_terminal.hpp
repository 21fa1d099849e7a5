// A piece of a test on a terminal of its own: what it prints, what is typed.
#pragma once

#include <functional>
#include <string>

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hermesctl::testing {

struct Seen {
    int code = -1;
    std::string screen{};
};

/// Runs it in a child, to its exit code. Once `question` is on the screen, `keys` are typed.
inline Seen at_a_terminal(const std::function<int()>& run, const std::string& question,
                          const std::string& keys) {
    Seen seen;
    int master = -1;
    const pid_t child = ::forkpty(&master, nullptr, nullptr, nullptr);
    if (child == 0) ::_exit(run());
    char one = 0;
    bool typed = false;
    while (::read(master, &one, 1) == 1) {  // until the child has ended
        seen.screen += one;
        if (typed || !seen.screen.ends_with(question)) continue;
        typed = ::write(master, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size());
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    ::close(master);
    if (WIFEXITED(status)) seen.code = WEXITSTATUS(status);
    return seen;
}

}  // namespace hermesctl::testing
