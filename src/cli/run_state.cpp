// hermesctl stop, start, restart and wait: whether the agent runs, without a change of what it is.
#include "answers.hpp"
#include "commands.hpp"
#include "drain.hpp"
#include "flags.hpp"
#include "hermesctl/hermes/allowlist.hpp"
#include "hermesctl/hermes/hardening.hpp"
#include "hermesctl/hermes/roll.hpp"
#include "hermesctl/hermes/rotation.hpp"
#include "requested.hpp"

#include <array>
#include <functional>
#include <optional>
#include <span>

#include <CLI/CLI.hpp>

namespace hermesctl::cli {
namespace {

using namespace std::chrono_literals;
using kube::Json;

struct RunFlags {
    bool now = false;
    bool no_wait = false;
    bool no_check = false;
    bool dry_run = false;
    std::chrono::milliseconds drain{60'000};
};

Json scale_to(int replicas) {
    return {{"spec", {{"replicas", replicas}}}};
}

/// What is to be done, for programs; "changes" and "changed" as deploy has them.
Json step_of(const hermes::Names& names, const char* action, const Json& deployment, std::int64_t replicas) {
    const std::int64_t before = kube::int_at(deployment, "/spec/replicas", 1);
    return {{"namespace", names.ns},
            {"name", names.name},
            {"action", action},
            {"replicas", {{"from", before}, {"to", replicas}}},
            {"changes", before != replicas},
            {"changed", false}};
}

/// It is done, whatever becomes of the wait.
void settle(Session& session, Json& step) {
    step["changed"] = step["changes"];
    session.print_partial(step, "");
}

ExitCode say(Session& session, const std::string& text, const Json& json) {
    session.print_result(json, text);
    return ExitCode::ok;
}

void warn_if_uncaged(Session& session, const hermes::Names& names, const kube::Outcome& policy) {
    if (!policy.not_found()) return;
    session.story().on({"wait", "cage", State::warning,
                        title(names.policy()) +
                            " is not there: the gate waits for it, and where there is "
                            "none the agent is not caged; hermesctl deploy puts it back"});
}

/// Whoever may not look there is told of none.
void warn_if_open(Session& session, const hermes::Names& names, const kube::Outcome& deployment,
                  const kube::Outcome& secret) {
    const auto openings =
        hermes::what_opens_to_all(secret.object.value_or(Json()), deployment.object.value_or(Json()), names);
    if (!openings.empty()) session.story().on({"wait", "users", State::warning, hermes::text_of(openings)});
}

/// `done` says what was changed.
ExitCode answer(Session& session, const hermes::Names& names, const RunFlags& flags, hermes::HeldLease* lease,
                Json done = Json::object()) {
    const bool asks = !flags.no_wait && !flags.no_check;
    const std::array refs{names.deployment(), names.secret(), names.policy(), names.config()};
    const auto found = session.client().get_all(std::span(refs).first(asks ? 4 : 3));
    if (session.client().is_out_of_time()) {  // or the wait would begin its own
        for (const kube::Outcome& one : found)
            one.value();
    }
    const auto model = asks ? known_model(session, names, found[0], found[3]) : std::nullopt;
    warn_if_open(session, names, found[0], found[1]);
    warn_if_uncaged(session, names, found[2]);
    if (flags.no_wait) return say(session, "done; hermesctl wait tells when it answers\n", done);
    const Answers answers =
        wait_for_answers(session, names, model.value_or(ModelChoice{}), model.has_value(), lease);
    done.update(answers.json());
    return say(session, answers.text(), done);
}

/// Until the controller has seen the change: before, it may still put a new pod in an old one's place. A
/// controller that is down makes none either, so this is no reason to wait for long.
void wait_until_scaled(Session& session, const hermes::Names& names, std::int64_t generation) {
    const auto end = session.clock().now() + 10s;
    while (session.clock().now() < end) {
        const auto deployment = session.client().get(names.deployment());
        if (!deployment) return;
        const bool seen = kube::int_at(*deployment, "/status/observedGeneration") >= generation;
        if (seen && kube::int_at(*deployment, "/status/replicas") == 0) return;
        session.story().tick();
        session.clock().sleep(200ms);
    }
}

void wait_until_stopped(Session& session, const hermes::Names& names, std::int64_t generation, bool now) {
    // Not 0 seconds: that removes only the object, and its container may run on beside the next one.
    const auto end_it = [&](const Json& pod) {
        session.client().remove(kube::ref_of(pod),
                                {.uid = kube::text_at(pod, "/metadata/uid"), .grace_seconds = 1});
    };
    try {
        wait_until_scaled(session, names, generation);
        hermes::wait_until_no_pods(session.client(), names, session.flags().timeout, session.story(), {},
                                   now ? end_it : std::function<void(const Json&)>{});
    } catch (Error& error) {
        error.during("waiting until its pod is gone; " + title(names.deployment()) + " is at 0 replicas");
        throw;
    }
}

/// A dry run that needs no more than the answer whether the server would do it.
ExitCode foretell(Session& session, const hermes::Names& names, const std::string& text, const Json& step) {
    const Json body = scale_to(static_cast<int>(kube::int_at(step, "/replicas/to")));
    session.client().patch(names.deployment(), kube::Patch::merge, body, {.dry_run = true}).value();
    return say(session, text, step);
}

/// The Deployment that is to change. One that is to have a new pod needs its Secret.
Json installed(Session& session, const hermes::Names& names, bool starts) {
    const std::array refs{names.deployment(), names.secret()};
    const auto found = session.client().get_all(std::span(refs).first(starts ? 2 : 1));
    if (found[0].not_found()) throw hermes::missing(names.deployment());
    const Json& deployment = found[0].value();
    if (starts && found[1].not_found()) {
        throw Error(ExitCode::failed, title(names.secret()) + " is not there, and no pod starts without it",
                    "hermesctl deploy makes it anew");
    }
    hermes::expect_root_warning(session.client(), hermes::wants_hardness(deployment));
    return deployment;
}

/// No lease, and nothing is read that it does not need: the kill switch works whatever else is wrong.
ExitCode stop(Session& session, const RunFlags& flags) {
    const hermes::Names names = requested_names(session);
    session.announce(names.ns);
    const Json deployment = installed(session, names, false);
    Json step = step_of(names, "stop", deployment, 0);
    if (flags.dry_run)
        return foretell(session, names, "would scale " + title(names.deployment()) + " to 0\n", step);
    const kube::Outcome scaled = session.client().patch(names.deployment(), kube::Patch::merge, scale_to(0));
    const auto generation = kube::int_at(scaled.value(), "/metadata/generation");
    settle(session, step);
    wait_until_stopped(session, names, generation, flags.now);
    step["stopped"] = true;
    return say(session, "stopped; its data stays. hermesctl start lets it answer again\n", step);
}

ExitCode start(Session& session, const RunFlags& flags) {
    const hermes::Names names = requested_names(session);
    session.announce(names.ns);
    const Json deployment = installed(session, names, true);
    Json step = step_of(names, "start", deployment, 1);
    if (flags.dry_run)
        return foretell(session, names, "would scale " + title(names.deployment()) + " to 1\n", step);
    hermes::HeldLease lease(session.client(), names, session.story());
    if (kube::int_at(deployment, "/spec/replicas", 1) == 0) {
        // Scaled up, Kubernetes would not wait for a pod that is still stopping: two would share the volume.
        hermes::wait_until_no_pods(session.client(), names, session.flags().timeout, session.story(),
                                   [&lease] { lease.renew_if_due(); });
    }
    session.client().patch(names.deployment(), kube::Patch::merge, scale_to(1)).value();
    settle(session, step);
    return answer(session, names, flags, &lease, step);
}

ExitCode restart(Session& session, const RunFlags& flags) {
    const hermes::Names names = requested_names(session);
    session.announce(names.ns);
    const Json deployment = installed(session, names, true);
    const auto replicas = kube::int_at(deployment, "/spec/replicas", 1);
    if (replicas == 0) throw Error(ExitCode::failed, "the agent is stopped (0 replicas)", "hermesctl start");
    Json step = step_of(names, "restart", deployment, replicas);
    step["changes"] = true;
    if (flags.dry_run)
        return foretell(session, names, "would restart " + title(names.deployment()) + "\n", step);
    hermes::HeldLease lease(session.client(), names, session.story());
    drain(session, names, flags.drain, &lease);
    // A Secret that was changed without a restart gets in force as by deploy, which then has nothing to do.
    hermes::roll(session.client(), names, hermes::pending_mark(session.client(), names, deployment),
                 session.story());
    settle(session, step);
    return answer(session, names, flags, &lease, step);
}

ExitCode wait(Session& session, const RunFlags& flags) {
    return answer(session, requested_names(session), flags, nullptr);
}

Run with(std::shared_ptr<RunFlags> flags, ExitCode (*command)(Session&, const RunFlags&)) {
    return [flags = std::move(flags), command](Session& session) { return command(session, *flags); };
}

void add_dry_run(CLI::App& app, RunFlags& flags) {
    app.add_flag("--dry-run", flags.dry_run, "say what would be done and change nothing");
}

void add_wait_flags(CLI::App& app, RunFlags& flags) {
    app.add_flag("--no-wait", flags.no_wait, "do not wait until the bot answers");
    app.add_flag("--no-check", flags.no_check, "do not ask Telegram and the provider at the end");
    add_dry_run(app, flags);
}

}  // namespace

Run declare_stop(CLI::App& app) {
    auto flags = std::make_shared<RunFlags>();
    app.add_flag("--now", flags->now, "without a grace period");
    add_dry_run(app, *flags);
    app.footer("hermesctl stop\nhermesctl stop --now");
    return with(flags, stop);
}

Run declare_start(CLI::App& app) {
    auto flags = std::make_shared<RunFlags>();
    add_wait_flags(app, *flags);
    app.footer("hermesctl start");
    return with(flags, start);
}

Run declare_restart(CLI::App& app) {
    auto flags = std::make_shared<RunFlags>();
    add_wait_flags(app, *flags);
    add_duration(app, "--drain", flags->drain, "how long a busy agent may finish its turn (60s)");
    app.footer("hermesctl restart\nhermesctl restart --drain 5m");
    return with(flags, restart);
}

Run declare_wait(CLI::App& app) {
    auto flags = std::make_shared<RunFlags>();
    app.add_flag("--no-check", flags->no_check, "do not ask Telegram and the provider at the end");
    app.footer("hermesctl wait\nhermesctl wait --timeout 20m");
    return with(flags, wait);
}

}  // namespace hermesctl::cli
