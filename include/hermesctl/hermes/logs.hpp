// The agent's logs, line by line: its files over exec (manifests/logs.py), its console from the kubelet.
// Followed, they go on across rotation, lost connections and the next pod.
#pragma once

#include "hermesctl/base/report.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace hermesctl::hermes {

struct LogRequest {
    std::string source = "gateway";  // gateway, agent, errors; console
    bool follow = false;
    bool since_boot = false;  // only what the live gateway process has written
    int lines = -1;           // how many to begin with; -1: all
};

/// Gets each line, without its end and scrubbed; false: no more are wanted.
using LineSink = std::function<bool(const std::string& line)>;

/// Cuts bytes into lines; a line of more than 1 MiB comes in pieces.
class LineSplitter {
  public:
    /// False once the sink wants no more.
    bool feed(std::string_view bytes, const LineSink&);
    /// What is left when the bytes end.
    bool finish(const LineSink&);
    /// For the sink: whether what it gets now is a later piece of a line.
    bool within_line() const { return within_line_; }

  private:
    std::string rest_{};
    bool within_line_ = false;
};

/// Until the log ends; followed, until the sink or an interrupt ends it. Why it stands still goes to the
/// reporter. Throws Error{failed} without an installation or a running agent, for a log that is not there,
/// and when the connection is lost.
void read_log(kube::Client&, const Names&, const LogRequest&, const LineSink&, Reporter&);

}  // namespace hermesctl::hermes
