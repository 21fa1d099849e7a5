#include "hermesctl/term/board.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/term/terminal.hpp"
#include "hermesctl/term/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hermesctl::term {
namespace {

struct Look {
    std::string_view word{};
    std::string_view unicode{};
    std::string_view ascii{};
    bool coloured = true;
    Colour colour = Colour::dim;
};

const Look& look_of(State state) {
    static constexpr std::array looks{
        Look{"info", "·", "-", false, Colour::dim},   Look{"wait", "", "", true, Colour::cyan},
        Look{"done", "✓", "+", true, Colour::green},  Look{"same", "=", "=", true, Colour::dim},
        Look{"warn", "!", "!", true, Colour::yellow}, Look{"fail", "✗", "x", true, Colour::red}};
    return looks[static_cast<std::size_t>(state)];
}

std::string glyph_of(State state, Clock::Duration waited, Style style) {
    static constexpr std::array unicode{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    static constexpr std::array ascii{"|", "/", "-", "\\"};
    const auto turn = static_cast<std::size_t>(std::max<std::int64_t>(waited.count(), 0) / 100);
    const Look& look = look_of(state);
    std::string glyph(style.unicode ? look.unicode : look.ascii);
    if (state == State::waiting) {
        glyph = style.unicode ? unicode[turn % unicode.size()] : ascii[turn % ascii.size()];
    }
    return style.colour && look.coloured ? paint(glyph, look.colour) : glyph;
}

/// "image" of a long "registry/path/image": the end tells more than the start.
std::string short_subject(const std::string& subject, int width) {
    const std::size_t slash = subject.rfind('/');
    if (columns(subject) <= width || slash == std::string::npos) return subject;
    return subject.substr(slash + 1);
}

std::string spaces(int count) {
    return std::string(static_cast<std::size_t>(count), ' ');
}

/// Lines under each other, all but the first after `start` spaces.
std::string hanging(const std::vector<std::string>& lines, int start) {
    return fmt::format("{}", fmt::join(lines, "\n" + spaces(start)));
}

}  // namespace

void Board::on(const Event& told, Clock::Time now) {
    const Event event{told.phase, printable(scrub(told.subject)), told.state, printable(scrub(told.detail))};
    const auto same = [&](const Row& row) {
        return row.event.phase == event.phase && row.event.subject == event.subject;
    };
    auto row = std::find_if(rows_.begin(), rows_.end(), same);
    if (row == rows_.end()) row = rows_.insert(row, Row{event, now, now});
    const bool restarts = row->event.state != State::waiting && event.state == State::waiting;
    if (restarts) row->since = now;
    row->until = now;
    row->event = event;
}

int Board::subject_width(int width) const {
    int widest = 0;
    for (const Row& row : rows_) {
        widest = std::max(widest, columns(row.event.subject));
    }
    return std::min({widest, 32, std::max(width / 2 - 2, 1)});
}

std::string Board::draw_row(const Row& row, int width, int subject_width, Clock::Time now, Style style) {
    const bool final = row.event.state != State::waiting;  // scrolls up for good: nothing of it is cut
    const auto waited = std::chrono::duration_cast<Clock::Duration>((final ? row.until : now) - row.since);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(waited);
    const std::string elapsed = seconds.count() > 0 ? short_duration(seconds) : "";
    const std::string& detail = row.event.detail;

    std::vector<std::string> subject{short_subject(row.event.subject, subject_width)};
    if (final && columns(subject.front()) > subject_width) {
        subject = wrapped(row.event.subject, std::max(width - 2, 1));
    } else {
        subject.front() = fit(subject.front(), subject_width, style.unicode);
        const bool alone = elapsed.empty() && detail.empty();
        if (!alone) subject.front() = pad(subject.front(), subject_width);
    }
    std::string line = fmt::format("{} {}", glyph_of(row.event.state, waited, style), hanging(subject, 2));
    int used = 2 + columns(subject.back());
    if (!elapsed.empty() && used + 2 + columns(elapsed) <= width) {
        line += "  " + (style.colour ? paint(elapsed, Colour::dim) : elapsed);
        used += 2 + columns(elapsed);
    }
    if (detail.empty()) return line + "\n";
    const int room = width - used - 2;
    const bool beside = room >= 40 || columns(detail) <= room;
    const int start = beside ? used + 2 : 4;
    if (!beside) line.erase(line.find_last_not_of(' ') + 1);
    line += beside ? "  " : "\n    ";
    if (!final) return line + fit(detail, width - start, style.unicode) + "\n";
    return line + hanging(wrapped(detail, std::max(width - start, 1)), start) + "\n";
}

std::string Board::draw(int width, Clock::Time now, Style style) const {
    std::string out;
    for (const Row& row : rows_) {
        out += draw_row(row, width, subject_width(width), now, style);
    }
    return out;
}

std::string Board::take_finished(int width, Clock::Time now, Style style) {
    std::string out;
    const int subjects = subject_width(width);
    for (const Row& row : rows_) {
        if (row.event.state != State::waiting) out += draw_row(row, width, subjects, now, style);
    }
    std::erase_if(rows_, [](const Row& row) { return row.event.state != State::waiting; });
    return out;
}

std::string plain_line(const Event& event, Style style) {
    const Look& look = look_of(event.state);
    std::string line = style.colour && look.coloured ? paint(look.word, look.colour) : std::string(look.word);
    for (const std::string* part : {&event.subject, &event.detail}) {
        if (!part->empty()) line += "  " + printable(scrub(*part));
    }
    return line + "\n";
}

}  // namespace hermesctl::term
