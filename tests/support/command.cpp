#include "support/command.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hermesctl::testing {
namespace {

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

int occurrences(std::string_view text, std::string_view wanted) {
    int found = 0;
    for (std::size_t at = 0; (at = text.find(wanted, at)) != std::string_view::npos; at += wanted.size())
        ++found;
    return found;
}

std::string fresh_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "command-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    return pattern;
}

void redirect(const std::string& path, int flags, int target) {
    const int fd = ::open(path.c_str(), flags, 0600);
    if (fd == -1 || ::dup2(fd, target) == -1) ::_exit(126);
    ::close(fd);
}

}  // namespace

Command::Command(std::vector<std::string> argv, const Settings& settings, const std::string& input)
    : folder_(fresh_folder()) {
    std::ofstream(folder_ + "/in", std::ios::binary) << input;
    pid_ = ::fork();
    if (pid_ != 0) return;
    redirect(folder_ + "/in", O_RDONLY, STDIN_FILENO);
    redirect(folder_ + "/out", O_WRONLY | O_CREAT, STDOUT_FILENO);
    redirect(folder_ + "/err", O_WRONLY | O_CREAT, STDERR_FILENO);
    for (const auto& [key, value] : settings) {
        ::setenv(key.c_str(), value.c_str(), 1);
    }
    std::vector<char*> words;
    for (std::string& word : argv) {
        words.push_back(word.data());
    }
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    ::_exit(127);
}

Command::~Command() {
    if (running()) {
        ::kill(pid_, SIGKILL);
        wait();
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

bool Command::running() {
    if (ended_) return false;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
    ended_ = true;
    code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return false;
}

int Command::wait(std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (running()) {
        if (std::chrono::steady_clock::now() > end) {
            ::kill(pid_, SIGKILL);
            int status = 0;
            ::waitpid(pid_, &status, 0);
            ended_ = true;
            return code_ = -1;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    return code_;
}

bool Command::says(const std::string& text, int times) {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (bool last = false;; std::this_thread::sleep_for(std::chrono::milliseconds{50})) {
        if (occurrences(out(), text) >= times || occurrences(err(), text) >= times) return true;
        if (last) return false;
        last = !running() || std::chrono::steady_clock::now() > end;
    }
}

void Command::signal(int number) {
    ::kill(pid_, number);
}

std::string Command::out() const {
    return text_of(folder_ + "/out");
}
std::string Command::err() const {
    return text_of(folder_ + "/err");
}

Finished finished(std::vector<std::string> argv, const Command::Settings& settings,
                  const std::string& input) {
    Command command(std::move(argv), settings, input);
    const int code = command.wait();
    return {code, command.out(), command.err()};
}

}  // namespace hermesctl::testing
