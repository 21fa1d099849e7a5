// hermesctl status: is it answering, and if not, why.
#include "answers.hpp"
#include "commands.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/hermes/allowlist.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "hermesctl/hermes/live_config.hpp"
#include "hermesctl/hermes/observation.hpp"
#include "hermesctl/hermes/policy_checks.hpp"
#include "hermesctl/hermes/report.hpp"
#include "hermesctl/hermes/rotation.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/shadow.hpp"
#include "hermesctl/hermes/wait.hpp"
#include "hermesctl/term/table.hpp"
#include "hermesctl/term/text.hpp"
#include "requested.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::cli {
namespace {

using namespace std::chrono_literals;
using kube::Json;
using kube::text_at;

struct Status {
    bool answering = false;
    bool key_checked = false;  // the provider was asked, and takes the key
    std::string verdict{};
    std::string hint{};
    std::string pod{};
    std::string gateway{};
    std::string telegram{};
    std::string bot{};
    std::string model{};       // "": not known
    std::string model_from{};  // "live": of the agent's own config.yaml; "configmap"; "default"
    std::vector<std::int64_t> users{};
    bool everybody = false;  // may use it beside them
    std::string image{};
    std::string cage{};
    std::optional<bool> leaks{};  // as the policies tell it; unset: not known
    bool gate = true;
    std::vector<std::string> drift{};
    std::vector<std::string> warnings{};
};

Json to_json(const Status& status) {
    const bool unasked = status.answering && !status.key_checked;
    return {{"answering", unasked ? Json() : Json(status.answering)},
            {"verdict", status.verdict},
            {"hint", status.hint},
            {"pod", status.pod},
            {"gateway", status.gateway},
            {"telegram", status.telegram},
            {"bot", status.bot},
            {"model", status.model},
            {"modelFrom", status.model_from},
            {"keyAccepted", status.key_checked},
            {"users", status.users},
            {"everybody", status.everybody},
            {"image", status.image},
            {"cage", status.cage},
            {"leaks", status.leaks ? Json(*status.leaks) : Json()},
            {"gate", status.gate ? "on" : "off"},
            {"drift", status.drift},
            {"warnings", status.warnings}};
}

/// What follows the name is no part of it in JSON: the agent itself may have written that.
std::string model_text(const Status& status, const hermes::Names& names) {
    if (status.model.empty()) return "not known";
    std::string text = status.model;
    if (status.model_from == "configmap") text += fmt::format(" (of {})", title(names.config()));
    if (status.model_from == "default")
        text += fmt::format(" (the default; there is no {})", title(names.config()));
    return status.key_checked ? text + ", key accepted" : text;
}

std::string to_text(const Status& status, const hermes::Names& names) {
    std::vector<std::vector<std::string>> rows;
    const std::string model = model_text(status, names);
    const std::string users = status.everybody ? "everybody" : hermes::users_text(status.users);
    const std::vector<std::pair<std::string, std::string>> all{{"pod", status.pod},
                                                               {"gateway", status.gateway},
                                                               {"telegram", status.telegram},
                                                               {"bot", status.bot},
                                                               {"model", model},
                                                               {"users", users},
                                                               {"image", status.image},
                                                               {"cage", status.cage}};
    for (const auto& [name, value] : all) {
        if (!value.empty()) rows.push_back({name, value});
    }
    for (const std::string& warning : status.warnings)
        rows.push_back({"warning", warning});
    for (const std::string& drift : status.drift) {
        rows.push_back({"drift", drift});
    }
    // The agent writes its own error messages: no control characters of its may reach the terminal.
    std::string text = term::printable(status.verdict) + "\n" + term::table({}, rows);
    if (!status.hint.empty()) text += "next: " + term::printable(status.hint) + "\n";
    return text;
}

std::string image_text(const Json& pod, const std::string& wanted) {
    const Json& statuses = kube::at(pod, "/status/containerStatuses");
    const std::string id = text_at(kube::with_name(statuses, hermes::container_name), "/imageID");
    const std::size_t digest = id.find("sha256:");
    return digest == std::string::npos ? wanted : fmt::format("{} ({})", wanted, id.substr(digest, 19));
}

/// The ConfigMap only seeds a volume without a config.yaml: the bot uses what the file there names.
std::string live_model(const hermes::Lifelines& lines) {
    const bool both = !lines.live_provider.empty() && !lines.live_model.empty();
    return lines.live_provider + (both ? " " : "") + lines.live_model;
}

/// Only keys that the Secret has: what the pod says is the agent's to choose.
void judge_shadows(const hermes::Lifelines& lines, const Json& secret, Status& status) {
    for (const hermes::Shadow& shadow : lines.shadowed) {
        if (!kube::at(secret, "/data").contains(shadow.key)) continue;
        status.warnings.push_back(fmt::format("{} has another value in {}, which wins over the Secret; {}{}",
                                              shadow.key, shadow.file, way_out_of(shadow),
                                              shadow.mendable() ? " takes it out there" : ""));
    }
}

/// `config_told`: that the live model is another one has been said.
void judge_lifelines(Session& session, const hermes::Observation& seen, bool config_told, Status& status) {
    const ModelChoice wanted{seen.values.provider, seen.values.model};
    auto fail = [&](const std::string& verdict, const std::string& hint) {
        status.answering = false;
        status.verdict = verdict;
        status.hint = hint;
    };
    try {
        const auto lines = ask_lifelines(session, seen.names, status.pod, wanted);
        status.bot = lines.bot;
        status.key_checked = lines.key_accepted();
        if (const std::string live = live_model(lines); !live.empty()) {
            status.model = live;
            status.model_from = "live";
        }
        judge_shadows(lines, seen.live.of(seen.names.secret()), status);
        for (const hermes::OpenToAll& one : lines.open)  // the notes name it
            status.everybody = status.everybody || hermes::decides_who_gets_in(one.key);
        for (const Event& note : hermes::lifeline_notes(lines, wanted)) {
            if (note.subject != "live model" || !config_told) status.warnings.push_back(note.detail);
        }
        if (const auto trouble = hermes::lifeline_trouble(lines, wanted)) fail(trouble->cause, trouble->hint);
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) throw;
        fail(error.message(), error.hint());  // not asked is not a pass
    }
}

/// Whether the live file is as the ConfigMap has it. False if it could not be read.
bool judge_config(Session& session, const hermes::Observation& seen, Status& status) {
    const auto unknown = [&](const std::string& why) {
        status.warnings.push_back("whether the live config.yaml is the ConfigMap's could not be told: " +
                                  why);
        return false;
    };
    if (!seen.agent.running) return unknown(seen.agent.why);
    try {
        const kube::Ref map = seen.names.config();
        const auto fields = hermes::config_drift(session.client(), seen.agent, seen.live.of(map));
        if (fields.empty()) return true;
        status.drift.push_back(
            fmt::format("/opt/data/config.yaml is not as {} has it: {}; "
                        "hermesctl deploy --config replace takes the whole of the ConfigMap, and drops what "
                        "only the file has",
                        title(map), fmt::join(fields, ", ")));
        return true;
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) throw;
        return unknown(error.message());
    }
}

/// Connected is not yet an answer.
std::string unchecked_verdict(const hermes::Snapshot& snapshot, const std::string& provider, bool check) {
    if (snapshot.exec_denied)
        return fmt::format("its pod is ready, but nobody could ask whether Telegram and the model answer: {}",
                           snapshot.exec_failure);
    const std::string why = !check ? "was not asked (hermesctl status does)"
                            : provider.empty()
                                ? "could not be asked: which provider it uses is not known"
                                : "could not be asked: hermesctl does not know how to ask " + provider;
    return "Telegram is connected; whether the model answers " + why;
}

std::string opening_text(bool caged, const std::string& leaks, const std::string& unknown, bool warned) {
    if (!leaks.empty())
        return fmt::format(", {} it LEAKS: {}; hermesctl verify shows all", caged ? "but" : "and", leaks);
    if (!unknown.empty())
        return fmt::format(", but what it opens could not be told ({}); hermesctl verify shows all", unknown);
    return fmt::format(", and opens what {}; hermesctl verify measures it",
                       warned ? "is warned of" : "it should");
}

/// What the policies let the pod send, computed; verify measures it.
void judge_cage(hermes::Observation& seen, bool caged, Status& status) {
    std::string leaks;
    std::string unknown;
    bool warned = false;
    for (const hermes::Check& check : hermes::policy_checks(hermes::policy_premises(seen))) {
        if (check.verdict == hermes::Verdict::fail && leaks.empty()) leaks = check.evidence;
        // What policies of other kinds open is not known, whether they could be listed or not.
        const bool undecided = (check.decisive && check.verdict == hermes::Verdict::inconclusive) ||
                               (check.id == "policy-other-kinds" && hermes::wants_attention(check));
        if (undecided && unknown.empty()) unknown = check.evidence;
        if (check.verdict != hermes::Verdict::warn) continue;
        if (check.id == "policy-drift")
            status.drift.push_back(fmt::format("{}; {}", check.evidence, check.hint));
        const bool opening = check.id == "policy-pods" || check.id == "policy-port-names";
        warned = warned || opening;
        if (opening || check.id == "policy-gaps")
            status.warnings.push_back(fmt::format("{}; {}", check.evidence, check.hint));
    }
    if (!leaks.empty() || unknown.empty()) status.leaks = !leaks.empty();
    status.cage += opening_text(caged, leaks, unknown, warned);
}

void judge(const hermes::Assessment& now, const hermes::Snapshot& snapshot, Status& status) {
    status.answering = now.answering;
    status.pod = now.pod;
    if (snapshot.agent) {
        status.gateway = snapshot.agent->alive ? snapshot.agent->gateway : "not running";
        status.telegram = snapshot.agent->telegram.empty() ? "not connected" : snapshot.agent->telegram;
    }
    if (now.answering) {
        status.verdict = "it answers";
        if (!snapshot.agent) return;
        if (const auto full = hermes::disk_trouble(*snapshot.agent, now.pod, snapshot.claim))
            status.drift.push_back(fmt::format("{}; {}", full->cause, full->hint));
    } else if (now.trouble) {
        status.verdict = fmt::format("it does not answer: {}: {}", now.trouble->subject, now.trouble->cause);
        status.hint = now.trouble->hint;
    } else {
        status.verdict = "it does not answer yet" + (now.rows.empty() ? "" : ": " + now.rows.back().detail);
        status.hint = "hermesctl wait";
    }
}

/// Whether what the Secret holds is what the agent has.
void judge_secret(const hermes::Live& live, const hermes::Names& names, Status& status) {
    const Json& deployment = live.of(names.deployment());
    if (const auto found = hermes::half_done(live.of(names.previous()), names)) {
        status.drift.push_back(found->text() + "; hermesctl deploy finishes or undoes it");
        if (status.hint.empty()) status.hint = "hermesctl deploy";
    } else if (live.of(names.secret()).is_null()) {
        status.drift.push_back(
            title(names.secret()) +
            " is not there, and no new pod starts without it; hermesctl deploy makes it anew");
        if (status.hint.empty()) status.hint = "hermesctl deploy";
    } else if (kube::int_at(deployment, "/spec/replicas", 1) != 0 &&
               hermes::lacks_secret(deployment, live.of(names.secret()))) {
        status.drift.emplace_back(
            "the Secret was changed and the running agent may not have it yet; hermesctl restart brings it "
            "in force");
    }
}

void judge_users(const hermes::Live& live, const hermes::Names& names, Status& status) {
    const Json& secret = live.of(names.secret());
    status.users = hermes::users_in(secret).ids;
    for (const hermes::OpenToAll& one :
         hermes::what_opens_to_all(secret, live.of(names.deployment()), names)) {
        status.everybody = status.everybody || hermes::decides_who_gets_in(one.key);  // not a group alone
        status.warnings.push_back(one.text());
    }
}

void judge_gate(const Json& deployment, Status& status) {
    const hermes::Check gate = hermes::check_gate(deployment);
    status.gate = gate.verdict == hermes::Verdict::pass;
    if (!status.gate)
        status.warnings.push_back(fmt::format("{}; {} brings it back", gate.evidence, gate.hint));
}

Status look(Session& session, const hermes::Names& names, bool check) {
    hermes::Observation seen =
        hermes::observe(session.client(), names, session.connection().server,
                        check ? hermes::Parts::policies : hermes::Parts::live, session.resolve());
    const hermes::Live& live = seen.live;
    const hermes::Values& values = seen.values;
    const hermes::Glance now = hermes::glance(session.client(), names);
    Status status;
    judge(now.assessment, now.snapshot, status);
    if (!values.provider.empty()) {
        status.model = fmt::format("{} {}", values.provider, values.model);
        status.model_from = live.of(names.config()).is_null() ? "default" : "configmap";
    }
    status.image = image_text(hermes::newest_pod(now.snapshot), values.image);
    const bool caged = !live.of(names.policy()).is_null();
    status.cage =
        caged ? title(names.policy()) + " is there" : "NO NetworkPolicy (hermesctl deploy puts it back)";
    if (!caged && status.hint == "hermesctl wait")
        status.hint = "hermesctl deploy";  // the gate waits in vain
    for (const std::string& why : seen.refused)
        status.drift.push_back("deploy would refuse what somebody set: " + why);
    judge_secret(live, names, status);
    judge_users(live, names, status);
    judge_gate(live.of(names.deployment()), status);
    if (check) judge_cage(seen, caged, status);
    if (!check && caged) status.cage += "; what it opens was not looked at (hermesctl verify does)";
    const bool asked = check && status.answering && !now.snapshot.exec_denied;
    const bool config_told = asked && judge_config(session, seen, status);
    if (asked && !values.provider.empty()) judge_lifelines(session, seen, config_told, status);
    if (status.answering && !status.key_checked)
        status.verdict = unchecked_verdict(now.snapshot, values.provider, check);
    return status;
}

struct StatusFlags {
    bool watch = false;
    bool no_check = false;
};

// A server that has just started says 401, 403 or 404 for a while.
constexpr auto patience_after_a_start = 30s;

/// A server that is gone, starts or is overrun.
bool is_away(const Error& error) {
    const auto* answer = dynamic_cast<const kube::ApiError*>(&error);
    return error.code() == ExitCode::unreachable ||
           (answer != nullptr && (answer->http() >= 500 || answer->http() == 429));
}

/// What is new, until an interrupt. A server that is away meanwhile is told, and asked again; so is, for a
/// while, one that fails after a good look.
ExitCode watch(Session& session, const hermes::Names& names) {
    Clock::Time well = session.clock().now();  // when it last answered, or was away
    for (std::string last;; session.clock().sleep(2s)) {
        try {
            throw_if_interrupted();
            const Status now = look(session, names, false);
            const Json json = to_json(now);
            if (last != json_text(json)) session.print_result(json, to_text(now, names));
            last = json_text(json);
            well = session.clock().now();
        } catch (const Error& error) {
            if (error.code() == ExitCode::interrupted) return ExitCode::interrupted;
            if (is_away(error)) well = session.clock().now();
            if (last.empty() || session.clock().now() - well >= patience_after_a_start) throw;
            if (last != error.message())
                session.story().on({"status", "server", State::warning, error.message()});
            last = error.message();
        }
    }
}

ExitCode status(Session& session, const StatusFlags& flags) {
    const hermes::Names names = requested_names(session);
    if (flags.watch) return watch(session, names);
    const Status now = look(session, names, !flags.no_check);
    session.print_result(to_json(now), to_text(now, names));
    return now.answering ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

Run declare_status(CLI::App& app) {
    auto flags = std::make_shared<StatusFlags>();
    app.add_flag("--watch", flags->watch,
                 "print it anew whenever it changes, until Ctrl-C (with --no-check)");
    const CLI::Option* timeout = app.get_parent()->get_option("--timeout");
    app.add_flag("--no-check", flags->no_check,
                 "do not ask Telegram and the provider, nor look at what the policies open");
    app.footer(
        "hermesctl status\nhermesctl status -o json   (exit 0 only if it answers, or is connected and the "
        "model was not asked)");
    return [flags, timeout](Session& session) {
        if (flags->watch && !timeout->empty())
            throw Error(ExitCode::usage, "--watch goes on until Ctrl-C, and has no --timeout",
                        "hermesctl wait --timeout 10m ends when the bot answers, or when the time is up");
        return status(session, *flags);
    };
}

}  // namespace hermesctl::cli
