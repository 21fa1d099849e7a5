// hermesctl rotate-secret: new values tried, swapped, proved in the running gateway, and put back if it does
// not come up with them.
#include "commands.hpp"
#include "errors.hpp"
#include "flags.hpp"
#include "hermesctl/hermes/allowlist.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/shadow.hpp"
#include "hermesctl/hermes/target.hpp"
#include "new_values.hpp"
#include "requested.hpp"
#include "rotate_words.hpp"
#include "rotation_steps.hpp"
#include "value_trial.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::HeldLease;
using hermes::RotationPlan;
using hermes::Shadow;
using kube::Json;

struct RotateFlags {
    WantedKeys wanted{};
    std::vector<std::string> unshadow{};
    bool list = false;
    bool no_check = false;
    bool no_restart = false;
    bool dry_run = false;
    std::chrono::milliseconds drain{60'000};
};

class RotateSecret {
  public:
    RotateSecret(Session& session, hermes::Names names, const RotateFlags& flags)
        : session_(session), names_(std::move(names)), flags_(flags) {}

    ExitCode run(const Json& sources) {
        try {
            return told_when_cut_off(began_, [&] { return look_and_change(sources); });
        } catch (const std::exception&) {
            Json done{{"changed", changed_}};
            if (!copy_.empty()) done["copy"] = copy_;
            if (!tried_.json.empty()) done["tried"] = tried_.json;
            session_.print_partial(std::move(done), "");
            throw;
        }
    }

  private:
    ExitCode look_and_change(const Json& sources) {
        // Before anybody is asked for a value.
        hermes::SecretChanges asked;
        for (const auto& [key, source] : sources.items())
            asked[key] = source.is_null() ? std::nullopt : std::optional<std::string>("");
        const RotationPlan before = hermes::plan_rotation(session_.client(), names_, asked);
        const bool half_done = recover();
        // Who may not see the pods cannot restart the agent, prove what it uses or mend its file.
        const bool restarts = !flags_.no_restart && !flags_.dry_run && !before.stopped;
        agent_ = agent_to_ask(session_, names_, restarts || !flags_.unshadow.empty());
        if (!half_done) {
            refuse_missing(before);
            tell_new_keys(session_, before);
        }
        make_plan(read_values(session_, sources));
        look_at_shadows();
        if (!changes_anything()) return end(rotation_json(plan_), unchanged_text(plan_, flags_.unshadow));
        if (flags_.dry_run) return end(rotation_json(plan_), shown() + untried());
        const auto values = flags_.no_check ? hermes::SecretValues{} : new_values(plan_);
        tried_ = agent_ ? try_new_values(session_, names_, values) : untried_values(session_, values);
        if (tried_.refusal) throw *tried_.refusal;
        session_.show_plan(shown());
        get_consent();
        return carry_out();
    }

    bool recover() {
        if (!find_half_done(session_, names_)) return false;
        if (flags_.dry_run) return tell_half_done(session_, names_), true;
        take_lease();
        return recover_rotation(session_, names_, flags_.drain, !flags_.no_check, *lease_,
                                [this] { changed_ = true; });
    }

    /// Of one that was cut off, or waits for a restart, the same again is no mistake.
    void refuse_missing(const RotationPlan& plan) const {
        for (const auto& [key, change] : plan.keys) {
            if (change != hermes::KeyChange::same || plan.changes.at(key) || is_mended(key) ||
                waits_for_restart(plan, key))
                continue;
            // What is no variable's name may be the value itself that was typed.
            throw Error(ExitCode::failed,
                        fmt::format("there is no {} in {}", hermes::is_variable_name(key) ? key : "such key",
                                    title(names_.secret())),
                        "hermesctl rotate-secret --list shows which there are");
        }
    }

    /// A removed key that the gateway still has, or may have.
    bool waits_for_restart(const RotationPlan& plan, const std::string& key) const {
        if (!plan.pending || plan.stopped) return false;
        if (!agent_ || !agent_->running) return true;
        const hermes::SecretChanges removal{{key, std::nullopt}};
        const hermes::Proof gone =
            hermes::prove_in_force(session_.client(), names_, agent_->pod, removal, [] {});
        return !gone.told || !gone.unused.empty();
    }

    void make_plan(hermes::SecretChanges changes) {
        if (!flags_.unshadow.empty()) add_unshadowed(changes);
        plan_ = hermes::plan_rotation(session_.client(), names_, std::move(changes));
    }

    /// What the file sets in the Secret's stead is to be what the Secret holds.
    void add_unshadowed(hermes::SecretChanges& changes) {
        const RotationPlan now = hermes::plan_rotation(session_.client(), names_, {});
        const auto values = hermes::secret_values(now.secret);
        for (const std::string& key : flags_.unshadow) {
            if (changes.contains(key) || now.blind) continue;
            const auto found = values.find(key);
            changes[key] = found == values.end() ? std::nullopt : std::optional(found->second);
        }
    }

    /// Also what is not in the Secret: Hermes' own file, and what the agent runs with.
    bool changes_anything() const {
        const bool rolls = !flags_.no_restart && (plan_.pending || plan_.restart_anyway);
        return plan_.changes_secret() || rolls || !shadows_.all.empty();
    }

    bool is_mended(const std::string& key) const {
        return std::find(flags_.unshadow.begin(), flags_.unshadow.end(), key) != flags_.unshadow.end();
    }

    /// What a file on the volume sets in the Secret's stead is found before the Secret is changed in vain.
    void look_at_shadows() {
        std::vector<std::string> keys = flags_.unshadow;
        for (const auto& [key, value] : plan_.changes)
            keys.push_back(key);
        // A question or a program may have taken minutes.
        if (agent_) agent_ = hermes::find_agent(session_.client(), names_);
        if (agent_) shadows_ = hermes::find_shadows(session_.client(), *agent_, keys);
        if (!shadows_.known) {
            if (!flags_.unshadow.empty()) throw Error(ExitCode::failed, shadows_.why, shadows_.hint);
            session_.story().on(
                {"plan", "shadows", State::warning,
                 fmt::format("whether a file on the volume wins over the Secret is not known{}{}",
                             shadows_.why.empty() ? "" : ": ", shadows_.why)});
            return;
        }
        std::erase_if(shadows_.all, [this](const Shadow& shadow) { return is_as_wanted(shadow); });
        for (const Shadow& shadow : shadows_.all) {
            if (is_mended(shadow.key) && shadow.mendable()) continue;
            const auto change = plan_.changes.find(shadow.key);
            const bool goes = change != plan_.changes.end() && !change->second;
            throw Error(ExitCode::failed,
                        fmt::format("{} is also set in {}, which wins over the Secret: this would be without "
                                    "effect; nothing was changed",
                                    shadow.key, shadow.file),
                        shadow.mendable() ? fmt::format("hermesctl rotate-secret {0}{1} --unshadow {1}",
                                                        goes ? "--remove " : "", shadow.key)
                                          : hermes::managers_business);
        }
        refuse_unknown();
        // Also when the lines have gone already: the gateway that runs may have started with them.
        plan_.restart_anyway = !flags_.unshadow.empty() && !(shadows_.all.empty() && shadows_.settled);
    }

    /// It keeps nothing from being in force: the file, the Secret and the agent have that value already.
    bool is_as_wanted(const Shadow& shadow) const {
        const auto found = plan_.keys.find(shadow.key);
        return shadow.same && !plan_.pending && !is_mended(shadow.key) && found != plan_.keys.end() &&
               found->second == hermes::KeyChange::same;
    }

    bool is_shadowed(const std::string& key) const {
        return std::ranges::any_of(shadows_.all, [&](const Shadow& shadow) { return shadow.key == key; });
    }
    /// What is to be taken out of .env, and the Secret does not have.
    bool is_in_secret(const std::string& key) const {
        const auto known = plan_.keys.find(key);
        return known == plan_.keys.end() || known->second != hermes::KeyChange::same || plan_.changes.at(key);
    }

    void refuse_unknown() const {
        for (const std::string& key : flags_.unshadow) {
            if (is_shadowed(key) || is_in_secret(key) || plan_.pending) continue;
            throw Error(ExitCode::failed,
                        fmt::format("there is no {} in {}, nor in {}", key, hermes::env_file_path,
                                    title(names_.secret())),
                        "hermesctl rotate-secret --list shows which there are; after one that was taken out "
                        "just now: hermesctl restart");
        }
    }

    std::string shown() const {
        std::string text = rotation_text(plan_);
        for (const Shadow& shadow : shadows_.all)
            text += fmt::format("~ change  {}\n            {}: taken out; a copy of the file stays\n",
                                shadow.file, shadow.key);
        if (plan_.restart_anyway && shadows_.all.empty() && !flags_.no_restart)
            text += fmt::format("= same    {}: nothing is to be taken out; the agent restarts with it\n",
                                hermes::env_file_path);
        if (!flags_.no_restart && !plan_.stopped)
            text += "~ restart the agent, which takes its values when it starts\n";
        return text + uses_text(session_, plan_, agent_.has_value());
    }

    std::string untried() const {
        const bool sets = std::ranges::any_of(plan_.changes, [](const auto& one) { return !!one.second; });
        return sets && !flags_.no_check ? "a dry run tries no value; without --dry-run they are tried first\n"
                                        : "";
    }

    /// What takes something away, or may be a mistake, needs a yes also where nobody can be asked.
    void get_consent() {
        std::vector<std::string> doubts = tried_.all_doubts();
        std::ranges::move(misspelled_keys(plan_), std::back_inserter(doubts));
        stops_ = removed_lifeline(session_, plan_);
        if (!stops_.empty()) doubts.push_back(stops_);
        for (const std::string& key : flags_.unshadow) {
            if (!is_in_secret(key) && key != hermes::users_key)
                doubts.push_back(fmt::format("then {} is set nowhere: the Secret has none", key));
        }
        if (is_mended(std::string(hermes::users_key)))
            doubts.push_back("then the Secret's list decides who may use the bot: " + users_then());
        const bool removes = std::ranges::any_of(plan_.changes, [](const auto& one) { return !one.second; });
        const std::string question =
            doubts.empty() ? "change this?" : fmt::format("change this? {}", fmt::join(doubts, "; "));
        session_.confirm(question, removes || !doubts.empty() || !shadows_.all.empty(), changed_);
    }

    /// Who would be let in by the Secret alone; an empty list would lock everybody out.
    std::string users_then() const {
        const auto ids = hermes::users_in(plan_.secret).ids;
        if (ids.empty()) {
            throw Error(ExitCode::failed,
                        fmt::format("without {} in {} nobody may use the bot: the Secret's list is empty",
                                    hermes::users_key, hermes::env_file_path),
                        "hermesctl allow-user ID first");
        }
        return fmt::format("{}", fmt::join(ids, ", "));
    }

    void take_lease() {
        began_ = true;
        if (lease_) return lease_->renew();  // the question may have taken minutes
        lease_.emplace(session_.client(), names_, session_.story());
    }

    hermes::RotationSteps steps() {
        hermes::RotationSteps all = rotation_steps(session_, names_, flags_.drain, !flags_.no_check, *lease_,
                                                   answers_, [this] { changed_ = true; });
        if (!stops_.empty()) all.wait = {};  // it is not to come up
        return all;
    }

    void mend_env_file() {
        if (shadows_.all.empty()) return;
        if (changed_ == false) changed_ = nullptr;
        copy_ = hermes::remove_shadows(session_.client(), shadows_, [this] { lease_->renew_if_due(); });
        changed_ = true;
        session_.story().on({"rotation", std::string(hermes::env_file_path), State::done,
                             "the lines are taken out; the file as it was, values and all: " + copy_});
    }

    /// That file is no part of what is put back: what fails says how it comes back.
    hermes::Rotated rotated() {
        try {
            hermes::Rotated done = hermes::rotate(session_.client(), plan_, !flags_.no_restart, steps(),
                                                  &*lease_, session_.story());
            if (!done.proof.shadowed.empty()) throw shadowed(done.proof);
            return done;
        } catch (Error& error) {
            if (!copy_.empty()) {
                error.during(completed_hint(
                    fmt::format("using the Secret instead of {0}, which stays without {1}; it comes back by: "
                                "hermesctl exec -- cp -p {2} {0}, then hermesctl restart",
                                hermes::env_file_path, fmt::join(flags_.unshadow, ", "), copy_),
                    session_.typed_flags()));
            }
            throw;
        }
    }

    ExitCode carry_out() {
        take_lease();
        mend_env_file();
        const hermes::Rotated done = rotated();
        Json json = rotation_json(plan_);
        json["tried"] = tried_.json;
        json["inForce"] = done.answering && done.proof.holds();
        if (!copy_.empty()) json["copy"] = copy_;
        if (done.answering) json.update(answers_.json());
        std::string text = outcome_text(plan_, done, flags_.no_restart, !stops_.empty());
        if (done.answering) text += answers_.text();
        const auto ends = old_values_end(plan_, tried_, flags_.no_restart, copy_);
        json["next"] = ends;
        for (const std::string& line : ends)
            text += line + "\n";
        return end(std::move(json), text);
    }

    static Error shadowed(const hermes::Proof& proof) {
        return {
            ExitCode::failed,
            fmt::format("the bot answers, but not with the new {}: a file on the volume wins over the Secret",
                        fmt::join(proof.shadowed, ", ")),
            fmt::format("hermesctl rotate-secret --unshadow {}", proof.shadowed.front())};
    }

    ExitCode end(Json json, const std::string& text) {
        json["changes"] = changes_anything();
        json["changed"] = changed_;
        session_.print_result(std::move(json), text);
        return ExitCode::ok;
    }

    Session& session_;
    hermes::Names names_;
    const RotateFlags& flags_;
    bool began_ = false;
    Json changed_ = false;  // also what an earlier run had left half done; null: nobody knows
    std::optional<HeldLease> lease_{};
    std::optional<hermes::Target> agent_{};  // nothing: the pods may not be seen
    RotationPlan plan_{};
    hermes::Shadows shadows_{};
    Tried tried_{};
    Answers answers_{};
    std::string copy_{};   // of .env as it was
    std::string stops_{};  // why the bot will not answer after this, as it was asked for
};

/// Its deploy would set the value of before.
void warn_of_file(Session& session, const Json& settings, const Json& sources) {
    for (const auto& [key, source] : sources.items()) {
        if (!kube::at(settings, "/secrets").contains(key)) continue;
        session.story().on({"plan", key, State::warning,
                            fmt::format("a deploy with {} sets it again, to what its source there gives",
                                        session.flags().file)});
    }
}

ExitCode rotate_secret(Session& session, const RotateFlags& flags) {
    const Json settings = requested_settings(session);
    const hermes::Names names = hermes::names_of(settings);
    const Json sources = sources_of(flags.wanted);
    for (const std::string& key : flags.unshadow)
        hermes::secret_setting(key + "=-");  // is it a key at all?
    const bool changes = !sources.empty() || !flags.unshadow.empty();
    if (flags.list && changes) throw Error(ExitCode::usage, "--list changes nothing: leave the keys out");
    if (flags.list) tell_half_done(session, names);
    if (flags.list) return list_keys(session, names);
    if (!changes) {
        throw Error(ExitCode::usage, "which key? hermesctl rotate-secret KEY",
                    "hermesctl rotate-secret --list shows what there is");
    }
    session.announce(names.ns);
    warn_of_file(session, settings, sources);
    return RotateSecret(session, names, flags).run(sources);
}

}  // namespace

Run declare_rotate_secret(CLI::App& app) {
    auto flags = std::make_shared<RotateFlags>();
    app.add_option("KEY", flags->wanted.keys,
                   "a key of the Secret; its value is asked for, or comes from KEY=- (stdin), KEY=@FILE, "
                   "KEY=env:NAME or KEY=cmd:PROGRAM")
        ->type_name("");
    add_list(app, "--secret", flags->wanted.secrets, "KEY=SOURCE", "the same as a flag, as deploy has it");
    add_list(app, "--remove", flags->wanted.remove, "KEY", "take a key out of the Secret");
    add_list(app, "--unshadow", flags->unshadow, "KEY",
             "take a key out of the agent's own .env, where it wins over the Secret");
    app.add_flag("--list", flags->list, "show the keys, who uses them and how old they are; never a value");
    app.add_flag("--no-check", flags->no_check,
                 "do not try the values before, nor ask Telegram and the provider at the end");
    app.add_flag(
        "--no-restart", flags->no_restart,
        "change only the Secret, and keep no old value; a later restart or deploy brings it in force");
    app.add_flag("--dry-run", flags->dry_run, "show what would change and change nothing");
    add_duration(app, "--drain", flags->drain,
                 "how long a busy agent may finish its turn before it is restarted (60s)");
    app.footer(
        "hermesctl rotate-secret TELEGRAM_BOT_TOKEN\n"
        "hermesctl rotate-secret MINIMAX_API_KEY=env:NEW_KEY\n"
        "pass show colony | hermesctl rotate-secret COLONY_PAT --no-restart\n"
        "hermesctl rotate-secret --list");
    return [flags](Session& session) { return rotate_secret(session, *flags); };
}

}  // namespace hermesctl::cli
