// A program run by a test, its output in files: in the foreground, or beside others.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace hermesctl::testing {

/// How long a test waits for what has to come: as long as the busiest machine needs.
constexpr std::chrono::seconds patience{400};

class Command {
  public:
    using Settings = std::map<std::string, std::string>;

    /// Starts it with this process's environment plus `settings`; stdin is /dev/null or holds `input`.
    explicit Command(std::vector<std::string> argv, const Settings& settings = {},
                     const std::string& input = {});
    /// Kills it if it still runs.
    ~Command();
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;

    /// Its exit code, 128 + N for signal N. After `limit` it is killed: -1.
    int wait(std::chrono::seconds limit = patience);
    void signal(int number);
    bool running();
    /// Waits until `text` stands in its output (in out() or in err(), `times` times); false when it ends or
    /// our patience does before.
    bool says(const std::string& text, int times = 1);
    pid_t pid() const { return pid_; }
    std::string out() const;
    std::string err() const;
    /// Both, for a failure's message.
    std::string all() const { return out() + err(); }

  private:
    std::string folder_{};
    pid_t pid_ = 0;
    int code_ = -1;
    bool ended_ = false;
};

/// Runs it to its end.
struct Finished {
    int code = 0;
    std::string out{};
    std::string err{};
};
Finished finished(std::vector<std::string> argv, const Command::Settings& settings = {},
                  const std::string& input = {});

}  // namespace hermesctl::testing
