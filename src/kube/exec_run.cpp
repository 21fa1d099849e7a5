// A command from its start to its end, with its whole input and output in memory.
#include "hermesctl/kube/exec.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

constexpr std::size_t largest_output = 32u << 20;
constexpr std::size_t input_ahead = 256u << 10;
constexpr std::chrono::milliseconds longest_rest{1000};

/// Feeds the input as the connection takes it, then ends it.
class Feeder {
  public:
    Feeder(ExecSession& session, std::string_view input, bool ends)
        : session_(session), rest_(input), closed_(!ends) {}

    void feed() {
        while (!rest_.empty() && session_.queued() < input_ahead) {
            const std::string_view part = rest_.substr(0, input_ahead);
            session_.write(part);
            rest_.remove_prefix(part.size());
        }
        if (!rest_.empty() || closed_) return;
        session_.close_input();
        closed_ = true;
    }

  private:
    ExecSession& session_;
    std::string_view rest_;
    bool closed_;
};

void collect(std::string& output, std::string_view bytes) {
    if (output.size() + bytes.size() > largest_output) {
        throw Error(ExitCode::exec_failed,
                    fmt::format("the command wrote more than {} bytes", largest_output));
    }
    output += bytes;
}

}  // namespace

ExecOutput run_exec(net::Transport& transport, Clock& clock, const ExecRequest& request,
                    std::string_view input, std::chrono::milliseconds deadline,
                    const std::function<void()>& each_round) {
    const Clock::Time end = clock.now() + deadline;
    ExecSession session(transport, clock, request, end);
    Feeder feeder(session, input, request.input_ends);
    ExecOutput output;
    const ExecSink sink{[&](std::string_view bytes) { collect(output.out, bytes); },
                        [&](std::string_view bytes) { collect(output.err, bytes); }};
    if (request.input && request.input_ends && !session.can_close_input())
        session.close_input();  // says why, before anything is sent
    while (session.pump(sink)) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock.now());
        if (left.count() <= 0) {
            throw Error(ExitCode::timeout, fmt::format("the command in pod/{} did not end within {} ms",
                                                       request.pod, deadline.count()));
        }
        if (request.input) feeder.feed();
        if (each_round) each_round();
        const net::Wake wake = session.wake();
        transport.poll(std::min(left, longest_rest), {&wake, 1});
    }
    output.exit_code = session.exit_code();
    return output;
}

}  // namespace hermesctl::kube
