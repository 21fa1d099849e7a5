// The two ways to tell the story on stderr: a board that is redrawn, or a line for each change.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/report.hpp"
#include "hermesctl/term/terminal.hpp"

#include <memory>
#include <ostream>
#include <string_view>

namespace hermesctl::term {

/// A reporter that other output can stand beside. Scrubs what it shows.
class Story : public Reporter {
  public:
    /// Text of whole lines, above what is live.
    virtual void print(std::string_view lines) = 0;
    /// The same; on a terminal a line that is too long is broken between words.
    virtual void print_broken(std::string_view lines) { print(lines); }
    /// Clears what is live, before someone else writes to the terminal; the next event or tick draws it
    /// again.
    virtual void hide() = 0;
    /// What is live stays as it is now, and is forgotten.
    virtual void finish() = 0;
};

/// `quiet`: only warnings and failures.
std::unique_ptr<Story> make_reporter(const Terminal&, std::ostream& err, Clock&, bool quiet);

}  // namespace hermesctl::term
