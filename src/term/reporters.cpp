#include "hermesctl/term/reporters.hpp"

#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/term/board.hpp"
#include "hermesctl/term/text.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace hermesctl::term {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds redraw_interval{100};
constexpr milliseconds heartbeat_interval{30'000};

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

void write_safe(std::ostream& err, std::string_view text) {
    for (const std::string& line : lines_of(scrub(text))) {
        err << printable(line) << '\n';
    }
    err.flush();
}

/// A line that is too long goes on below its beginning, with its words whole. One with a command is left to
/// the terminal, from which that is copied as one.
std::string broken_at_words(std::string_view text, int width) {
    std::string all;
    for (const std::string& line : lines_of(text)) {
        const bool command = line.find("hermesctl ") != std::string::npos;
        if (columns(line) <= width || command || trimmed(line).empty()) {
            all += line + "\n";
            continue;
        }
        const int indent = std::min(static_cast<int>(line.find_first_not_of(' ')), width / 8);
        int more = 0;
        for (const std::string& piece : wrapped(line, std::max(1, width - indent - 2))) {
            all += pad("", indent + std::exchange(more, 2)) + piece + "\n";
        }
    }
    return all;
}

/// The board at the bottom of a terminal, drawn over itself.
class LiveStory : public Story {
  public:
    LiveStory(const Terminal& terminal, std::ostream& err, Clock& clock)
        : err_(err),
          clock_(clock),
          style_{terminal.colour, terminal.unicode},
          size_{terminal.width, terminal.rows} {}

    void on(const Event& event) override {
        board_.on(event, clock_.now());
        if (event.state == State::waiting) {
            tick();
        } else {
            redraw();
        }
    }

    void tick() override {
        if (board_.empty() || (ever_ && clock_.now() - drawn_at_ < redraw_interval)) return;
        redraw();
    }

    void print(std::string_view lines) override {
        hide();
        write_safe(err_, lines);
    }

    void print_broken(std::string_view lines) override {
        hide();  // and learn the width
        print(broken_at_words(scrub(lines), size_.columns));
    }

    void hide() override {
        if (take_window_change()) size_ = size_now();
        int rows = 0;
        for (const int used : drawn_) {
            rows += std::max(1, (used + size_.columns - 1) / size_.columns);
        }
        if (rows > 0) err_ << erase_up(rows) << std::flush;
        drawn_.clear();
        ever_ = false;
    }

    void finish() override {
        hide();
        const Clock::Time now = clock_.now();
        err_ << board_.take_finished(size_.columns, style_) << board_.draw(size_.columns, now, style_)
             << std::flush;
        board_ = {};
    }

  private:
    void redraw() {
        hide();
        const Clock::Time now = clock_.now();
        err_ << board_.take_finished(size_.columns, style_);
        std::vector<std::string> lines = lines_of(board_.draw(size_.columns, now, style_));
        std::vector<std::string> bare = lines_of(board_.draw(size_.columns, now, {false, style_.unicode}));
        // What is above the top of the screen could not be erased any more.
        const auto most = static_cast<std::size_t>(std::max(size_.rows - 1, 1));
        if (lines.size() > most) {
            const std::string more = fmt::format("  and {} more", lines.size() - most + 1);
            lines.resize(most - 1);
            bare.resize(most - 1);
            lines.push_back(more);
            bare.push_back(more);
        }
        for (std::size_t i = 0; i < lines.size(); ++i) {
            err_ << lines[i] << '\n';
            drawn_.push_back(columns(bare[i]));
        }
        err_.flush();
        drawn_at_ = now;
        ever_ = true;
    }

    std::ostream& err_;
    Clock& clock_;
    Style style_;
    Size size_;
    Board board_{};
    std::vector<int> drawn_{};  // columns of each live line, to find its start again after a resize
    Clock::Time drawn_at_{};
    bool ever_ = false;
};

/// A line for each change, and now and then one for what still waits.
class PlainStory : public Story {
  public:
    PlainStory(const Terminal& terminal, std::ostream& err, Clock& clock, bool quiet)
        : err_(err), clock_(clock), style_{terminal.colour, terminal.unicode}, quiet_(quiet) {}

    void on(const Event& event) override {
        if (event.phase == "open") told_.clear();  // another installation: the same of it is news
        const auto [place, is_new] = told_.try_emplace({event.phase, event.subject});
        Told& told = place->second;
        const bool same = !is_new && told.event.state == event.state && told.event.detail == event.detail;
        if (same) return;
        const Clock::Time now = clock_.now();
        if (is_new || told.event.state != State::waiting) told.since = now;
        told.said = now;
        told.event = event;
        say(event);
    }

    void tick() override {
        const Clock::Time now = clock_.now();
        for (auto& [key, told] : told_) {
            if (told.event.state != State::waiting || now - told.said < heartbeat_interval) continue;
            told.said = now;
            Event event = told.event;
            const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - told.since);
            event.detail = fmt::format("{}  {}", short_duration(waited), told.event.detail);
            say(event);
        }
    }

    void print(std::string_view lines) override { write_safe(err_, lines); }
    void hide() override {}
    void finish() override { told_.clear(); }

  private:
    struct Told {
        Event event{};
        Clock::Time since{};
        Clock::Time said{};
    };

    void say(const Event& event) {
        if (quiet_ && event.state != State::warning && event.state != State::failed) return;
        err_ << plain_line(event, style_) << std::flush;
    }

    std::ostream& err_;
    Clock& clock_;
    Style style_;
    bool quiet_;
    std::map<std::pair<std::string, std::string>, Told> told_{};
};

}  // namespace

std::unique_ptr<Story> make_reporter(const Terminal& terminal, std::ostream& err, Clock& clock, bool quiet) {
    if (terminal.live && !quiet) return std::make_unique<LiveStory>(terminal, err, clock);
    return std::make_unique<PlainStory>(terminal, err, clock, quiet);
}

}  // namespace hermesctl::term
