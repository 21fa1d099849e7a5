// hermesctl deploy: compose, plan, show, apply, wait until the bot answers.
#include "answers.hpp"
#include "beside_agent.hpp"
#include "cage_check.hpp"
#include "commands.hpp"
#include "consent.hpp"
#include "drain.hpp"
#include "errors.hpp"
#include "flags.hpp"
#include "hermesctl/hermes/install.hpp"
#include "hermesctl/hermes/live_config.hpp"
#include "requested.hpp"
#include "rotation_steps.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Composition;
using hermes::ConfigChange;
using hermes::ConfigMode;
using hermes::HeldLease;
using hermes::Plan;
using hermes::Step;

/// What the plan and the change of the agent's own config.yaml say, in this order.
std::string shown(const Plan& plan, const ConfigChange& config) {
    const bool restarts =
        plan.rolls_pod() && kube::int_at(plan.of("Deployment").planned, "/spec/replicas", 1) > 0;
    return plan_text(plan) + config_text(config) +
           (restarts ? "~ restart the agent, which gets this when it starts\n" : "");
}

/// "changed", of all and of each, becomes true as soon as it is.
kube::Json shown_json(const Composition& made, const Plan& plan, const ConfigChange& config) {
    kube::Json json = plan_json(plan);
    for (kube::Json& object : json["objects"])
        object["changed"] = false;
    json["keptUsers"] = made.kept_users;
    if (!config.text.empty()) json["config"] = {{"fields", config.fields}, {"changed", false}};
    return json;
}

void tell_change(kube::Json& json, const kube::Ref& ref) {
    json["changed"] = true;
    for (kube::Json& object : json["objects"]) {
        if (object["kind"] == ref.kind && object["name"] == ref.name) object["changed"] = true;
    }
}

void tell_config(kube::Json& json, const kube::Json& changed) {
    json["config"]["changed"] = changed;
    if (json["changed"] != true) json["changed"] = changed;
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

/// What is told of an instance, also where its deploy fails; small, as it is held through the wait.
struct Result {
    kube::Json json{};
    std::string text{};
    bool leaks = false;
    bool others_changed = false;  // instances before it
    bool changed() const { return others_changed || json.at("changed") == true; }
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

/// An instance, and what was found of its new values before any was changed.
struct Wanted {
    hermes::Wish wish;
    std::optional<Tried> tried{};
};

/// What a wish comes to. Nothing is changed by it.
struct Prepared {
    Composition made{};
    ConfigChange config{};
    Plan plan{};
};

Prepared prepare(Session& session, const hermes::Wish& wish, const DeployFlags& flags, Reporter& reporter) {
    Prepared all{.made = hermes::compose(session.client(), wish, reporter)};
    if (all.made.incomplete) return all;
    const ConfigMode mode = mode_of(flags.config);
    all.config = hermes::plan_config(session.client(), all.made, mode, wish.settings);
    all.plan = make_plan(session, all.made, mode);
    return all;
}

void add_cage(Session& session, const hermes::Names& names, Result& result) {
    CageCheck cage = check_cage(session, names);
    result.text += cage.text;
    result.json["cage"] = std::move(cage.json);
    result.leaks = cage.leaks;
}

void see_it_answer(Session& session, const hermes::Names& names, const ModelChoice& model,
                   const DeployFlags& flags, Guard& guard, Result& result) {
    const Answers answers = wait_for_answers(session, names, model, !flags.no_check, guard.lease());
    result.json.update(answers.json());
    result.text += answers.text();
    if (!flags.no_check) add_cage(session, names, result);
}

Tried try_values(Session& session, const Prepared& all, const DeployFlags& flags,
                 const EachRound& each_round = {}) {
    if (flags.no_check) return {};
    return try_values_beside(session, all.made, all.plan, all.config, each_round);
}

/// Asks, takes the lease and installs; beside an agent that runs, only what was proved for it.
void carry_out(Session& session, const Prepared& all, const DeployFlags& flags,
               const std::optional<Tried>& tried_before, Guard& guard, Result& result) {
    const Composition& made = all.made;
    const ConfigChange& config = all.config;
    const Plan& plan = all.plan;
    const auto each_round = [&] { guard.renew_if_due(); };
    session.show_plan(heading(session, made.names) + shown(plan, config));
    refuse_hopeless(session, made, plan, flags.force_conflicts);
    told_when_cut_off(result.changed(), [&] {
        const Tried tried = tried_before ? *tried_before : try_values(session, all, flags, each_round);
        if (!tried.json.empty()) result.json["tried"] = tried.json;
        if (tried.refusal) throw *tried.refusal;
        get_consent(session, made, plan, config, tried.mistake, result.changed());
    });
    if (!made.live.of(made.names.name_space()).is_null()) {
        guard.take();
        refuse_if_changed(session, made);
    }
    // Beside an agent before anything is changed; else when the cage is there for it.
    const bool installed = made.live.installed(made.names);
    if (installed) prove_image(session, made, plan, each_round);
    const auto before_deployment = [&] {
        if (!installed) prove_image(session, made, plan, each_round);
        prove_cage(session, made, plan, each_round);
        if (plan.rolls_pod()) drain(session, made.names, flags.drain, guard.lease());
        if (config.text.empty()) return;
        tell_config(result.json, nullptr);  // where that fails, nobody knows what is there
        hermes::write_config(session.client(), config, each_round);
        tell_config(result.json, true);
    };
    hermes::install(session.client(), plan,
                    {.after_namespace = [&] { guard.take(); },
                     .before_deployment = before_deployment,
                     .changed = [&](const kube::Ref& ref) { tell_change(result.json, ref); }},
                    session.story());
}

/// All but the wait; what only this needs is given back before that. Whose answer is to be waited for, if
/// any.
std::optional<ModelChoice> change(Session& session, Wanted wanted, const hermes::Names& names,
                                  const DeployFlags& flags, Guard& guard, Result& result) {
    if (!flags.dry_run) {
        wanted.wish.recover = [&] {
            guard.take();
            const auto changed = [&] { result.json["changed"] = true; };
            recover_rotation(session, names, flags.drain, !flags.no_check, *guard.lease(), changed);
        };
    }
    const Prepared all = prepare(session, wanted.wish, flags, session.story());
    const Composition& made = all.made;
    result.json.update(shown_json(made, all.plan, all.config));
    if (flags.dry_run) {
        tell_of_trials(session, made, all.plan, all.config, !flags.no_check);
        result.text = shown(all.plan, all.config);
        return std::nullopt;
    }
    if (all.plan.changes()) {
        carry_out(session, all, flags, wanted.tried, guard, result);
    } else {
        result.text = "nothing to change\n";
    }
    if (made.stopped) result.text += "the agent is stopped; hermesctl start lets it answer\n";
    if (made.stopped || flags.no_wait) return std::nullopt;
    return ModelChoice{made.values.provider, made.values.model};
}

kube::Json untouched(const hermes::Names& names) {
    return {{"namespace", names.ns}, {"name", names.name}, {"changed", false}};
}

void deploy_one(Session& session, const Wanted& wanted, const DeployFlags& flags, Result& result) {
    const hermes::Names names = hermes::names_of(wanted.wish.settings);
    result.json = untouched(names);
    session.turns_to(names);
    session.announce(names.ns);
    try {
        Guard guard(session, names);
        const auto model = change(session, wanted, names, flags, guard, result);
        if (model) see_it_answer(session, names, *model, flags, guard, result);
    } catch (Error& error) {
        if (session.several()) error.during("deploying " + called(names));
        throw;
    }
}

/// What is said along the way is said by the deploy itself.
struct Unheard : Reporter {
    void on(const Event&) override {}
};

/// Whether all is known then; with `ask_later` nobody is asked. Only what was read and typed is kept of it:
/// the first one's deploy may change the plan of the next.
bool check(Session& session, Wanted& wanted, const DeployFlags& flags) {
    hermes::Wish& wish = wanted.wish;
    const hermes::Names names = hermes::names_of(wish.settings);
    session.turns_to(names);
    if (!wish.ask_later) session.announce(names.ns);  // before anybody types a secret
    Unheard unheard;
    Prepared all;
    try {
        all = prepare(session, wish, flags, unheard);
        wish.given = std::move(all.made.given);
        if (!all.plan.changes()) return !all.made.incomplete;
        refuse_hopeless(session, all.made, all.plan, flags.force_conflicts);
        // What was left half done comes first, and its end changes what is new.
        if (!hermes::half_done(all.made.live.of(names.previous()), names))
            wanted.tried = try_values(session, all, flags);
        if (wanted.tried && wanted.tried->refusal) throw *wanted.tried->refusal;
        // Where nobody can be asked, it is known whether that will do.
        if (!session.terminal().input)
            get_consent(session, all.made, all.plan, all.config, wanted.tried.value_or(Tried{}).mistake,
                        false);
        return true;
    } catch (Error& error) {
        if (wish.ask_later) session.announce(names.ns);
        const std::string text = shown(all.plan, all.config);  // what that is about
        if (!text.empty()) session.story().print_broken(heading(session, names) + text);
        error.during(fmt::format("checking {}, before anything is changed", called(names)));
        throw;
    }
}

/// Of several, what is wrong with any is told before anybody is asked and the first is changed, and all that
/// is to be mended at once; what is wrong with an answer, as soon as it is typed.
void check_all(Session& session, std::vector<Wanted>& all, const DeployFlags& flags) {
    std::vector<std::string> wrong;
    hermes::Names first;
    std::string hint;
    for (Wanted& wanted : all) {
        hermes::Wish& wish = wanted.wish;
        try {
            wish.ask_later = true;
            wish.ask_later = !check(session, wanted, flags);
        } catch (const Error& error) {
            if (error.code() != ExitCode::usage) throw;
            const hermes::Names names = hermes::names_of(wish.settings);
            if (wrong.empty()) {
                first = names;
                hint = error.hint();
            }
            wrong.push_back(fmt::format("{}: {}", called(names), error.message()));
        }
    }
    if (!wrong.empty()) {
        session.turns_to(first);  // whose hint it is
        throw Error(ExitCode::usage, fmt::format("{}", fmt::join(wrong, "\n")), hint);
    }
    for (Wanted& wanted : all) {
        if (std::exchange(wanted.wish.ask_later, false)) check(session, wanted, flags);
    }
}

/// As soon as it is known; programs get one document in the end.
void tell(Session& session, const hermes::Wish& wish, const Result& result) {
    if (result.text.empty()) return;
    session.print_partial({}, heading(session, hermes::names_of(wish.settings)) +
                                  completed_hint(result.text, session.typed_flags()));
}

/// One document, for one and for several.
kube::Json json_of(const std::vector<Result>& results, bool several) {
    if (!several) return results.front().json;
    kube::Json json{{"changed", false}, {"instances", kube::Json::array()}};
    for (const Result& result : results) {
        const kube::Json& changed = kube::at(result.json, "/changed");
        if (changed != false && json["changed"] != true) json["changed"] = changed;
        json["instances"].push_back(result.json);
    }
    return json;
}

/// What was found of the new values of several before any was changed.
void add_trials(const std::vector<Wanted>& all, std::vector<Result>& results) {
    for (const Wanted& wanted : all) {
        if (!wanted.tried || wanted.tried->json.empty()) continue;
        Result& result = results.emplace_back();
        result.json = untouched(hermes::names_of(wanted.wish.settings));
        result.json["tried"] = wanted.tried->json;
    }
}

ExitCode deploy(Session& session, const DeployFlags& flags) {
    std::vector<Wanted> all;
    for (hermes::Json& settings : requested(session, flags))
        all.push_back({.wish = wish_of(session, std::move(settings), flags)});
    const bool several = session.several();
    std::vector<Result> results;
    try {
        if (several && !flags.dry_run) check_all(session, all, flags);
        for (const Wanted& wanted : all) {
            const bool others_changed = !results.empty() && results.back().changed();
            Result& result = results.emplace_back(Result{.others_changed = others_changed});
            deploy_one(session, wanted, flags, result);
            tell(session, wanted.wish, result);
        }
    } catch (const std::exception&) {
        if (several && results.empty()) add_trials(all, results);
        // What was done is done, whatever became of the rest.
        session.print_partial(json_of(results, several), "");
        throw;
    }
    session.print_exact(json_of(results, several), "");
    return std::ranges::any_of(results, &Result::leaks) ? ExitCode::failed : ExitCode::ok;
}

}  // namespace

Run declare_deploy(CLI::App& app) {
    auto flags = std::make_shared<DeployFlags>();
    add_setting_flags(app, *flags);
    app.add_flag("--dry-run", flags->dry_run, "show the plan and change nothing");
    app.add_flag("--no-wait", flags->no_wait, "do not wait until the bot answers");
    app.add_flag("--no-check", flags->no_check,
                 "do not try new values first, nor ask Telegram and the provider at the end, nor look at the "
                 "cage");
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
