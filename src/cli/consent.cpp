#include "consent.hpp"

#include "hermesctl/hermes/hardening.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Change;
using hermes::Composition;
using hermes::ConfigChange;
using hermes::Plan;
using hermes::Step;

bool has_conflicts(const Plan& plan) {
    return std::ranges::any_of(plan.steps, [](const Step& step) { return !step.conflicts.empty(); });
}

bool takes_over(const Plan& plan) {
    return std::ranges::any_of(plan.steps,
                               [](const Step& step) { return step.adopted || !step.taken.empty(); });
}

std::string question_of(const Composition& made, const std::vector<std::string>& lost,
                        const std::string& mistake) {
    std::vector<std::string> doubts;
    if (!mistake.empty()) doubts.push_back(mistake);
    if (!lost.empty())
        doubts.push_back(fmt::format("{} may no longer use the bot then", fmt::join(lost, ", ")));
    if (!doubts.empty()) return fmt::format("apply this? {}", fmt::join(doubts, "; "));
    if (made.neighbours == 0) return "apply this?";
    return fmt::format("apply this, where others run ({} in namespace/{})?",
                       made.neighbours == 1 ? "1 pod" : fmt::format("{} pods", made.neighbours),
                       made.names.ns);
}

}  // namespace

void refuse_hopeless(Session& session, const Composition& made, const Plan& plan, bool force_conflicts) {
    // The pod that runs would be gone before the server says that it makes no other.
    const bool makes_pod = plan.rolls_pod() || plan.of("Deployment").change == Change::create;
    if (made.pods_refused && makes_pod) {
        throw Error(
            ExitCode::failed,
            fmt::format("namespace/{} enforces Pod Security \"restricted\", so no pod would be made: nothing "
                        "was changed",
                        made.names.ns),
            hermes::past_the_level(made.names.ns));
    }
    if (has_conflicts(plan) && !force_conflicts) {
        session.show_kept_plan();
        throw Error(ExitCode::failed, "other field managers own fields that deploy sets (see the plan)",
                    "run this again with --force-conflicts, which takes them");
    }
}

void get_consent(Session& session, const Composition& made, const Plan& plan, const ConfigChange& config,
                 const std::string& mistake, bool changed) {
    const auto lost = lost_users(plan);
    const bool takes = takes_over(plan) || has_conflicts(plan) || !lost.empty() || !config.text.empty() ||
                       made.neighbours > 0 || !mistake.empty();
    session.confirm(question_of(made, lost, mistake), takes, changed);
}

void refuse_if_changed(Session& session, const Composition& made) {
    using kube::at;
    const hermes::Names& names = made.names;
    const hermes::Live now = hermes::read_live(session.client(), names);
    for (const kube::Ref& ref : {names.secret(), names.config(), names.policy(), names.deployment()}) {
        const hermes::Json& before = made.live.of(ref);
        const hermes::Json& after = now.of(ref);
        if (at(before, "/data") == at(after, "/data") && at(before, "/spec") == at(after, "/spec")) continue;
        throw Error(ExitCode::failed, fmt::format("{} was changed meanwhile by somebody else", title(ref)),
                    "run this again: it plans anew");
    }
}

}  // namespace hermesctl::cli
