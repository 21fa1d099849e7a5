// The report as a page: for reading on any screen, for paper, and for keeping.
#include "hermesctl/hermes/report.hpp"
#include "markup.hpp"
#include "report_picture.hpp"
#include "report_style.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

/// Whatever a row may hold, nothing on the page runs and nothing is fetched.
constexpr std::string_view nothing_runs = "default-src 'none'; style-src 'unsafe-inline'";

std::string heading_of(std::string_view group) {
    std::string text(group.empty() ? "other" : group);
    if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

/// "The cage holds" and what comes after it.
std::pair<std::string, std::string> split_verdict(const Report& report) {
    std::string text = verdict_of(report);
    const std::size_t colon = text.find(": ");
    return {heading_of(text.substr(0, colon)), text.substr(std::min(colon + 2, text.size()))};
}

std::string_view style_of(const Report& report) {
    if (passed(report)) return "pass";
    const auto decides = [](const Check& check) { return check.decisive && check.verdict == Verdict::fail; };
    return std::ranges::any_of(report.checks, decides) ? "fail" : "unknown";
}

std::string fact(std::string_view name, std::string_view value) {
    if (value.empty()) return {};
    return fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, escaped(value));
}

/// To the second, for people.
std::string when_of(const Report& report) {
    std::string when = report.when.substr(0, 19);
    if (when.size() != 19) return report.when;
    when[10] = ' ';
    return when + " UTC";
}

std::string header_of(const Report& report) {
    const auto [claim, rest] = split_verdict(report);
    return fmt::format("<header class=\"{}\"><h1>{}</h1><p>{}</p></header>\n<dl>\n", style_of(report),
                       escaped(claim), escaped(rest)) +
           fact("of", subject_text(report)) + fact("image", report.image) + fact("context", report.context) +
           fact("server", report.server) + fact("when", when_of(report)) + "</dl>\n";
}

std::string mark(const Check& check) {
    return fmt::format("<span class=\"mark {}\">{} {}</span>", class_of(check.verdict),
                       mark_of(check.verdict), word_of(check.verdict));
}

/// Two rows may have one id: a row's place on the page is its number.
std::string row_of(const Check& check, std::size_t number) {
    std::string out = fmt::format("<article class=\"{}\" id=\"row-{}\"><h3>{} {}</h3>\n",
                                  class_of(check.verdict), number, mark(check), escaped(check.title));
    if (!check.evidence.empty()) out += fmt::format("<p>{}</p>\n", escaped(check.evidence));
    if (!check.hint.empty()) out += fmt::format("<p>next: {}</p>\n", escaped(check.hint));
    if (wants_attention(check)) {
        const std::string_view aside = check.decisive ? "" : "; does not decide";
        out += fmt::format("<p class=\"faint\">docs/checks.md#{}{}</p>\n", escaped(check.id), aside);
    }
    return out + "</article>\n";
}

/// Links to what somebody should look at, the worst first.
std::string attention_of(const Report& report) {
    std::string items;
    for (const Verdict verdict : {Verdict::fail, Verdict::inconclusive, Verdict::warn}) {
        for (std::size_t i = 0; i < report.checks.size(); ++i) {
            const Check& check = report.checks[i];
            if (check.verdict != verdict) continue;
            items +=
                fmt::format("<li>{} <a href=\"#row-{}\">{}</a></li>\n", mark(check), i, escaped(check.title));
        }
    }
    return items.empty() ? items : "<section><h2>To look at</h2><ul>\n" + items + "</ul></section>\n";
}

std::string section_of(std::string_view heading, const std::vector<std::string>& lines) {
    std::string items;
    for (const std::string& line : lines)
        items += fmt::format("<li>{}</li>\n", escaped(line));
    return items.empty() ? items
                         : fmt::format("<section><h2>{}</h2><ul>\n{}</ul></section>\n", heading, items);
}

/// A section a group, in the order in which they first come.
std::string rows_of(const Checks& checks) {
    std::string out;
    std::vector<std::string> done;
    for (const Check& first : checks) {
        if (std::ranges::find(done, first.group) != done.end()) continue;
        done.push_back(first.group);
        out += fmt::format("<section><h2>{}</h2>\n", escaped(heading_of(first.group)));
        for (std::size_t i = 0; i < checks.size(); ++i) {
            if (checks[i].group == first.group) out += row_of(checks[i], i);
        }
        out += "</section>\n";
    }
    return out;
}

std::string head_of(const Report& report) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\"/>\n<title>{}: "
        "{}</title>\n<style>{}</style>\n"
        "</head>\n",
        nothing_runs, escaped(report.instance), escaped(split_verdict(report).first), report_style);
}

}  // namespace

std::string html_of(const Report& report) {
    const std::string_view caption =
        "An arrow reaches its place; a bar at the wall is where it ends. Green is as it should be. A place "
        "that was not probed is shown as the policies have it.";
    return head_of(report) + "<body>\n<main>\n" + header_of(report) + attention_of(report) +
           "<section><h2>What reaches what</h2>\n<figure>\n" + picture_of(report.checks) +
           fmt::format("<figcaption>{}</figcaption>\n</figure></section>\n", caption) +
           section_of("What stays open", report.open) + rows_of(report.checks) +
           section_of("What the policies allow, exactly", report.allowed) +
           "<footer>Made by hermesctl verify. It tells of the moment at which it was made.</footer>\n"
           "</main>\n</body>\n</html>\n";
}

}  // namespace hermesctl::hermes
