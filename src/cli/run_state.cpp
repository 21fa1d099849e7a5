// hermesctl stop, start, restart and wait: whether the agent runs, without a change of what it is.
#include "answers.hpp"
#include "commands.hpp"
#include "drain.hpp"
#include "flags.hpp"
#include "requested.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

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

/// Of the rollout tools, not ours: written by the apply manager the annotation would vanish with the next
/// deploy and roll the pod once more.
constexpr std::string_view restart_manager = "kubectl-rollout";

Json scale_to(int replicas) {
    return {{"spec", {{"replicas", replicas}}}};
}

ExitCode say(Session& session, const std::string& text, Json json) {
    session.print_result(json, text);
    return ExitCode::ok;
}

ExitCode answer(Session& session, const hermes::Names& names, const ModelChoice& model, const RunFlags& flags,
                hermes::HeldLease* lease) {
    if (flags.no_wait)
        return say(session, "done; hermesctl wait tells when it answers\n", {{"changed", true}});
    const Answers answers = wait_for_answers(session, names, model, !flags.no_check, lease);
    return say(session, answers.text(), answers.json());
}

void end_pods_now(Session& session, const hermes::Names& names) {
    for (const Json& pod :
         session.client().list("Pod", names.ns, {.label = "app=" + names.name, .field = {}})) {
        session.client().remove(kube::ref_of(pod),
                                {.uid = kube::text_at(pod, "/metadata/uid"), .grace_seconds = 0});
    }
}

ExitCode stop(Session& session, const RunFlags& flags) {
    const hermes::Names names = requested_names(session);
    session.announce(names.ns);
    live_model(session, names);  // there is something to stop
    if (flags.dry_run)
        return say(session, "would scale " + title(names.deployment()) + " to 0\n", {{"changed", false}});
    // No lease: the kill switch works whoever else is at it.
    session.client().patch(names.deployment(), kube::Patch::merge, scale_to(0)).value();
    if (flags.now) end_pods_now(session, names);
    hermes::wait_until_no_pods(session.client(), names, session.flags().timeout, session.story());
    return say(session, "stopped; its data stays. hermesctl start lets it answer again\n",
               {{"stopped", true}});
}

ExitCode start(Session& session, const RunFlags& flags) {
    const hermes::Names names = requested_names(session);
    session.announce(names.ns);
    const ModelChoice model = live_model(session, names);
    if (flags.dry_run)
        return say(session, "would scale " + title(names.deployment()) + " to 1\n", {{"changed", false}});
    hermes::HeldLease lease(session.client(), names, hermes::this_holder(), session.story());
    session.client().patch(names.deployment(), kube::Patch::merge, scale_to(1)).value();
    return answer(session, names, model, flags, &lease);
}

ExitCode restart(Session& session, const RunFlags& flags) {
    const hermes::Names names = requested_names(session);
    session.announce(names.ns);
    const ModelChoice model = live_model(session, names);
    if (flags.dry_run)
        return say(session, "would restart " + title(names.deployment()) + "\n", {{"changed", false}});
    hermes::HeldLease lease(session.client(), names, hermes::this_holder(), session.story());
    const auto deployment = session.client().get(names.deployment());
    if (deployment && kube::int_at(*deployment, "/spec/replicas", 1) == 0) {
        throw Error(ExitCode::failed, "the agent is stopped (0 replicas)", "hermesctl start");
    }
    drain(session, names, flags.drain, &lease);
    const Json annotations{{"kubectl.kubernetes.io/restartedAt", rfc3339(session.clock().wall())}};
    const Json body{{"spec", {{"template", {{"metadata", {{"annotations", annotations}}}}}}}};
    session.client().patch(names.deployment(), kube::Patch::merge, body, restart_manager).value();
    session.story().on({"apply", title(names.deployment()), State::done, "restarting"});
    return answer(session, names, model, flags, &lease);
}

ExitCode wait(Session& session, const RunFlags& flags) {
    const hermes::Names names = requested_names(session);
    const Answers answers =
        wait_for_answers(session, names, live_model(session, names), !flags.no_check, nullptr);
    return say(session, answers.text(), answers.json());
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

Run declare_stop(CLI::App& app, const GlobalFlags&) {
    auto flags = std::make_shared<RunFlags>();
    app.add_flag("--now", flags->now, "without a grace period");
    add_dry_run(app, *flags);
    app.footer("hermesctl stop\nhermesctl stop --now");
    return with(flags, stop);
}

Run declare_start(CLI::App& app, const GlobalFlags&) {
    auto flags = std::make_shared<RunFlags>();
    add_wait_flags(app, *flags);
    app.footer("hermesctl start");
    return with(flags, start);
}

Run declare_restart(CLI::App& app, const GlobalFlags&) {
    auto flags = std::make_shared<RunFlags>();
    add_wait_flags(app, *flags);
    add_duration(app, "--drain", flags->drain, "how long a busy agent may finish its turn (60s)");
    app.footer("hermesctl restart\nhermesctl restart --drain 5m");
    return with(flags, restart);
}

Run declare_wait(CLI::App& app, const GlobalFlags&) {
    auto flags = std::make_shared<RunFlags>();
    app.add_flag("--no-check", flags->no_check, "do not ask Telegram and the provider at the end");
    app.footer("hermesctl wait\nhermesctl wait --timeout 20m");
    return with(flags, wait);
}

}  // namespace hermesctl::cli
