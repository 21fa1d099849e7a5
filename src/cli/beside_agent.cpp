#include "beside_agent.hpp"

#include "hermesctl/hermes/gate.hpp"
#include "hermesctl/hermes/hardening.hpp"
#include "hermesctl/hermes/rotation.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/target.hpp"
#include "hermesctl/hermes/trial.hpp"
#include "requested.hpp"

#include <algorithm>

namespace hermesctl::cli {
namespace {

using hermes::Composition;
using hermes::ConfigChange;
using hermes::Plan;
using hermes::SecretValues;

/// Ready or not: an agent that Telegram does not reach runs too.
bool agent_runs(Session& session, const Composition& made) {
    if (!made.live.installed(made.names)) return false;
    try {
        return hermes::find_agent(session.client(), made.names).running;
    } catch (const kube::ApiError&) {  // its pods may not be seen
        return kube::int_at(made.live.of(made.names.deployment()), "/status/replicas") > 0;
    }
}

/// New to the Secret, where anybody can be asked about any of them: who takes a key may look at the others,
/// too.
SecretValues new_values(const Plan& plan) {
    const hermes::Step& secret = plan.of("Secret");
    const SecretValues before = hermes::secret_values(secret.live);
    SecretValues values = hermes::secret_values(secret.object);
    std::erase_if(values, [&](const auto& one) {
        const auto found = before.find(one.first);
        const bool same = found != before.end() && found->second == one.second;
        return same || one.first == hermes::users_key;
    });
    const bool any = std::ranges::any_of(values, [](const auto& one) { return somebody_takes(one.first); });
    return any ? values : SecretValues{};
}

kube::Json routes_of(const kube::Json& deployment) {
    kube::Json routes = kube::Json::array();
    for (const kube::Json& container : kube::at(deployment, "/spec/template/spec/containers")) {
        for (const kube::Json& entry : kube::at(container, "/env")) {
            if (hermes::is_route(kube::text_at(entry, "/name"))) routes.push_back(entry);
        }
    }
    return routes;
}

SecretValues routes_in(const kube::Json& secret) {
    SecretValues values = hermes::secret_values(secret);
    std::erase_if(values, [](const auto& one) { return !hermes::is_route(one.first); });
    return values;
}

/// Another model is asked for by the same way.
bool keeps_way(const ConfigChange& config) {
    return std::ranges::all_of(config.fields,
                               [](const std::string& field) { return field.starts_with("model.default: "); });
}

/// Whether its pod asks now whom it would surely ask then.
bool same_way(const Plan& plan, const ConfigChange& config) {
    const hermes::Step& pod = plan.of("Deployment");
    const hermes::Step& secret = plan.of("Secret");
    return keeps_way(config) && !hermes::lacks_secret(pod.live, secret.live) &&
           routes_of(pod.live) == routes_of(pod.planned) &&
           routes_in(secret.live) == routes_in(secret.object);
}

/// Why new values are not tried; "" where they are.
std::string why_untried(bool runs, const Composition& made, const Plan& plan, const ConfigChange& config) {
    if (made.stopped) return "the agent is stopped (hermesctl rotate-secret tries them in a pod of its own)";
    if (!runs) return "no agent runs that could be asked";
    return same_way(plan, config)
               ? ""
               : "the way to who takes them may change, too (variables, Secret, config.yaml)";
}

}  // namespace

Tried try_values_beside(Session& session, const Composition& made, const Plan& plan,
                        const ConfigChange& config, const EachRound& each_round) {
    const SecretValues values = new_values(plan);
    if (values.empty() || !made.live.installed(made.names)) return {};
    const bool runs = agent_runs(session, made);
    const std::string why = why_untried(runs, made, plan, config);
    if (why.empty()) return try_new_values(session, made.names, values, each_round, hermes::TrialPlace::pod);
    Tried tried = left_untried(session, made.names, values, why);
    if (runs) tried.mistake = "new values are not tried: " + why;
    return tried;
}

void prove_cage(Session& session, const Composition& made, const Plan& plan, const EachRound& each_round) {
    if (!plan.rolls_pod() || !agent_runs(session, made)) return;
    const hermes::Json& live = made.live.of(made.names.deployment());
    try {
        hermes::prove_enforcement(session.client(), made.names, live, plan.of("Deployment").object,
                                  session.story(), each_round);
    } catch (Error& error) {
        error.during("proving it beside the agent, which goes on as it is");
        throw;
    }
}

void prove_image(Session& session, const Composition& made, const Plan& plan, const EachRound& each_round) {
    hermes::prove_start(session.client(), made.names, made.live.of(made.names.deployment()),
                        plan.of("Deployment").object, session.story(), each_round);
}

void tell_of_trials(Session& session, const Composition& made, const Plan& plan, const ConfigChange& config,
                    bool values_too) {
    if (values_too && made.live.installed(made.names) && !new_values(plan).empty()) {
        const bool runs = agent_runs(session, made);
        const std::string why = why_untried(runs, made, plan, config);
        session.story().on({"plan", "values", State::info,
                            why.empty() ? "a dry run tries none: deploy tries those that are new first"
                                        : "deploy does not try those that are new" +
                                              std::string(runs ? ", and needs a yes: " : ": ") + why});
    }
    if (hermes::needs_trial(made.live.of(made.names.deployment()), plan.of("Deployment").object))
        session.story().on(
            {"plan", "image", State::info,
             "whether it starts without root is not known yet: deploy tries it first, in a pod "
             "of its own"});
}

}  // namespace hermesctl::cli
