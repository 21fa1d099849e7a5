#include "report_text.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/term/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Check;
using hermes::Checks;
using hermes::Verdict;
using term::Colour;
using term::Terminal;

constexpr int deep = 4;  // columns before what belongs to a row

struct Look {
    std::string_view unicode = "";
    std::string_view ascii = "";
    Colour colour = Colour::dim;
};

const Look& look_of(Verdict verdict) {
    static constexpr std::array looks{Look{"✓", "+", Colour::green}, Look{"!", "!", Colour::yellow},
                                      Look{"✗", "x", Colour::red}, Look{"?", "?", Colour::yellow},
                                      Look{"–", "-", Colour::dim}};
    return looks[static_cast<std::size_t>(verdict)];
}

/// The words of a verdict's label, before they are coloured: a glyph tells a pass on a terminal; a pipe gets
/// words.
std::string label_of(const Check& check, const Terminal& terminal) {
    const std::string word(hermes::word_of(check.verdict));
    if (!terminal.out_is_terminal) return word;
    const Look& look = look_of(check.verdict);
    const std::string glyph(terminal.unicode ? look.unicode : look.ascii);
    return check.verdict == Verdict::pass ? glyph : glyph + " " + word;
}

class Page {
  public:
    explicit Page(const Terminal& terminal)
        : terminal_(terminal), width_(terminal.out_is_terminal ? std::max(terminal.width, 20) : 0) {}

    void group(std::string_view name) {
        if (!out_.empty()) out_ += '\n';
        std::string heading(name);
        if (!heading.empty() && heading[0] >= 'a' && heading[0] <= 'z')
            heading[0] = static_cast<char>(heading[0] - 'a' + 'A');
        out_ += heading + "\n";
    }

    void row(const Check& check) {
        const std::string label = label_of(check, terminal_);
        const int used = 2 + term::columns(label) + 1;
        const std::string painted = paint(label, look_of(check.verdict).colour);
        const bool quiet = !hermes::wants_attention(check);
        std::string title = check.title;
        if (!check.decisive && check.verdict != Verdict::warn && !quiet) title += " (does not decide)";
        const std::vector<std::string> lines = fitted(title, used);
        out_ += fmt::format("  {} {}", painted, lines.front());
        for (std::size_t i = 1; i < lines.size(); ++i)
            out_ += "\n" + std::string(deep, ' ') + lines[i];
        if (quiet) {
            aside(check.evidence, used + term::columns(lines.back()));
            next(check);
        } else {
            out_ += '\n';
            details(check);
        }
    }

    void line(std::string_view text) {
        for (const std::string& piece : fitted(text, 0))
            out_ += piece + "\n";
    }
    void verdict(const hermes::Report& report) {
        if (!out_.empty()) out_ += '\n';
        const bool holds = hermes::passed(report);
        const bool leaks = hermes::count(report.checks).failed > 0;
        const Colour colour = holds ? Colour::green : leaks ? Colour::red : Colour::yellow;
        for (const std::string& piece : fitted(hermes::verdict_of(report), 0))
            out_ += paint(piece, colour) + "\n";
    }
    std::string take() { return std::move(out_); }

  private:
    std::string paint(const std::string& text, Colour colour) const {
        return terminal_.out_colour ? term::paint(text, colour) : text;
    }
    /// Lines of what is left of the width; all in one where there is no width.
    std::vector<std::string> fitted(std::string_view text, int used) const {
        if (width_ == 0) return {std::string(text)};
        return term::wrapped(text, std::max(width_ - used, 10));
    }
    /// Evidence of what is as it should be: in the row's own line where all of it fits there, else below.
    void aside(const std::string& evidence, int used) {
        const bool fits = width_ == 0 || used + 2 + term::columns(evidence) <= width_;
        if (!evidence.empty() && fits) out_ += "  " + paint(evidence, Colour::dim);
        out_ += '\n';
        if (!fits) indented(evidence, Colour::dim, true);
    }
    void details(const Check& check) {
        indented(check.evidence, Colour::dim, false);
        next(check);
        indented("docs/checks.md#" + check.id, Colour::dim, true);
    }
    /// Not broken, so that a command in it is copied as one.
    void next(const Check& check) {
        if (!check.hint.empty())
            out_ += std::string(deep, ' ') + paint("next: " + check.hint, Colour::cyan) + "\n";
    }
    void indented(const std::string& text, Colour colour, bool coloured) {
        if (text.empty()) return;
        for (const std::string& piece : fitted(text, deep))
            out_ += std::string(deep, ' ') + (coloured ? paint(piece, colour) : piece) + "\n";
    }

    const Terminal& terminal_;
    int width_;  // 0: no limit
    std::string out_{};
};

void add_rows(const Checks& checks, Page& page) {
    std::vector<std::string> done;
    for (const Check& first : checks) {
        if (std::ranges::find(done, first.group) != done.end()) continue;
        done.push_back(first.group);
        page.group(first.group);
        for (const Check& check : checks) {
            if (check.group == first.group) page.row(check);
        }
    }
}

}  // namespace

Checks safe_to_show(Checks checks) {
    for (Check& check : checks) {
        for (std::string* text : {&check.title, &check.evidence, &check.hint})
            *text = term::printable(scrub(*text));
    }
    return checks;
}

std::vector<std::string> safe_to_show(std::vector<std::string> texts) {
    for (std::string& text : texts)
        text = term::printable(scrub(text));
    return texts;
}

std::string report_text(const hermes::Report& report, const Terminal& terminal) {
    Page page(terminal);
    page.line(term::printable(hermes::subject_text(report)));
    add_rows(report.checks, page);
    page.verdict(report);
    return page.take();
}

std::string rows_text(const Checks& checks, const Terminal& terminal) {
    Page page(terminal);
    add_rows(checks, page);
    return page.take();
}

}  // namespace hermesctl::cli
