// hermesctl deploy: compose, plan, show, apply, wait until the bot answers.
#include "answers.hpp"
#include "cage_check.hpp"
#include "commands.hpp"
#include "drain.hpp"
#include "errors.hpp"
#include "flags.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "hermesctl/hermes/hardening.hpp"
#include "hermesctl/hermes/install.hpp"
#include "hermesctl/hermes/live_config.hpp"
#include "hermesctl/hermes/target.hpp"
#include "requested.hpp"
#include "rotation_steps.hpp"

#include <algorithm>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Change;
using hermes::Composition;
using hermes::ConfigChange;
using hermes::ConfigMode;
using hermes::HeldLease;
using hermes::Plan;
using hermes::Step;

bool has_conflicts(const Plan& plan) {
    return std::ranges::any_of(plan.steps, [](const Step& step) { return !step.conflicts.empty(); });
}

bool takes_over(const Plan& plan) {
    return std::ranges::any_of(plan.steps,
                               [](const Step& step) { return step.adopted || !step.taken.empty(); });
}

/// What the plan and the change of the agent's own config.yaml say, in this order.
std::string shown(const Plan& plan, const ConfigChange& config) {
    return plan_text(plan) + config_text(config);
}

kube::Json shown_json(const Composition& made, const Plan& plan, const ConfigChange& config) {
    kube::Json json = plan_json(plan);
    json["keptUsers"] = made.kept_users;
    if (!config.text.empty()) json["config"] = {{"fields", config.fields}};
    return json;
}

/// The pod that runs would be gone before the server says that it makes no other.
void refuse_without_pods(const Composition& made, const Plan& plan) {
    const bool makes_pod = plan.rolls_pod() || plan.of("Deployment").change == Change::create;
    if (!made.pods_refused || !makes_pod) return;
    throw Error(
        ExitCode::failed,
        fmt::format("namespace/{} enforces Pod Security \"restricted\", so no pod would be made: nothing "
                    "was changed",
                    made.names.ns),
        hermes::past_the_level(made.names.ns));
}

std::string question_of(const Composition& made, const std::vector<std::string>& lost) {
    if (!lost.empty())
        return fmt::format("apply this? {} may no longer use the bot then", fmt::join(lost, ", "));
    if (made.neighbours == 0) return "apply this?";
    return fmt::format("apply this, where others run ({} in namespace/{})?",
                       made.neighbours == 1 ? "1 pod" : fmt::format("{} pods", made.neighbours),
                       made.names.ns);
}

/// What only adds or updates our own objects needs no yes where nobody can be asked; what takes something
/// away from somebody, or moves in with others, does.
void get_consent(Session& session, const Composition& made, const Plan& plan, const ConfigChange& config,
                 const DeployFlags& flags) {
    if (has_conflicts(plan) && !flags.force_conflicts) {
        throw Error(ExitCode::failed, "other field managers own fields that deploy sets (see the plan)",
                    "run this again with --force-conflicts, which takes them");
    }
    const auto lost = lost_users(plan);
    const bool takes = takes_over(plan) || has_conflicts(plan) || !lost.empty() || !config.text.empty();
    const bool asks = session.terminal().input || takes || made.neighbours > 0;
    if (asks && !session.confirm(question_of(made, lost)))
        throw Error(ExitCode::failed, "nothing was changed: you said no");
}

/// The question may have taken minutes, and nobody held the lease yet: what was planned must still be true.
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

/// The lease: before anything is changed where the namespace is there, else as soon as it is. Not before the
/// plan, so that a deploy with nothing to change writes nothing.
class Guard {
  public:
    Guard(Session& session, const hermes::Names& names) : session_(session), names_(names) {}
    void take() {
        if (!lease_) lease_.emplace(session_.client(), names_, session_.story());
    }
    HeldLease* lease() { return lease_ ? &*lease_ : nullptr; }
    void renew_if_due() {
        if (lease_) lease_->renew_if_due();
    }

  private:
    Session& session_;
    hermes::Names names_;
    std::optional<HeldLease> lease_{};
};

struct Result {
    kube::Json json{};
    std::string text{};
    bool leaks = false;
};

/// What was made of an instance; small, as it is held through the wait.
struct Deployed {
    Result result{};
    ModelChoice model{};
    bool awaited = true;  // a pod of it is to answer
};

ConfigMode mode_of(const std::string& word) {
    return word == "merge" ? ConfigMode::merge : word == "replace" ? ConfigMode::replace : ConfigMode::keep;
}

/// With the change of config.yaml beside it, the ConfigMap's is not left hanging.
Plan make_plan(Session& session, const Composition& made, ConfigMode mode) {
    Plan plan = hermes::make_plan(session.client(), made.live, made.objects);
    for (Step& step : plan.steps) {
        if (mode != ConfigMode::keep) step.note.clear();
    }
    return plan;
}

void add_cage(Session& session, const hermes::Names& names, Result& result) {
    CageCheck cage = check_cage(session, names);
    result.text += cage.text;
    result.json["cage"] = std::move(cage.json);
    result.leaks = cage.leaks;
}

Result see_it_answer(Session& session, const hermes::Names& names, Deployed deployed,
                     const DeployFlags& flags, Guard& guard) {
    Result result = std::move(deployed.result);
    if (!deployed.awaited) return result;
    const Answers answers = wait_for_answers(session, names, deployed.model, !flags.no_check, guard.lease());
    result.json.update(answers.json());
    result.text += answers.text();
    if (!flags.no_check) add_cage(session, names, result);
    return result;
}

/// Ready or not: an agent that Telegram does not reach runs too.
bool agent_runs(Session& session, const Composition& made) {
    if (!made.live.installed(made.names)) return false;
    try {
        return hermes::find_agent(session.client(), made.names).running;
    } catch (const kube::ApiError&) {  // its pods may not be seen
        return kube::int_at(made.live.of(made.names.deployment()), "/status/replicas") > 0;
    }
}

/// A pod that rolls away an agent that runs now, only to be held by its gate, would be a loss.
void prove_cage(Session& session, const Composition& made, const Plan& plan, Guard& guard) {
    if (!plan.rolls_pod() || !agent_runs(session, made)) return;
    const hermes::Json& live = made.live.of(made.names.deployment());
    try {
        hermes::prove_enforcement(session.client(), made.names, live, plan.of("Deployment").object,
                                  session.story(), [&] { guard.renew_if_due(); });
    } catch (Error& error) {
        error.during("proving it beside the agent, which goes on as it is");
        throw;
    }
}

/// An image that needs root would start no agent, and take the one that runs with it.
void prove_image(Session& session, const Composition& made, const Plan& plan, Guard& guard) {
    hermes::prove_start(session.client(), made.names, made.live.of(made.names.deployment()),
                        plan.of("Deployment").object, session.story(), [&] { guard.renew_if_due(); });
}

/// What no plan can tell.
void tell_of_trial(Session& session, const Composition& made, const Plan& plan) {
    if (!hermes::needs_trial(made.live.of(made.names.deployment()), plan.of("Deployment").object)) return;
    session.story().on({"plan", "image", State::info,
                        "whether it starts without root is not known yet: deploy tries it first, in a pod of "
                        "its own"});
}

/// Asks, takes the lease and installs; beside an agent that runs, only what was proved for it.
void carry_out(Session& session, const Composition& made, const Plan& plan, const ConfigChange& config,
               const DeployFlags& flags, Guard& guard) {
    session.story().print(shown(plan, config));
    refuse_without_pods(made, plan);
    get_consent(session, made, plan, config, flags);
    if (!made.live.of(made.names.name_space()).is_null()) {
        guard.take();
        refuse_if_changed(session, made);
    }
    // Beside an agent before anything is changed; else when the cage is there for it.
    const bool installed = made.live.installed(made.names);
    if (installed) prove_image(session, made, plan, guard);
    const auto before_deployment = [&] {
        if (!installed) prove_image(session, made, plan, guard);
        prove_cage(session, made, plan, guard);
        if (plan.rolls_pod()) drain(session, made.names, flags.drain, guard.lease());
        if (!config.text.empty())
            hermes::write_config(session.client(), config, [&] { guard.renew_if_due(); });
    };
    hermes::install(session.client(), plan,
                    {.after_namespace = [&] { guard.take(); }, .before_deployment = before_deployment},
                    session.story());
}

/// All but the wait; what only this needs is given back before that.
Deployed change(Session& session, const hermes::Json& settings, const hermes::Names& names,
                const DeployFlags& flags, Guard& guard) {
    hermes::Wish wish = wish_of(session, settings, flags);
    bool recovered = false;
    if (!flags.dry_run) {
        wish.recover = [&] {
            guard.take();
            recovered = recover_rotation(session, names, flags.drain, *guard.lease());
        };
    }
    Composition made = hermes::compose(session.client(), wish, session.story());
    const ConfigMode mode = mode_of(flags.config);
    const ConfigChange config = hermes::plan_config(session.client(), made, mode, settings);
    const Plan plan = make_plan(session, made, mode);
    Deployed deployed{.result = {.json = shown_json(made, plan, config)},
                      .model = {made.values.provider, made.values.model},
                      .awaited = !made.stopped && !flags.no_wait && !flags.dry_run};
    deployed.result.json["changed"] = recovered || (plan.changes() && !flags.dry_run);
    std::string& text = deployed.result.text;
    if (flags.dry_run) {
        tell_of_trial(session, made, plan);
        text = shown(plan, config);
        return deployed;
    }
    if (plan.changes()) {
        carry_out(session, made, plan, config, flags, guard);
    } else {
        text = "nothing to change\n";
    }
    if (made.stopped) text += "the agent is stopped; hermesctl start lets it answer\n";
    return deployed;
}

Result deploy_one(Session& session, const hermes::Json& settings, const DeployFlags& flags) {
    const hermes::Names names = hermes::names_of(settings);
    session.turns_to(names);
    session.announce(names.ns);
    Guard guard(session, names);
    Deployed deployed = change(session, settings, names, flags, guard);
    return see_it_answer(session, names, std::move(deployed), flags, guard);
}

ExitCode deploy(Session& session, const DeployFlags& flags) {
    kube::Json results = kube::Json::array();
    std::string text;
    bool leaks = false;
    const std::vector<hermes::Json> all = requested(session, flags);
    for (const hermes::Json& settings : all) {
        try {
            Result result = deploy_one(session, settings, flags);
            results.push_back(std::move(result.json));
            text += completed_hint(result.text, session.typed_flags());  // of this instance
            leaks = leaks || result.leaks;
        } catch (Error& error) {
            if (all.size() == 1) throw;
            const hermes::Names names = hermes::names_of(settings);
            error.during(fmt::format("deploying {} in namespace {}", names.name, names.ns));
            // What was done before is done, whatever became of this one.
            if (!results.empty()) session.print_partial({{"instances", results}}, text);
            throw;
        }
    }
    session.print_exact(all.size() == 1 ? results.front() : kube::Json{{"instances", results}}, text);
    return leaks ? ExitCode::failed : ExitCode::ok;
}

}  // namespace

Run declare_deploy(CLI::App& app) {
    auto flags = std::make_shared<DeployFlags>();
    add_setting_flags(app, *flags);
    app.add_flag("--dry-run", flags->dry_run, "show the plan and change nothing");
    app.add_flag("--no-wait", flags->no_wait, "do not wait until the bot answers");
    app.add_flag("--no-check", flags->no_check,
                 "do not ask Telegram and the provider at the end, nor look at the cage");
    app.add_flag("--force-conflicts", flags->force_conflicts, "take fields that other field managers own");
    add_choice(app, "--config", flags->config, {"keep", "merge", "replace"},
               "the agent's own config.yaml: keep it, merge into it what is named here, or replace it by the "
               "ConfigMap's (keep)");
    add_duration(app, "--drain", flags->drain,
                 "how long a busy agent may finish its turn before it is restarted (60s)");
    app.footer(
        "hermesctl deploy\n"
        "hermesctl deploy --allow-user 987654321 "
        "--secret TELEGRAM_BOT_TOKEN=@token --secret MINIMAX_API_KEY=env:KEY\n"
        "hermesctl deploy --model MiniMax-M3 --config merge\n"
        "hermesctl deploy -f hermes.yaml --dry-run");
    return [flags](Session& session) { return deploy(session, *flags); };
}

}  // namespace hermesctl::cli
