// hermesctl allow-user: who may use the bot. A change is a rotation of the one key that says so.
#include "allow_user.hpp"

#include "allow_user_change.hpp"
#include "commands.hpp"
#include "errors.hpp"
#include "flags.hpp"
#include "hermesctl/hermes/ownership.hpp"
#include "hermesctl/hermes/rotation.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "requested.hpp"
#include "rotation_steps.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::cli {
namespace {

using hermes::People;
using hermes::UserId;
using hermes::UserIds;
using kube::Json;

/// Whom the arguments name, each once.
UserIds named_users(Session& session, const std::vector<std::string>& words) {
    UserIds ids;
    for (const std::string& word : words) {
        for (const UserId id : hermes::users_of(word)) {
            if (hermes::missing_from(ids, {id}).empty()) {
                session.story().on({"users", std::to_string(id), State::info, "is named twice"});
            } else {
                ids.push_back(id);
            }
        }
    }
    return ids;
}

/// One run of a change.
class Runner {
  public:
    Runner(Session& session, const hermes::Names& names, const AllowFlags& flags)
        : session_(session), names_(names), flags_(flags) {}

    ExitCode run() {
        try {
            return told_when_cut_off(began_, [this] { return look_and_change(); });
        } catch (const std::exception&) {
            session_.print_partial({{"changed", changed_}}, "");
            throw;
        }
    }

  private:
    ExitCode look_and_change() {
        const UserIds ids = named_users(session_, flags_.users);
        refuse_nobody(ids);
        session_.announce(names_.ns);
        end_half_done();
        const Json secret = users_secret(session_, names_);
        refuse_foreign(secret, names_, "allow-user");
        change_ = plan_change(secret, ids, flags_);
        for (const UserId id : flags_.remove ? hermes::missing_from(change_.before.ids, ids) : UserIds{})
            session_.story().on({"users", std::to_string(id), State::info, "is not on the list"});
        look_inside(ids);
        if (!ids.empty()) plan(ids);
        const std::string text = change_text(change_, people_, restarts());
        if (flags_.dry_run) return finish(text.empty() ? "nothing to change\n" : text, result());
        gone_ = flags_.remove ? ids : change_.go;
        if (anything()) {
            session_.show_plan(text);
            get_consent();
            carry_out(ids);
        }
        prove_gone();
        return finish(farewell(ids), result());
    }

    static bool any_of(const UserIds& ids, const UserIds& others) {
        return hermes::missing_from(others, ids).size() < ids.size();
    }

    void refuse_nobody(const UserIds& ids) const {
        if (!ids.empty() || (!flags_.owner.empty() && !flags_.remove && !flags_.replace)) return;
        throw Error(ExitCode::usage,
                    flags_.replace ? "an empty list would let nobody talk to the bot" : "nobody is named",
                    "hermesctl allow-user ID (numeric; @userinfobot tells it)");
    }

    bool rotates() const { return plan_ && (change_.list() || brings_in_force_); }
    /// No pod is left that could answer anybody.
    bool silent() const { return plan_ && plan_->stopped && !people_; }
    bool restarts() const { return rotates() && !plan_->stopped && !flags_.no_restart; }
    bool waits_for_restart() const {
        return plan_ && !plan_->stopped && flags_.no_restart && (plan_->pending || rotates());
    }
    bool anything() const { return rotates() || !change_.revoke.empty() || change_.moves_owner(); }

    /// Until it is ended, an earlier change that was cut off may still be undone.
    void end_half_done() {
        if (flags_.dry_run) return tell_half_done(session_, names_);
        if (!find_half_done(session_, names_)) return;
        began_ = true;
        hermes::HeldLease lease(session_.client(), names_, session_.story());
        recover_rotation(session_, names_, flags_.drain, true, lease, [this] { changed_ = true; });
    }

    /// Names, pairings, and whatever would make the change a vain one.
    void look_inside(const UserIds& ids) {
        UserIds about = ids;
        about.insert(about.end(), change_.go.begin(), change_.go.end());
        people_ = people_inside(session_, names_, about);
        if (!people_) return;
        for (const UserId id : flags_.remove || flags_.replace ? about : UserIds{}) {
            const bool stays = change_.after.has(id);
            if (!stays && people_->paired.contains(id) &&
                hermes::missing_from(change_.revoke, {id}).size() == 1)
                change_.revoke.push_back(id);
        }
        if (change_.list() && people_->shadow) {
            throw refused(people_->shadow->text() +
                              " stands in for the Secret's list, so a change of that changes nothing",
                          hermes::way_out_of(*people_->shadow));
        }
    }

    void plan(const UserIds& ids) {
        plan_ = hermes::plan_rotation(session_.client(), names_,
                                      {{std::string(hermes::users_key), change_.after.text}});
        // A list that an earlier --no-restart has left.
        brings_in_force_ = plan_->pending && !flags_.no_restart &&
                           (!flags_.remove || (people_ && any_of(ids, people_->started_with)));
        if (hermes::users_in(plan_->secret).text == change_.before.text) return;
        throw refused(title(names_.secret()) + " was changed meanwhile by somebody else", "run this again");
    }

    void get_consent() {
        const bool takes = !change_.go.empty() || !change_.revoke.empty() || change_.before.everybody;
        session_.confirm("do this?", takes, changed_ != false);
    }

    void carry_out(const UserIds& ids) {
        began_ = true;
        hermes::HeldLease lease(session_.client(), names_, session_.story());
        const auto changed = [this] { changed_ = true; };
        if (recover_rotation(session_, names_, flags_.drain, true, lease, changed) && plan_) plan(ids);
        for (const UserId id : change_.revoke) {
            try {
                const hermes::Target agent = hermes::running_agent(session_.client(), names_);
                if (changed_ == false) changed_ = nullptr;  // where that fails
                hermes::revoke_pairing(session_.client(), agent, id, [&] { lease.renew_if_due(); });
            } catch (const Error& error) {
                throw_until_out(error);
            }
            changed();
            session_.story().on({"users", std::to_string(id), State::done, "the pairing is revoked"});
        }
        if (rotates()) rotate(lease);
        if (change_.moves_owner() || !change_.noted) note_owner();
    }

    void rotate(hermes::HeldLease& lease) {
        Answers answers;
        try {
            rotated_ = hermes::rotate(session_.client(), *plan_, !flags_.no_restart,
                                      // A list has nothing to do with the model: who goes, goes.
                                      rotation_steps(session_, names_, flags_.drain, false, lease, answers,
                                                     [this] { changed_ = true; }),
                                      &lease, session_.story());
        } catch (const Error& error) {
            throw_until_out(error);
        }
        if (rotated_.proof.shadowed.empty()) return;
        throw refused("a file on the volume stands in for the Secret's list, so the new one is not in force",
                      "hermesctl allow-user --list says which");
    }

    /// The list, a pairing and the gateway that runs: any of them may yet let in who is to go.
    [[noreturn]] void throw_until_out(const Error& error) const {
        const bool of_server = dynamic_cast<const kube::ApiError*>(&error) != nullptr;
        const bool ended = error.code() == ExitCode::failed || error.code() == ExitCode::timeout;
        const bool takes = !gone_.empty() || (flags_.replace && change_.before.everybody);
        if (!takes || of_server || !ended) throw;
        const std::string first = error.hint().empty() ? "" : error.hint() + ", then ";
        throw error.with_hint(fmt::format("{}{}: not before that is it sure who is out", first, once_more()));
    }

    std::string once_more() const {
        const std::string ids = fmt::format("{}", fmt::join(gone_, " "));
        if (gone_.empty()) return "the same again";
        if (flags_.replace) return fmt::format("the same again, and hermesctl allow-user --remove {}", ids);
        return fmt::format("hermesctl allow-user --remove {}{}{}", ids, flags_.force ? " --force" : "",
                           change_.owner_named ? fmt::format(" --owner {}", *change_.owner) : std::string());
    }

    void note_owner() {
        const Json annotations{{std::string(hermes::owner_annotation), std::to_string(*change_.owner)}};
        session_.client()
            .patch(names_.secret(), kube::Patch::merge, {{"metadata", {{"annotations", annotations}}}})
            .value();
        changed_ = true;
    }

    /// That somebody is off the list is not enough.
    void prove_gone() {
        if (silent()) return;
        if (rotated_.answering || (anything() && !gone_.empty()))
            people_ = people_inside(session_, names_, {});
        if (gone_.empty()) return;
        if (people_ && flags_.no_restart) {  // what a restart brings is told otherwise
            people_->started_with.clear();
            people_->changed.clear();
        }
        std::string why;
        std::string hint;
        for (const UserId id : gone_) {
            if (!people_) {
                why += fmt::format("\n{}: whether anything else lets that one in is not known", id);
                hint = "once the agent runs: hermesctl allow-user --list";
                continue;
            }
            for (const auto& [reason, way_out] : hermes::still_admitted(*people_, id)) {
                why += fmt::format("\n{}: {}", id, reason);
                if (hint.empty()) hint = way_out;
            }
        }
        if (!why.empty()) throw refused("off the list, but not out:" + why, hint);
    }

    Json result() const {
        Json json = change_json(change_);
        json["changes"] = anything();
        json["changed"] = changed_;
        json["restarted"] = rotated_.answering;
        json["inForce"] = rotated_.proof.told   ? Json(rotated_.proof.holds())
                          : waits_for_restart() ? Json(false)
                                                : Json();
        return json;
    }

    std::string farewell(const UserIds& ids) {
        std::string text;
        for (const UserId id : flags_.remove ? UserIds{} : ids) {
            const std::string obstacle = people_ ? hermes::kept_out_by(*people_, id) : "";
            if (!obstacle.empty())
                throw refused(fmt::format("{} is on the list, but {}", id, obstacle),
                              "hermesctl allow-user --list");
        }
        if (!anything()) text = "nothing to change\n";
        text += fmt::format("who may use the bot: {}\n", fmt::join(change_.after.ids, ", "));
        if (!plan_) return text;
        if (plan_->stopped) {
            text += "the agent is stopped; hermesctl start brings the list in force\n";
            if (gone_.empty() || !silent()) return text;
            return text + fmt::format(
                              "nobody is in now; what else lets somebody in, a pairing too, shows and goes "
                              "after the start: hermesctl allow-user --remove {}\n",
                              fmt::join(gone_, " "));
        }
        if (waits_for_restart()) return text + "not in force yet; hermesctl restart brings it in force\n";
        if (!restarts()) return text;
        if (rotated_.proof.holds()) return text + "in force: the running gateway has this list\n";
        return text +
               fmt::format("the agent was restarted; whether the list is in force could not be told: {}\n",
                           rotated_.proof.why);
    }

    /// The list is not all that decides.
    ExitCode finish(const std::string& text, Json json) {
        json.update(others_json(people_));
        session_.print_result(json, text + others_text(people_, change_.after, change_.revoke));
        return ExitCode::ok;
    }

    Session& session_;
    const hermes::Names& names_;
    const AllowFlags& flags_;
    Change change_{};
    UserIds gone_{};  // who must be out in the end
    std::optional<People> people_{};
    std::optional<hermes::RotationPlan> plan_{};
    bool began_ = false;
    Json changed_ = false;  // null: nobody knows; also what an earlier change had left half done
    bool brings_in_force_ = false;
    hermes::Rotated rotated_{};
};

ExitCode allow_user(Session& session, const AllowFlags& flags) {
    const hermes::Names names = requested_names(session);
    if ((flags.list || flags.pending) && !flags.users.empty())
        throw Error(ExitCode::usage, "--list and --pending take no ids", "hermesctl allow-user --help");
    if (flags.list) tell_half_done(session, names);
    if (flags.list) return list_users(session, names);
    if (flags.pending) return list_pending(session, names);
    return Runner(session, names, flags).run();
}

}  // namespace

Run declare_allow_user(CLI::App& app) {
    auto flags = std::make_shared<AllowFlags>();
    app.add_option("users", flags->users, "numeric Telegram ids (@userinfobot tells one's own)")
        ->type_name("ID");
    auto* remove =
        app.add_flag("--remove", flags->remove, "take them off the list, and revoke their pairing");
    auto* replace = app.add_flag("--replace", flags->replace, "the list is these, and nobody else");
    auto* list = app.add_flag("--list", flags->list, "show who may use the bot, and by what");
    auto* pending = app.add_flag("--pending", flags->pending,
                                 "show who wrote to the bot since it started, and was refused");
    replace->excludes(remove);
    auto* owner = add_text(app, "--owner", flags->owner, "ID",
                           "whom nobody removes without --force (at first: the first one ever allowed)");
    auto* force = app.add_flag("--force", flags->force, "remove the owner, too");
    auto* dry_run = app.add_flag("--dry-run", flags->dry_run, "show what would change and change nothing");
    auto* no_restart =
        app.add_flag("--no-restart", flags->no_restart, "change the list, which is in force after a restart");
    auto* drain =
        add_duration(app, "--drain", flags->drain, "how long a busy agent may finish its turn (60s)");
    pending->excludes(list);
    for (auto* shows : {list, pending})
        shows->excludes(remove, replace, owner, force, dry_run, no_restart, drain);
    app.footer(
        "hermesctl allow-user 987654321\n"
        "hermesctl allow-user --remove 987654321\n"
        "hermesctl allow-user --list\n"
        "hermesctl allow-user --pending   (and the command that lets each one in)");
    return [flags](Session& session) { return allow_user(session, *flags); };
}

}  // namespace hermesctl::cli
