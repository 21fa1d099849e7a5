// The report on a terminal, and as lines for a pipe.
#pragma once

#include "hermesctl/hermes/report.hpp"
#include "hermesctl/term/terminal.hpp"

#include <string>
#include <vector>

namespace hermesctl::cli {

/// Rows that anybody's text may have got into, fit to be shown: scrubbed, on one line, without controls.
hermes::Checks safe_to_show(hermes::Checks);
std::vector<std::string> safe_to_show(std::vector<std::string>);

/// Rows in groups, what does not pass with its evidence and hint; the verdict last, where the eye is.
std::string report_text(const hermes::Report&, const term::Terminal&);
/// The rows alone.
std::string rows_text(const hermes::Checks&, const term::Terminal&);

}  // namespace hermesctl::cli
