// -v: spdlog's lines (each request to the API server) on stderr, scrubbed, above the live part of the story.
#pragma once

#include "hermesctl/term/reporters.hpp"

namespace hermesctl::cli {

/// Logs to the story for as long as it lives.
class Logging {
  public:
    Logging(bool verbose, term::Story&);
    ~Logging();
    Logging(const Logging&) = delete;
    Logging& operator=(const Logging&) = delete;
};

}  // namespace hermesctl::cli
