// A command in a container over pods/exec: v5.channel.k8s.io (v4 where the server has no v5).
// No Status frame means failure, however orderly the connection ended.
#pragma once

#include "hermesctl/kube/client.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::kube {

struct ExecRequest {
    std::string ns{};
    std::string pod{};
    std::string container{};
    std::vector<std::string> argv{};
    bool input = false;
    bool input_ends = true;  // for run_exec(): false where the command waits for no end, so that v4 will do
    bool tty = false;
};

struct ExecSink {
    std::function<void(std::string_view)> out{};
    std::function<void(std::string_view)> err{};
};

class ExecSession {
  public:
    /// Connects, once, within 10 s; the command runs without a limit. Throws ApiError when the server refuses
    /// (missing pod, wrong container, no permission).
    ExecSession(net::Transport&, const ExecRequest&);
    /// The same, tried again until `end` by the rules of net/retry.hpp.
    ExecSession(net::Transport&, Clock&, const ExecRequest&, Clock::Time end = Clock::Time::max());
    ~ExecSession();

    /// Whether close_input() works.
    bool can_close_input() const;
    void write(std::string_view input);
    /// End of input. With a v4 server, which cannot half-close, throws Error{failed} saying so.
    void close_input();
    void resize(int columns, int rows);
    /// Input bytes that are not yet on the wire; write() more only while this is small.
    std::size_t queued() const;
    /// Hands over what has come, of a flood only some; true while the session lives.
    bool pump(const ExecSink&);
    net::Wake wake() const;
    /// Once pump() returned false: the remote exit code. Throws Error{exec_failed} when the command did not
    /// run, or the connection was lost before its end was known.
    int exit_code() const;

  private:
    ExecSession(const ExecRequest&, net::Upgrade);

    struct State;
    std::unique_ptr<State> state_;
};

struct ExecOutput {
    int exit_code = 0;
    std::string out{};
    std::string err{};
};

/// Runs it to its end and collects its output (at most 32 MiB). Throws Error{timeout} after `deadline`, which
/// holds for connecting, too. `each_round` is called at least once a second.
ExecOutput run_exec(net::Transport&, Clock&, const ExecRequest&, std::string_view input,
                    std::chrono::milliseconds deadline, const std::function<void()>& each_round = {});

}  // namespace hermesctl::kube
