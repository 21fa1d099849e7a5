// The live picture of a command at work: events in, text out. Pure; knows no terminal and no clock.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/report.hpp"

#include <string>
#include <vector>

namespace hermesctl::term {

struct Style {
    bool colour = false;
    bool unicode = true;
};

class Board {
  public:
    void on(const Event&, Clock::Time now);
    /// Lines of at most `width` columns: glyph, subject, elapsed time and why for each row; the why has a
    /// line of its own where it would not fit. What waits is cut to its line; what is final is wrapped, since
    /// nobody sees it again. Ends with a newline unless empty.
    std::string draw(int width, Clock::Time now, Style) const;
    /// Rows that are final since the last call, drawn; they leave the live part.
    std::string take_finished(int width, Clock::Time now, Style);
    bool empty() const { return rows_.empty(); }

  private:
    struct Row {
        Event event{};
        Clock::Time since{};
        Clock::Time until{};
    };
    int subject_width(int width) const;
    static std::string draw_row(const Row&, int width, int subject_width, Clock::Time now, Style);

    std::vector<Row> rows_{};
};

/// One event as one line ("done  deployment/hermes  applied"), for output that is not a terminal.
std::string plain_line(const Event&, Style);

}  // namespace hermesctl::term
