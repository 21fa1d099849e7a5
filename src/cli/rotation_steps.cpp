#include "rotation_steps.hpp"

#include "drain.hpp"
#include "value_trial.hpp"

#include <utility>

namespace hermesctl::cli {

hermes::RotationSteps rotation_steps(Session& session, const hermes::Names& names,
                                     std::chrono::milliseconds at_most, bool check, hermes::HeldLease& lease,
                                     Answers& answers, std::function<void()> changed) {
    using EachRound = hermes::RotationSteps::EachRound;
    hermes::RotationSteps steps{
        .drain = [&session, names, at_most,
                  &lease](const EachRound&) { drain(session, names, at_most, &lease); },
        .wait =
            [&session, names, check, &answers](const std::vector<std::string>& keys,
                                               const EachRound& each_round) {
                const auto known = check ? known_model(session, names) : std::nullopt;
                const ModelChoice model = known.value_or(ModelChoice{});
                try {
                    answers = wait_for_answers(session, names, model, known.has_value(), keys, each_round);
                } catch (const hermes::NotAnswering& error) {
                    if (hermes::made_by(error.trouble(), model, keys)) throw hermes::MadeByTheChange(error);
                    throw;
                }
                return answers.pod;
            },
        .changed = std::move(changed)};
    if (!check) return steps;
    steps.refused = [&session, names](const std::string& key, const std::string& value,
                                      const EachRound& each_round) {
        return is_refused(session, names, key, value, each_round);
    };
    return steps;
}

std::optional<hermes::HalfDone> find_half_done(Session& session, const hermes::Names& names) {
    const kube::Outcome found = session.client().look(names.previous());
    return hermes::half_done(found.object.value_or(kube::Json()), names);
}

void tell_half_done(Session& session, const hermes::Names& names) {
    if (const auto half = find_half_done(session, names))
        session.story().on({"plan", "rotation", State::warning,
                            half->text() + " was found; the next change finishes or undoes it first"});
}

bool recover_rotation(Session& session, const hermes::Names& names, std::chrono::milliseconds at_most,
                      bool check, hermes::HeldLease& lease, std::function<void()> changed) {
    Answers answers;
    return hermes::recover_rotation(
        session.client(), names,
        rotation_steps(session, names, at_most, check, lease, answers, std::move(changed)), &lease,
        session.story());
}

}  // namespace hermesctl::cli
