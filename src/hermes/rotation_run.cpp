// Carries a rotation out, puts it back, and goes on with one that was interrupted.
#include "hermes/rotation_record.hpp"
#include "hermes/rotation_words.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/roll.hpp"
#include "hermesctl/hermes/secrets.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <utility>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::text_at;
using Holds = RotationRecord::Holds;

bool means_not_up(const Error& error) {
    return error.code() == ExitCode::failed || error.code() == ExitCode::timeout;
}

/// Whatever it says, it is no new value's doing.
bool is_of_the_server(const Error& error) {
    return dynamic_cast<const kube::ApiError*>(&error) != nullptr;
}

/// The server has said no: surely nothing was written.
bool is_refusal(const kube::ApiError& error) {
    return error.http() >= 400 && error.http() < 500 && error.code() != ExitCode::timeout;
}

Json data_of(const SecretChanges& changes) {
    Json data = Json::object();
    for (const auto& [key, value] : changes)
        data[key] = value ? Json(base64_encode(*value)) : Json();
    return data;
}

class Rotator {
  public:
    Rotator(kube::Client& client, const Names& names, const RotationSteps& steps, HeldLease* lease,
            Reporter& reporter)
        : client_(client), names_(names), steps_(steps), lease_(lease), reporter_(reporter) {}

    Rotated rotate(const RotationPlan& plan, bool restart) {
        return left_well([&] { return plan.blind ? change_unseen(plan, restart) : change(plan, restart); });
    }

    bool recover() {
        record_ = RotationRecord::find(client_, names_);
        if (!record_) return false;
        refuse_living_holder();
        record_->take_over();
        tell_change();
        tell(State::warning, record_->said().text() + " was found");
        left_well([&] { go_on(); });
        return true;
    }

  private:
    /// Whatever ends it, the next command knows what it has left.
    template <typename Run>
    auto left_well(Run run) -> decltype(run()) {
        try {
            return run();
        } catch (const Error& error) {
            leave(error);
            const bool away = error.code() == ExitCode::unreachable && record_;
            if (away || error.code() == ExitCode::interrupted) throw cut_off(error);
            throw;
        }
    }

    Rotated change(const RotationPlan& plan, bool restart) {
        const bool changes_secret = plan.changes_secret();
        const bool rolls = restart && !plan.stopped;
        const bool waits = rolls && steps_.wait;
        if (rolls && steps_.drain) steps_.drain(each_round());
        Json secret = plan.secret;
        if (changes_secret) {
            std::string salt = salt_of(secret);
            if (salt.empty()) salt = hex(random_bytes(16));
            if (waits) record_ = RotationRecord::begin(client_, names_, secret, plan.changes, salt);
            secret = begin_with(secret, plan.changes, salt);
        }
        Rotated done{.changed = changes_secret};
        if (!restart && !plan.stopped) return done;  // of a stopped one nothing restarts
        try {
            const bool marked = set_mark(secret, plan.deployment);
            if (!marked && rolls && plan.restart_anyway) roll_pod(std::nullopt);
        } catch (const kube::ApiError& error) {
            if (!record_ || !is_refusal(error)) throw;
            take_back(secret, error);
        }
        return waits ? told(plan.changes, finish(plan.changes, std::move(done))) : done;
    }

    /// The first change of the Secret: what is refused leaves nothing behind.
    Json begin_with(const Json& secret, const SecretChanges& changes, const std::string& salt) {
        const kube::Outcome changed = patch_secret(secret, changes, salt);
        if (changed.object) return *changed.object;
        if (changed.error->http() != 409) {
            if (is_refusal(*changed.error) && record_) drop_record();
            throw *changed.error;
        }
        const Json now = client_.get(names_.secret()).value_or(Json());
        // The answer to a first try was lost: it was ours.
        if (record_ && record_->holds(secret_values(now)) == Holds::new_ones) {
            tell_change();
            return now;
        }
        if (record_) drop_record();
        throw Error(ExitCode::failed,
                    fmt::format("{} was changed meanwhile{}, and stays as it is now", title(names_.secret()),
                                last_writer(now)),
                    "run this again: it looks at what is there now");
    }

    /// Under the version that was read: of two at once one wins.
    kube::Outcome patch_secret(const Json& secret, const SecretChanges& changes, const std::string& salt) {
        Json body{{"metadata", {{"resourceVersion", text_at(secret, "/metadata/resourceVersion")}}},
                  {"data", data_of(changes)}};
        if (salt_of(secret) != salt) body["metadata"]["annotations"]["hermesctl/salt"] = salt;
        touched_ = true;
        kube::Outcome changed = client_.patch(names_.secret(), kube::Patch::merge, body);
        if (!changed.object) return changed;
        tell_change();
        tell(State::done, listed(changes) + " changed");
        return changed;
    }

    void roll_pod(const std::optional<Json>& annotations) {
        roll(client_, names_, annotations, reporter_);
        tell_change();
    }

    /// The mark that deploy would write: the pod rolls, and the next deploy finds nothing to change.
    bool set_mark(const Json& secret, const Json& deployment) {
        const std::string mark = secrets_mark(salt_of(secret), secret_values(secret));
        if (template_mark(deployment) == mark) return false;
        roll_pod(Json{{"hermesctl/secret-hmac", mark}});
        return true;
    }

    /// The pod may not be rolled: the Secret is as it was, and no pod has seen the new values.
    [[noreturn]] void take_back(const Json& secret, kube::ApiError error) {
        patch_secret(secret, record_->old_values(), salt_of(secret)).value();
        drop_record();
        error.during(fmt::format("restarting the pod; {} is as it was", title(names_.secret())));
        throw error;
    }

    Rotated finish(const SecretChanges& changes, Rotated done) {
        try {
            done.pod = steps_.wait(keys_of(changes), each_round());
            done.proof = prove_in_force(client_, names_, done.pod, changes, each_round());
            each_round()();
        } catch (Error& error) {
            if (!record_ || lost_ || !means_not_up(error) || is_of_the_server(error)) throw;
            const bool stopped = is_stopped();
            const bool made = dynamic_cast<const MadeByTheChange*>(&error) != nullptr;
            if (made && !stopped) throw put_back(changes, error);
            // As in go_on(), what the Secret holds stays: nobody is to undo it later.
            const bool gone = drop_record();
            if (!stopped) throw stays(changes, error, gone ? "" : title(names_.previous()));
            error.during(fmt::format("changing {}; {} keeps the new value, which a start brings in force",
                                     listed(changes), title(names_.secret())));
            throw;
        }
        done.answering = true;
        return done;
    }

    /// What answers is no reason to put anything back, but with what it answers has to be known.
    Rotated told(const SecretChanges& changes, Rotated done) {
        const bool used = done.proof.unused.empty();
        if (used && !done.proof.told && !done.proof.denied) throw not_told(changes, done.proof);
        if (record_) drop_record();
        if (!used) throw not_used(done.proof);
        return done;
    }

    bool is_stopped() {
        return kube::int_at(client_.get(names_.deployment()).value_or(Json()), "/spec/replicas", 1) == 0;
    }

    /// The story of a rotation that did not come up, as the error that ends it. Nothing is half done after
    /// it.
    Error put_back(const SecretChanges& changes, const Error& cause) {
        tell(State::failed,
             fmt::format("it does not come up with the new {}: {}", listed(changes), cause.message()));
        const Json secret = client_.get(names_.secret()).value_or(Json());
        if (record_->holds(secret_values(secret)) != Holds::new_ones) {
            drop_record();
            return story(changes, cause,
                         fmt::format("{} was changed meanwhile{}, and stays as it is now",
                                     title(names_.secret()), last_writer(secret)));
        }
        const auto [back, kept] = good_old_values();
        if (!kept.empty()) tell(State::warning, kept);
        if (back.empty()) {
            drop_record();
            return story(changes, cause, kept);
        }
        tell(State::waiting, "putting back the old " + listed(back));
        const kube::Outcome restored = patch_secret(secret, back, salt_of(secret));
        set_mark(restored.value(), client_.get(names_.deployment()).value_or(Json()));
        drop_record();
        std::string end = fmt::format("the old {} is back", listed(back));
        try {
            steps_.wait(keys_of(back), each_round());
            end += ", and the bot answers with it";
        } catch (const Error& error) {
            if (lost_ || !means_not_up(error)) throw;
            end += fmt::format(", but {}: {}",
                               is_of_the_server(error) ? "whether the bot answers with it could not be told"
                                                       : "the bot does not answer with it either",
                               error.message());
        }
        return story(changes, cause, kept.empty() ? end : fmt::format("{}; {}", end, kept));
    }

    /// And the words for those that are not put back: an old value that has been revoked meanwhile would only
    /// be another failure, and who was put out does not come back.
    std::pair<SecretChanges, std::string> good_old_values() {
        SecretChanges back;
        std::string kept;
        for (const auto& [key, value] : record_->old_values()) {
            const char* why = "";
            if (says_who_gets_in(key))
                why = "it says who may use the bot";
            else if (value && steps_.refused && steps_.refused(key, *value, each_round()))
                why = "it is refused too";
            if (*why == '\0')
                back[key] = value;
            else
                kept += fmt::format("{}the old {} is not put back: {}, so the new one stays",
                                    kept.empty() ? "" : "; ", key, why);
        }
        each_round()();
        return {back, kept};
    }

    /// Without the right to read the Secret: no old value to keep, no mark to compute.
    Rotated change_unseen(const RotationPlan& plan, bool restart) {
        const bool rolls = restart && !plan.stopped;
        if (rolls && steps_.drain) steps_.drain(each_round());
        touched_ = true;
        client_.patch(names_.secret(), kube::Patch::merge, {{"data", data_of(plan.changes)}}).value();
        tell_change();
        tell(State::done, listed(plan.changes) + " set unseen; the old value cannot be put back");
        Rotated done{.changed = true};
        if (!rolls) return done;
        roll_pod(std::nullopt);
        if (!steps_.wait) return done;
        try {
            return told(plan.changes, finish(plan.changes, std::move(done)));
        } catch (Error& error) {
            if (means_not_up(error))
                error.during(fmt::format("setting {} without the right to read {}: nothing was put back",
                                         listed(plan.changes), title(names_.secret())));
            throw;
        }
    }

    /// One step of what the header's table says.
    void go_on() {
        const std::array refs{names_.secret(), names_.deployment()};
        const auto found = client_.get_all(refs);
        if (found[0].not_found()) {
            record_->give_up();
            record_.reset();
            return tell(State::warning, fmt::format("{} is not there; the old values stay in {}",
                                                    title(names_.secret()), title(names_.previous())));
        }
        const Json& secret = found[0].value();
        const SecretValues values = secret_values(secret);
        const Holds holds = record_->holds(values);
        const bool installed = !found[1].not_found();
        const Json deployment = installed ? found[1].value() : Json();
        if (installed) set_mark(secret, deployment);
        const bool runs = installed && kube::int_at(deployment, "/spec/replicas", 1) != 0;
        if (holds != Holds::new_ones || !runs) {
            drop_record();
            return tell(State::done, what_stays(holds));
        }
        SecretChanges changes;
        for (const std::string& key : record_->said().keys)
            changes[key] = values.contains(key) ? std::optional(values.at(key)) : std::nullopt;
        complete(changes);
    }

    void complete(const SecretChanges& changes) {
        tell(State::waiting, "it is finished first");
        try {
            const Proof proof = finish(changes, {}).proof;
            if (record_) drop_record();  // told or not: that would keep all other commands from their work
            if (!proof.unused.empty()) return tell(State::warning, not_used(proof).message());
            if (!proof.told) return tell(State::warning, not_told(changes, proof).message());
            tell(State::done, fmt::format("the new {} is in force", listed(changes)));
        } catch (const Error& error) {
            if (record_ || !means_not_up(error)) throw;
            tell(State::warning, error.message());  // put back, or it stays: nothing is half done any more
        }
    }

    /// Who holds the lease is alone at work. Without leases only what has lapsed may be taken.
    void refuse_living_holder() const {
        const HalfDone& said = record_->said();
        if ((lease_ != nullptr && lease_->held()) || said.holder.empty() || said.holder == this_holder())
            return;
        const auto age = client_.clock().wall() - parse_rfc3339(said.renewed);
        if (std::chrono::abs(age) >= lease_lapse) return;
        throw Error(
            ExitCode::failed,
            fmt::format("another hermesctl changes {} of this installation: {}", fmt::join(said.keys, ", "),
                        said.holder),
            fmt::format("wait until it has ended; a killed one lapses after {} s", lease_lapse.count()));
    }

    /// What is left of it after all else went well is no failure: the next command removes it. False then.
    bool drop_record() {
        std::optional<RotationRecord> record = std::exchange(record_, std::nullopt);
        try {
            record->remove();
            return true;
        } catch (const kube::ApiError& error) {
            tell(State::warning,
                 fmt::format("{} could not be removed: {}", title(names_.previous()), error.message()));
            return false;
        }
    }

    /// What it has thrown it throws again: what is asked in a pod takes it for the pod's failure.
    RotationSteps::EachRound each_round() {
        return [this] {
            if (lost_) std::rethrow_exception(lost_);
            try {
                if (lease_ != nullptr) lease_->renew_if_due();
                if (record_) record_->renew_if_due();
            } catch (...) {
                lost_ = std::current_exception();
                throw;
            }
        };
    }

    /// It stays half done; after an orderly end the next command need not wait for it to lapse.
    void leave(const Error& error) {
        if (record_ && !lost_ && error.code() != ExitCode::unreachable) record_->give_up();
    }

    /// What it has left.
    Error cut_off(const Error& error) const {
        if (!record_ && touched_) return error;
        if (!record_) {
            return error
                .with_message(fmt::format("{}; {} is as it was", error.message(), title(names_.secret())))
                .with_hint("");
        }
        return error
            .with_message(fmt::format("{}; the change of {} is half done", error.message(),
                                      fmt::join(record_->said().keys, ", ")))
            .with_hint("the same again, or hermesctl deploy: the next one finishes or undoes it");
    }

    void tell_change() const {
        if (steps_.changed) steps_.changed();
    }

    void tell(State state, const std::string& what) {
        reporter_.on({"rotation", title(names_.secret()), state, what});
    }

    kube::Client& client_;
    const Names& names_;
    const RotationSteps& steps_;
    HeldLease* lease_;
    Reporter& reporter_;
    std::optional<RotationRecord> record_{};
    bool touched_ = false;       // the Secret may have been changed
    std::exception_ptr lost_{};  // why it may be another's by now
};

}  // namespace

Rotated rotate(kube::Client& client, const RotationPlan& plan, bool restart, const RotationSteps& steps,
               HeldLease* lease, Reporter& reporter) {
    return Rotator(client, plan.names, steps, lease, reporter).rotate(plan, restart);
}

bool recover_rotation(kube::Client& client, const Names& names, const RotationSteps& steps, HeldLease* lease,
                      Reporter& reporter) {
    return Rotator(client, names, steps, lease, reporter).recover();
}

}  // namespace hermesctl::hermes
