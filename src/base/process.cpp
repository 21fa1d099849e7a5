#include "hermesctl/base/process.hpp"

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hermesctl {
namespace {

constexpr int unknown_end = 255 << 8;  // where waitpid() fails: exit code 255 as it writes that

struct Pipe {
    std::array<int, 2> end{-1, -1};
    Pipe() {
        if (::pipe2(end.data(), O_CLOEXEC) != 0)
            throw Error(ExitCode::failed, "no descriptors left for a pipe");
    }
    ~Pipe() {
        close(0);
        close(1);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void close(std::size_t which) {
        if (end[which] != -1) ::close(end[which]);
        end[which] = -1;
    }
};

/// One that may not be executed counts only where there is no other.
std::string find_program(const std::string& name, const Environment& environment) {
    if (name.find('/') != std::string::npos) return name;
    const auto path = environment.find("PATH");
    const std::string folders = path == environment.end() ? "/usr/local/bin:/usr/bin:/bin" : path->second;
    std::string refused;
    for (const std::string_view folder : split(folders, ":")) {
        const std::string candidate = std::string(folder) + "/" + name;
        std::error_code ignored;
        if (std::filesystem::is_directory(candidate, ignored)) continue;
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
        if (refused.empty() && ::access(candidate.c_str(), F_OK) == 0) refused = candidate;
    }
    return refused;
}

struct Start {
    pid_t child = -1;
    int failure = 0;  // an errno
};

Start spawn(const std::string& program, const ProcessSpec& spec, const Pipe& out) {
    std::vector<char*> argv;
    for (const std::string& word : spec.argv) {
        argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    std::vector<std::string> settings;
    for (const auto& [key, value] : spec.environment) {
        settings.push_back(key + "=" + value);
    }
    std::vector<char*> environment;
    for (std::string& setting : settings) {
        environment.push_back(setting.data());
    }
    environment.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (!spec.inherit_input)
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.end[1], STDOUT_FILENO);
    posix_spawnattr_t attributes;  // we ignore SIGPIPE; a pipeline of the child's must not inherit that
    posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    Start start;
    start.failure =
        posix_spawn(&start.child, program.c_str(), &actions, &attributes, argv.data(), environment.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return start;
}

std::string words(int failure) {
    return failure == ENOENT ? "its interpreter does not exist" : std::strerror(failure);
}

class OutputReader {
  public:
    OutputReader(const ProcessSpec& spec, Pipe& out) : spec_(spec), out_(out) {}

    /// Reads until the child closes its output, then waits for its end: its status, as waitpid() gives it.
    /// Nothing when the time is up.
    std::optional<int> run(pid_t child, std::string& output) {
        while (out_.end[0] != -1) {
            if (late()) return std::nullopt;
            std::array<pollfd, 2> fds{pollfd{out_.end[0], POLLIN, 0}, pollfd{interrupt_fd(), POLLIN, 0}};
            ::poll(fds.data(), fds.size(), 100);
            if (fds[0].revents != 0 && !read_some(output)) out_.close(0);
        }
        // One that has closed its output mostly ends at once; else it is looked after more and more rarely.
        for (int pause_ms = 1;; pause_ms = std::min(pause_ms * 2, 100)) {
            int status = unknown_end;
            const pid_t ended = ::waitpid(child, &status, WNOHANG);
            if (ended == child || (ended == -1 && errno != EINTR)) return status;
            if (late()) return std::nullopt;
            pollfd interrupt{interrupt_fd(), POLLIN, 0};
            ::poll(&interrupt, 1, pause_ms);
        }
    }

  private:
    bool late() const {
        throw_if_interrupted();
        return spec_.timeout.count() > 0 && system_clock().now() - start_ > spec_.timeout;
    }

    bool read_some(std::string& output) {
        std::array<char, 65536> block{};
        const ssize_t count = ::read(out_.end[0], block.data(), block.size());
        if (count > 0) output.append(block.data(), static_cast<std::size_t>(count));
        return count > 0;
    }

    const ProcessSpec& spec_;
    Pipe& out_;
    Clock::Time start_ = system_clock().now();
};

int kill_and_wait(pid_t child) {
    ::kill(child, SIGKILL);
    int status = unknown_end;
    while (::waitpid(child, &status, 0) == -1 && errno == EINTR) {
    }
    return status;
}

}  // namespace

std::string value_of(const Environment& environment, const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

Environment without_secrets(Environment environment) {
    std::erase_if(environment, [](const auto& variable) { return is_remembered(variable.second); });
    return environment;
}

std::optional<ProcessResult> run_process(const ProcessSpec& spec) {
    Pipe out;
    const std::string program = find_program(spec.argv.at(0), spec.environment);
    if (program.empty() || ::access(program.c_str(), F_OK) != 0) return std::nullopt;
    const auto [child, failure] = spawn(program, spec, out);
    if (failure != 0) return ProcessResult{.exit_code = 126, .not_started = words(failure)};
    out.close(1);
    ProcessResult result;
    std::optional<int> status;
    try {
        status = OutputReader(spec, out).run(child, result.output);
    } catch (...) {
        kill_and_wait(child);
        throw;
    }
    result.timed_out = !status;
    if (!status) status = kill_and_wait(child);
    result.exit_code = WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
    return result;
}

}  // namespace hermesctl
