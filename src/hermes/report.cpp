#include "hermesctl/hermes/report.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

constexpr std::size_t most_named = 4;

bool settles(const Check& check) {
    return !check.decisive || check.verdict == Verdict::pass || check.verdict == Verdict::not_applicable;
}

/// "policy-leaks, live-api and 3 more"
std::string named(const std::vector<std::string>& ids) {
    const std::size_t shown = std::min(ids.size(), most_named);
    std::string text =
        fmt::format("{}", fmt::join(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    if (shown < ids.size()) text += fmt::format(" and {} more", ids.size() - shown);
    return text;
}

bool fails(const Check& check) {
    return check.verdict == Verdict::fail;
}

/// A failure of these lets nothing out: the agent does not get to what it lives on.
bool cuts_off(const Check& check) {
    return fails(check) && (check.id == "live-telegram" || check.id == "live-provider");
}

/// The decisive rows of this kind that stand in the way. Of a file's pods each has its own row: the id is
/// named once.
std::vector<std::string> in_the_way(const Checks& checks, bool (*kind)(const Check&)) {
    std::vector<std::string> ids;
    for (const Check& check : checks) {
        if (settles(check) || !kind(check)) continue;
        if (std::ranges::find(ids, check.id) == ids.end()) ids.push_back(check.id);
    }
    return ids;
}

std::string_view claimant_of(Scope scope) {
    return scope == Scope::computed ? "the policy" : "the cage";
}

std::string_view scope_word(Scope scope) {
    constexpr std::array<std::string_view, 3> words{"full", "quick", "static"};
    return words[static_cast<std::size_t>(scope)];
}

Json to_json(const Check& check) {
    return {{"id", check.id},
            {"group", check.group},
            {"title", check.title},
            {"verdict", word_of(check.verdict)},
            {"evidence", check.evidence},
            {"hint", check.hint},
            {"decisive", check.decisive}};
}

/// "; not counting KIND/NAME": policies that no computed row is about.
std::string other_kinds(const Checks& checks) {
    for (const Check& check : checks) {
        if (check.id == "policy-other-kinds" && wants_attention(check)) return "; " + check.evidence;
    }
    return "";
}

}  // namespace

Counts count(const Checks& checks) {
    Counts counts;
    for (const Check& check : checks) {
        switch (check.verdict) {
            case Verdict::pass:
                ++counts.passed;
                break;
            case Verdict::warn:
                ++counts.warned;
                break;
            case Verdict::fail:
                ++counts.failed;
                break;
            case Verdict::inconclusive:
                ++counts.inconclusive;
                break;
            case Verdict::not_applicable:
                ++counts.not_applicable;
                break;
        }
    }
    return counts;
}

std::string counts_text(const Counts& counts) {
    std::string text = fmt::format("{} passed", counts.passed);
    const std::array<std::pair<int, std::string_view>, 4> others{
        {{counts.failed, "failed"},
         {counts.inconclusive, "inconclusive"},
         {counts.warned, counts.warned == 1 ? "warning" : "warnings"},
         {counts.not_applicable, "not applicable"}}};
    for (const auto& [number, word] : others) {
        if (number > 0) text += fmt::format(", {} {}", number, word);
    }
    return text;
}

std::string_view word_of(Verdict verdict) {
    constexpr std::array<std::string_view, 5> words{"PASS", "WARN", "FAIL", "INCONCLUSIVE", "NOT-APPLICABLE"};
    return words[static_cast<std::size_t>(verdict)];
}

bool wants_attention(const Check& check) {
    return check.verdict != Verdict::pass && check.verdict != Verdict::not_applicable;
}

std::string subject_text(const Report& report) {
    if (report.ns.empty()) return report.instance;
    return fmt::format("{} in namespace {}{}{}", report.instance, report.ns,
                       report.pod.empty() ? "" : ", pod ", report.pod);
}

bool passed(const Report& report) {
    const auto proves = [](const Check& check) { return check.decisive && check.verdict == Verdict::pass; };
    return std::ranges::all_of(report.checks, settles) && std::ranges::any_of(report.checks, proves);
}

std::string verdict_of(const Report& report) {
    const std::string counts = counts_text(count(report.checks));
    const std::string_view subject = claimant_of(report.scope);
    const auto leaks = [](const Check& check) { return fails(check) && !cuts_off(check); };
    if (const auto ids = in_the_way(report.checks, leaks); !ids.empty())
        return fmt::format("{} LEAKS: {} ({})", subject, named(ids), counts);
    if (const auto ids = in_the_way(report.checks, cuts_off); !ids.empty())
        return fmt::format("the agent is cut off: {} ({})", named(ids), counts);
    const auto unknown = [](const Check& check) { return !fails(check); };
    if (const auto ids = in_the_way(report.checks, unknown); !ids.empty())
        return fmt::format("could not tell: {} ({})", named(ids), counts);
    if (!passed(report)) return fmt::format("could not tell: nothing was proved ({})", counts);
    std::string text = fmt::format("{} holds: {}", subject, counts);
    if (!report.open.empty()) text += fmt::format("; open: {}", fmt::join(report.open, ", "));
    return text + other_kinds(report.checks);
}

Json to_json(const Report& report) {
    const Counts counts = count(report.checks);
    Json checks = Json::array();
    for (const Check& check : report.checks)
        checks.push_back(to_json(check));
    return {{"verdict", verdict_of(report)},
            {"passed", passed(report)},
            {"scope", scope_word(report.scope)},
            {"counts",
             {{"passed", counts.passed},
              {"warned", counts.warned},
              {"failed", counts.failed},
              {"inconclusive", counts.inconclusive},
              {"notApplicable", counts.not_applicable}}},
            {"context", report.context},
            {"server", report.server},
            {"namespace", report.ns},
            {"instance", report.instance},
            {"pod", report.pod},
            {"image", report.image},
            {"when", report.when},
            {"checks", std::move(checks)},
            {"open", report.open},
            {"allowed", report.allowed}};
}

}  // namespace hermesctl::hermes
