// A program on a terminal of its own, as a person has it: what it prints, what is typed.
#pragma once

#include "support/command.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace hermesctl::testing {

class TerminalSession {
  public:
    TerminalSession(std::vector<std::string> argv, int columns, int rows);
    /// Kills it if it still runs.
    ~TerminalSession();
    TerminalSession(const TerminalSession&) = delete;
    TerminalSession& operator=(const TerminalSession&) = delete;

    /// False when it did not print this, after what earlier calls waited for, in time.
    bool wait_for(std::string_view text, std::chrono::seconds limit = patience);
    void type(std::string_view keys);
    void resize(int columns, int rows);
    /// As when its window is closed.
    void close();
    /// Whether the terminal echoes and edits lines, as a shell expects to find it again.
    bool is_cooked() const;
    /// Its exit code, 128 + N for signal N. -1 where it runs on after `limit`.
    int wait(std::chrono::seconds limit = patience);
    /// All that it has printed.
    const std::string& screen() const { return screen_; }
    pid_t pid() const { return pid_; }

  private:
    /// Takes in what is printed within this time; false once nothing can come any more.
    bool read(std::chrono::milliseconds at_most);

    int fd_ = -1;
    int line_ = -1;  // the terminal's other side stays open, so that it outlives the program
    pid_t pid_ = 0;
    std::string screen_{};
    std::size_t seen_ = 0;
};

}  // namespace hermesctl::testing
