// A child process and its output, for credential plugins and `cmd:` secrets. No shell.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hermesctl {

using Environment = std::map<std::string, std::string>;

/// "" where it is not set.
std::string value_of(const Environment&, const std::string& name);

/// What a child may inherit: all but the variables whose value is a remembered secret (base/scrub.hpp).
/// Others can read a process's environment.
Environment without_secrets(Environment);

struct ProcessSpec {
    std::vector<std::string> argv{};       // argv[0] is looked up in PATH of `environment`
    Environment environment{};             // the whole environment of the child; see without_secrets()
    bool inherit_input = false;            // the child talks to the terminal itself; else it has no input
    std::chrono::milliseconds timeout{0};  // 0: none
};

struct ProcessResult {
    int exit_code = 0;  // 128 + signal when a signal ended it
    std::string output{};
    bool timed_out = false;
    std::string not_started{};  // why it never ran though it is there ("Permission denied"); exit_code is 126
};

/// Runs it to its end; stderr is inherited. Nothing when there is no such program.
/// Throws Error{interrupted}; the child is ended then.
std::optional<ProcessResult> run_process(const ProcessSpec&);

}  // namespace hermesctl
