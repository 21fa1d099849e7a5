#include "stream_exec.hpp"

#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/term/terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermesctl::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t input_ahead = 256u << 10;
constexpr std::size_t block_size = 64u << 10;
constexpr milliseconds between_pings{1000};
constexpr milliseconds between_sizes{100};

bool ready(int fd, short events) {
    pollfd one{fd, events, 0};
    return ::poll(&one, 1, 0) > 0;
}

Error local_failure(std::string_view what, int number) {
    return {ExitCode::exec_failed, fmt::format("{}: {}", what, std::strerror(number))};
}

/// A write of this size to a descriptor that poll() calls writable does not block.
std::size_t largest_write(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? block_size : PIPE_BUF;
}

/// Our stdin on its way to the remote one.
class Feed {
  public:
    Feed(kube::ExecSession& session, int fd, bool wanted) : session_(session), fd_(fd), open_(wanted) {}

    bool hungry() const { return open_ && session_.queued() < input_ahead; }
    int fd() const { return fd_; }

    /// Passes on what is there, but no more than the connection takes, and one block at a time: an input
    /// without end must not keep us from what the other side says.
    void advance() {
        if (!hungry() || !ready(fd_, POLLIN)) return;
        const ssize_t count = ::read(fd_, block_.data(), block_.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
        // A descriptor that is closed is an input that has ended.
        if (count < 0 && errno != EBADF && errno != EIO) throw local_failure("reading stdin", errno);
        if (count <= 0) return end();
        begun_ = true;
        session_.write({block_.data(), static_cast<std::size_t>(count)});
    }

  private:
    void end() {
        open_ = false;
        // A server that cannot half-close still runs what reads nothing: /dev/null is no reason to fail.
        if (begun_ || session_.can_close_input()) session_.close_input();
    }

    kube::ExecSession& session_;
    int fd_;
    bool open_;
    bool begun_ = false;
    std::vector<char> block_ = std::vector<char>(block_size);
};

}  // namespace

bool write_all(int fd, std::string_view bytes) {
    const std::size_t largest = largest_write(fd);
    while (!bytes.empty()) {
        std::array<pollfd, 2> fds{pollfd{fd, POLLOUT, 0}, pollfd{interrupt_fd(), POLLIN, 0}};
        ::poll(fds.data(), fds.size(), -1);
        throw_if_interrupted();
        if (fds[0].revents == 0) continue;
        const ssize_t count = ::write(fd, bytes.data(), std::min(bytes.size(), largest));
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count < 0 && errno == EPIPE) return false;
        if (count < 0) throw local_failure("writing the output", errno);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

int stream_exec(net::Transport& transport, Clock& clock, const kube::ExecRequest& request,
                const Streams& streams) {
    kube::ExecSession session(transport, clock, request);
    std::optional<term::RawMode> raw;  // from now on Ctrl-C is for the remote one
    if (request.tty) raw.emplace();
    Feed feed(session, streams.in, request.input);
    bool read = true;
    const auto pass_to = [&read](int fd) {
        return [&read, fd](std::string_view bytes) { read = read && write_all(fd, bytes); };
    };
    const kube::ExecSink sink{pass_to(streams.out), pass_to(streams.err)};
    const auto tell_size = [&session] {
        const term::Size size = term::size_now();
        session.resize(size.columns, size.rows);
    };
    if (request.tty) tell_size();
    while (session.pump(sink)) {
        if (!read) return broken_pipe;
        if (request.tty && take_window_change()) tell_size();
        feed.advance();
        const std::array wakes{session.wake(), net::Wake{feed.fd(), false}};
        transport.poll(request.tty ? between_sizes : between_pings, {wakes.data(), feed.hungry() ? 2U : 1U});
    }
    return read ? session.exit_code() : broken_pipe;
}

}  // namespace hermesctl::cli
