#include "support/command.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
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

/// This process's environment with some settings changed, as exec takes it.
std::vector<std::string> environment_with(const Command::Settings& settings) {
    std::vector<std::string> all;
    for (char** one = environ; *one != nullptr; ++one) {
        const std::string_view line = *one;
        if (!settings.contains(std::string(line.substr(0, line.find('='))))) all.emplace_back(line);
    }
    for (const auto& [key, value] : settings) {
        all.push_back(key + "=" + value);
    }
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> all;
    for (std::string& word : words) {
        all.push_back(word.data());
    }
    all.push_back(nullptr);
    return all;
}

}  // namespace

Command::Command(std::vector<std::string> argv, const Settings& settings, const std::string& input)
    : folder_(fresh_folder()) {
    std::ofstream(folder_ + "/in", std::ios::binary) << input;
    // Not fork(): it copies the tables of all that the sanitizers have mapped.
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, (folder_ + "/in").c_str(), O_RDONLY, 0);
    constexpr int written = O_WRONLY | O_CREAT;
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, (folder_ + "/out").c_str(), written, 0600);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, (folder_ + "/err").c_str(), written, 0600);
    std::vector<std::string> environment = environment_with(settings);
    if (::posix_spawnp(&pid_, argv[0].c_str(), &files, nullptr, pointers_to(argv).data(),
                       pointers_to(environment).data()) != 0) {
        ended_ = true;
        code_ = 127;
    }
    posix_spawn_file_actions_destroy(&files);
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
