// Where a report goes: stdout, and the files that were asked for.
#pragma once

#include "hermesctl/hermes/report.hpp"
#include "session.hpp"

#include <string>

namespace hermesctl::cli {

struct ReportFiles {
    std::string junit{};  // "" is none
    std::string page{};
};

/// Ok only for a report that passes. Throws Error{failed} when a file cannot be written, or stdout, once all
/// else is delivered.
ExitCode deliver(Session&, const hermes::Report&, const ReportFiles&);

}  // namespace hermesctl::cli
