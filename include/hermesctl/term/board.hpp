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
    /// line of its own where it would not fit, and is cut there. Ends with a newline unless empty.
    std::string draw(int width, Clock::Time now, Style) const;
    /// Rows that are final since the last call, a line each; they leave the live part. Nobody sees them drawn
    /// again, so that nothing of them is cut; nor is a line broken: a command in it is copied as one.
    std::string take_finished(int width, Style);
    bool empty() const { return rows_.empty(); }

  private:
    struct Row {
        Event event{};
        Clock::Time since{};
        Clock::Time until{};
    };
    int subject_width(int width) const;
    static std::string draw_row(const Row&, int width, int subject_width, Clock::Time now, Style);
    static std::string whole_row(const Row&, int subject_width, Style);

    std::vector<Row> rows_{};
};

/// One event as one line ("done  deployment/hermes  applied"), for output that is not a terminal.
std::string plain_line(const Event&, Style);

}  // namespace hermesctl::term
