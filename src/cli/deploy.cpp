// hermesctl deploy: compose, plan, show, apply, wait until the bot answers.
#include "answers.hpp"
#include "commands.hpp"
#include "drain.hpp"
#include "flags.hpp"
#include "hermesctl/hermes/install.hpp"
#include "hermesctl/hermes/permissions.hpp"
#include "requested.hpp"

#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Change;
using hermes::Composition;
using hermes::HeldLease;
using hermes::Plan;
using hermes::Step;

bool has_conflicts(const Plan& plan) {
    for (const Step& step : plan.steps) {
        if (!step.conflicts.empty()) return true;
    }
    return false;
}

bool takes_over(const Plan& plan) {
    for (const Step& step : plan.steps) {
        if (step.adopted || !step.taken.empty()) return true;
    }
    return false;
}

/// What only adds or updates our own objects needs no yes where nobody can be asked.
void get_consent(Session& session, const Plan& plan, const DeployFlags& flags) {
    if (has_conflicts(plan) && !flags.force_conflicts) {
        throw Error(ExitCode::failed, "other field managers own fields that deploy sets (see the plan)",
                    "hermesctl deploy --force-conflicts takes them");
    }
    const bool ask = session.terminal().input || takes_over(plan) || has_conflicts(plan);
    if (ask && !session.confirm("apply this?"))
        throw Error(ExitCode::failed, "nothing was changed: you said no");
}

/// The lease: before anything is changed where the namespace is there, else as soon as it is.
class Guard {
  public:
    Guard(Session& session, const hermes::Names& names) : session_(session), names_(names) {}
    void take() {
        if (!lease_) lease_.emplace(session_.client(), names_, hermes::this_holder(), session_.story());
    }
    HeldLease* lease() { return lease_ ? &*lease_ : nullptr; }

  private:
    Session& session_;
    hermes::Names names_;
    std::optional<HeldLease> lease_{};
};

struct Result {
    kube::Json json{};
    std::string text{};
};

Result finish(Session& session, const Composition& made, const Plan& plan, const DeployFlags& flags,
              Guard& guard) {
    Result result{.json = plan_json(plan)};
    if (!plan.changes()) result.text = "nothing to change\n";
    if (made.stopped) {
        result.text += "the agent is stopped; hermesctl start lets it answer\n";
    } else if (!flags.no_wait) {
        const ModelChoice model{made.values.provider, made.values.model};
        const Answers answers = wait_for_answers(session, made.names, model, !flags.no_check, guard.lease());
        result.json.update(answers.json());
        result.text += answers.text();
    }
    return result;
}

Result deploy_one(Session& session, const hermes::Json& settings, const DeployFlags& flags) {
    const hermes::Names names = hermes::names_of(settings);
    session.announce(names.ns);
    Guard guard(session, names);
    const Composition made = hermes::compose(session.client(), wish_of(session, settings), session.story());
    const bool has_namespace = !made.live.of(names.name_space()).is_null();
    if (has_namespace && !flags.dry_run) guard.take();
    const Plan plan = hermes::make_plan(session.client(), made.live, made.objects, flags.force_conflicts);
    if (flags.dry_run) return {plan_json(plan), plan_text(plan)};
    if (plan.changes()) {
        session.story().print(plan_text(plan));
        get_consent(session, plan, flags);
        if (plan.rolls_pod()) drain(session, names, flags.drain, guard.lease());
        hermes::install(session.client(), plan, {.after_namespace = [&] { guard.take(); }}, session.story());
    }
    return finish(session, made, plan, flags, guard);
}

ExitCode deploy(Session& session, const DeployFlags& flags) {
    kube::Json results = kube::Json::array();
    std::string text;
    for (const hermes::Json& settings : requested(session, flags)) {
        try {
            Result result = deploy_one(session, settings, flags);
            results.push_back(std::move(result.json));
            text += result.text;
        } catch (const kube::ApiError& error) {
            if (error.code() != ExitCode::denied) throw;
            throw hermes::explained(session.client(), hermes::names_of(settings), error);
        }
    }
    session.print_result(results.size() == 1 ? results.front() : kube::Json{{"instances", results}}, text);
    return ExitCode::ok;
}

}  // namespace

Run declare_deploy(CLI::App& app, const GlobalFlags&) {
    auto flags = std::make_shared<DeployFlags>();
    add_setting_flags(app, *flags);
    app.add_flag("--dry-run", flags->dry_run, "show the plan and change nothing");
    app.add_flag("--no-wait", flags->no_wait, "do not wait until the bot answers");
    app.add_flag("--no-check", flags->no_check, "do not ask Telegram and the provider at the end");
    app.add_flag("--force-conflicts", flags->force_conflicts, "take fields that other field managers own");
    add_duration(app, "--drain", flags->drain,
                 "how long a busy agent may finish its turn before it is restarted (60s)");
    app.footer(
        "hermesctl deploy\n"
        "hermesctl deploy --allow-user 987654321 --secret TELEGRAM_BOT_TOKEN=@token --secret "
        "MINIMAX_API_KEY=env:KEY\n"
        "hermesctl deploy -f hermes.yaml --dry-run");
    return [flags](Session& session) { return deploy(session, *flags); };
}

}  // namespace hermesctl::cli
