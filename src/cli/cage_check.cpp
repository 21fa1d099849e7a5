#include "cage_check.hpp"

#include "report_text.hpp"
#include "verify_parts.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Check;
using hermes::Verdict;

bool leaks(const Check& check) {
    return check.decisive && check.verdict == Verdict::fail;
}

/// What stands in the way of a pass, what the policies lack, and who is let in beside the list.
bool is_shown(const Check& check) {
    const bool is_told = check.decisive || check.group == "policy" || check.id == "agent-allowlist";
    return is_told && hermes::wants_attention(check);
}

}  // namespace

CageCheck summary_of(const hermes::Report& report, const term::Terminal& terminal) {
    CageCheck check;
    check.leaks = std::ranges::any_of(report.checks, leaks);
    hermes::Checks shown;
    std::ranges::copy_if(report.checks, std::back_inserter(shown), is_shown);
    const kube::Json whole = to_json(report);
    check.json = {
        {"passed", whole["passed"]}, {"verdict", whole["verdict"]}, {"checks", kube::Json::array()}};
    for (std::size_t i = 0; i < report.checks.size(); ++i) {
        if (is_shown(report.checks[i])) check.json["checks"].push_back(whole["checks"][i]);
    }
    if (!shown.empty()) check.text = rows_text(shown, terminal);
    check.text += hermes::passed(report)
                      ? fmt::format("the cage holds ({} checks); hermesctl verify proves it in full\n",
                                    hermes::count(report.checks).passed)
                      : verdict_of(report) + "; hermesctl verify shows all\n";
    return check;
}

CageCheck check_cage(Session& session, const hermes::Names& names) {
    try {
        return summary_of(verify_installation(session, names, {.scope = hermes::Scope::quick}),
                          session.terminal());
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) throw;
        const std::string text = "the cage was not checked: " + error.message();
        return {.json = {{"passed", false}, {"verdict", text}, {"checks", kube::Json::array()}},
                .text = text + "; hermesctl verify tries again\n"};
    }
}

}  // namespace hermesctl::cli
