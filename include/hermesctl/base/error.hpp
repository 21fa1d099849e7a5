// The one exception of the project: what failed, while doing what, and what to type next.
// Expected answers (not found, not ready, a failed check) are values, never an Error.
#pragma once

#include <exception>
#include <string>
#include <vector>

namespace hermesctl {

/// The process's exit status; part of the command line's contract.
enum class ExitCode : int {
    ok = 0,
    failed = 1,
    usage = 2,
    unreachable = 3,
    denied = 4,
    timeout = 5,
    pending = 6,
    exec_failed = 125,  // our own failure around a remote command
    interrupted = 130,
};

class Error : public std::exception {
  public:
    /// `message`: what failed, on what, in lower case without a full stop. `hint`: a command to type.
    Error(ExitCode code, std::string message, std::string hint = {});

    /// Adds an outer frame ("applying deployment/hermes"); innermost first.
    void during(std::string frame);
    /// The same but for one thing.
    Error with_code(ExitCode) const;
    Error with_message(std::string) const;
    Error with_hint(std::string) const;

    ExitCode code() const noexcept { return code_; }
    const std::string& message() const noexcept { return message_; }
    const std::string& hint() const noexcept { return hint_; }
    const std::vector<std::string>& trail() const noexcept { return trail_; }
    const char* what() const noexcept override { return message_.c_str(); }

  private:
    ExitCode code_;
    std::string message_;
    std::string hint_;
    std::vector<std::string> trail_;
};

}  // namespace hermesctl
