#include "hermesctl/hermes/logs.hpp"

#include "hermes/log_stream.hpp"
#include "hermesctl/base/scrub.hpp"

#include <utility>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_line = 1u << 20;
constexpr int most_fruitless = 5;

/// Follows from pod to pod.
class Follower {
  public:
    Follower(kube::Client& client, const Names& names, const LogRequest& request, Reporter& reporter)
        : client_(client), names_(names), request_(request), reporter_(reporter) {}

    void run(const LineSink& sink) {
        while (!round(sink)) {
            client_.clock().sleep(500ms);
            reporter_.tick();
        }
    }

  private:
    bool console() const { return request_.source == "console"; }

    /// The first round tells what is wrong; later ones bear with what may pass: a new pod, a lost server.
    bool round(const LineSink& sink) {
        try {
            const Target target = find_agent(client_, names_);
            // The console outlives the container that wrote it.
            const bool readable = target.running || (console() && !target.pod.empty());
            if (!readable) return absent(target);
            found(target);
            const bool ended = console() ? read_console(client_, target, request_, place_, sink)
                                         : read_file_log(client_, target, request_, place_, sink);
            fruitless_ = 0;
            return ended;
        } catch (const Error& error) {
            if (!may_pass(error)) throw;
            say(State::waiting, error.message());
            return false;
        }
    }

    /// A lost connection, or an answer of a server that is coming up; again and again without a byte it is
    /// more than that.
    bool may_pass(const Error& error) {
        fruitless_ = place_.heard ? 0 : fruitless_ + 1;
        const bool refused = dynamic_cast<const kube::ApiError*>(&error) != nullptr;
        if (!request_.follow || !followed_ || error.code() == ExitCode::denied) return false;
        if (error.code() == ExitCode::exec_failed) return fruitless_ < most_fruitless;
        return refused || error.code() == ExitCode::unreachable;
    }

    bool absent(const Target& target) {
        if (!request_.follow || (!followed_ && target.pod.empty())) {
            throw Error(ExitCode::failed, fmt::format("no agent runs in {}: {}", names_.ns, target.why),
                        target.hint);
        }
        say(State::waiting, target.why);
        return false;
    }

    void found(const Target& target) {
        if (followed_ && target.pod != pod_ && console()) place_ = {.begun = true};  // another console
        if (followed_ && (target.pod != pod_ || !said_.empty()))
            say(State::info, "goes on in pod/" + target.pod);
        pod_ = target.pod;
        said_.clear();
        followed_ = true;
    }

    void say(State state, const std::string& what) {
        if (what == said_) return;
        said_ = what;
        reporter_.on({.phase = "logs", .subject = "agent", .state = state, .detail = what});
    }

    kube::Client& client_;
    const Names& names_;
    const LogRequest& request_;
    Reporter& reporter_;
    Place place_{};
    std::string pod_{};
    std::string said_{};
    bool followed_ = false;
    int fruitless_ = 0;
};

}  // namespace

bool LineSplitter::feed(std::string_view bytes, const LineSink& sink) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        rest_ += bytes.substr(0, end);
        if (end == std::string_view::npos) break;
        bytes.remove_prefix(end + 1);
        const bool wanted = sink(std::exchange(rest_, {}));
        within_line_ = false;
        if (!wanted) return false;
    }
    if (rest_.size() < longest_line) return true;
    const bool wanted = finish(sink);
    within_line_ = true;
    return wanted;
}

bool LineSplitter::finish(const LineSink& sink) {
    if (rest_.empty()) return true;
    return sink(std::exchange(rest_, {}));
}

void read_log(kube::Client& client, const Names& names, const LogRequest& request, const LineSink& sink,
              Reporter& reporter) {
    try {
        Follower(client, names, request, reporter).run([&sink](const std::string& line) {
            return sink(scrub(line));
        });
    } catch (const Error& error) {
        if (error.code() != ExitCode::exec_failed) throw;
        throw error.with_code(ExitCode::failed);  // there is no exit code of a command to be told from
    }
}

}  // namespace hermesctl::hermes
