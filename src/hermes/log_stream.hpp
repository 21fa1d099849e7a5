// One reading of a log in one pod; the next one goes on where it ended.
#pragma once

#include "hermesctl/hermes/logs.hpp"
#include "hermesctl/hermes/target.hpp"

#include <string>

namespace hermesctl::hermes {

/// Where a reading ended.
struct Place {
    bool begun = false;
    std::string mark{};  // "INODE:OFFSET" in a file, the time of the last line on the console
    bool heard = false;  // the last reading brought anything
};

/// True when the log has ended by itself or the sink wants no more; false, only when it is followed, when
/// the reading or the container ended. Throws Error{exec_failed, unreachable} for a connection that was lost,
/// Error{failed} for a log that cannot be read, ApiError.
bool read_file_log(kube::Client&, const Target&, const LogRequest&, Place&, const LineSink&);
bool read_console(kube::Client&, const Target&, const LogRequest&, Place&, const LineSink&);

}  // namespace hermesctl::hermes
