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
std::string fit_subject(const std::string& subject, int width, bool unicode) {
    const std::size_t slash = subject.rfind('/');
    if (columns(subject) <= width || slash == std::string::npos) return fit(subject, width, unicode);
    return fit(subject.substr(slash + 1), width, unicode);
}

std::string elapsed_text(Clock::Duration waited) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(waited);
    return seconds.count() > 0 ? short_duration(seconds) : "";
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
    const auto waited = std::chrono::duration_cast<Clock::Duration>(
        (row.event.state == State::waiting ? now : row.until) - row.since);
    const std::string elapsed = elapsed_text(waited);
    const std::string& detail = row.event.detail;

    std::string subject = fit_subject(row.event.subject, subject_width, style.unicode);
    const bool alone = elapsed.empty() && detail.empty();
    if (!alone) subject = pad(subject, subject_width);
    std::string line = fmt::format("{} {}", glyph_of(row.event.state, waited, style), subject);
    int used = 2 + columns(subject);
    if (!elapsed.empty() && used + 2 + columns(elapsed) <= width) {
        line += "  " + (style.colour ? paint(elapsed, Colour::dim) : elapsed);
        used += 2 + columns(elapsed);
    }
    if (detail.empty()) return line + "\n";
    const int room = width - used - 2;
    if (columns(detail) <= room) return line + "  " + detail + "\n";
    if (room >= 40) return line + "  " + fit(detail, room, style.unicode) + "\n";
    return line + "\n    " + fit(detail, width - 4, style.unicode) + "\n";
}

std::string Board::draw(int width, Clock::Time now, Style style) const {
    std::string out;
    for (const Row& row : rows_) {
        out += draw_row(row, width, subject_width(width), now, style);
    }
    return out;
}

std::string Board::whole_row(const Row& row, int subject_width, Style style) {
    const auto waited = std::chrono::duration_cast<Clock::Duration>(row.until - row.since);
    std::string line =
        fmt::format("{} {}", glyph_of(row.event.state, waited, style), pad(row.event.subject, subject_width));
    const std::string elapsed = elapsed_text(waited);
    if (!elapsed.empty()) line += "  " + (style.colour ? paint(elapsed, Colour::dim) : elapsed);
    if (!row.event.detail.empty()) line += "  " + row.event.detail;
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

std::string Board::take_finished(int width, Style style) {
    std::string out;
    const int subjects = subject_width(width);
    for (const Row& row : rows_) {
        if (row.event.state != State::waiting) out += whole_row(row, subjects, style);
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
