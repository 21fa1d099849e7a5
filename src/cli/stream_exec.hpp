// A command in a container with our own input and output: bytes pass as they come, in bounded memory.
#pragma once

#include "hermesctl/base/error.hpp"
#include "hermesctl/kube/exec.hpp"
#include "hermesctl/net/http.hpp"

#include <string_view>

namespace hermesctl::cli {

struct Streams {
    int in = 0;
    int out = 1;
    int err = 2;
};

/// Who read our output has gone away: we end as a program that SIGPIPE ends.
inline constexpr int broken_pipe = 128 + 13;

/// Writes everything; false when nobody reads it any more. Throws Error{exec_failed} (disk full),
/// interrupted.
bool write_all(int fd, std::string_view bytes);

/// Runs it to its end; its exit code, or broken_pipe. With a terminal, ours is raw once it is connected, and
/// the remote one has our size at any time. Throws Error{exec_failed}, ApiError, interrupted.
int stream_exec(net::Transport&, Clock&, const kube::ExecRequest&, const Streams& = {});

}  // namespace hermesctl::cli
