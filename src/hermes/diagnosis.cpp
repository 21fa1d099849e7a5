#include "hermesctl/hermes/diagnosis.hpp"

#include "hermes/diagnosis_parts.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::int_at;
using kube::Json;
using kube::text_at;

constexpr auto revision = "/metadata/annotations/deployment.kubernetes.io~1revision";
const Json nothing;

bool owned_by(const Json& object, std::string_view uid) {
    for (const Json& owner : at(object, "/metadata/ownerReferences")) {
        if (text_at(owner, "/uid") == uid) return true;
    }
    return false;
}

const Json& newest_replica_set(const Snapshot& now) {
    const std::string wanted = text_at(now.deployment, revision);
    const std::string uid = text_at(now.deployment, "/metadata/uid");
    for (const auto& [name, set] : now.replica_sets) {
        if (owned_by(set, uid) && text_at(set, revision) == wanted) return set;
    }
    return nothing;
}

/// The controller has seen the newest template: before that, "current" objects are yesterday's.
bool observed(const Json& deployment) {
    return int_at(deployment, "/status/observedGeneration") >= int_at(deployment, "/metadata/generation");
}

/// The newest template has a pod. Without one the revision may still be the old one: Recreate first scales
/// down, and a paused Deployment goes no further.
bool updated(const Json& deployment) {
    return int_at(deployment, "/status/updatedReplicas") > 0;
}

/// A paused Deployment holds a changed template back. It still scales the ReplicaSet that it has.
std::optional<Trouble> paused_trouble(const Snapshot& now) {
    if (at(now.deployment, "/spec/paused") != Json(true)) return std::nullopt;
    Json made = at(newest_replica_set(now), "/spec/template");
    if (!text_at(made, "/metadata/labels/pod-template-hash").empty())
        made["metadata"]["labels"].erase("pod-template-hash");
    if (made == at(now.deployment, "/spec/template")) return std::nullopt;
    const std::string subject = "deployment/" + text_at(now.deployment, "/metadata/name");
    return Trouble{"paused", subject, "the Deployment is paused, so its change makes no pod",
                   fmt::format("kubectl -n {} rollout resume {}",
                               text_at(now.deployment, "/metadata/namespace"), subject),
                   Patience::none};
}

/// A pod on its way out, the one that should have ended first; null when there is none. That of a Job (a
/// proof, a trial) has the agent's labels and is none of it.
const Json& leaving(const Snapshot& now) {
    const Json* first = &nothing;
    for (const auto& [name, pod] : now.pods) {
        const std::string due = text_at(pod, "/metadata/deletionTimestamp");
        if (due.empty() || !text_at(pod, "/metadata/labels/job-name").empty()) continue;
        if (first->is_null() || due < text_at(*first, "/metadata/deletionTimestamp")) first = &pod;
    }
    return *first;
}

constexpr auto kill_time = std::chrono::seconds(10);  // from a pod's due second to its end, on a busy node

/// The new pod comes when the old one is gone, and a node that is down never says that it is.
std::optional<Trouble> overdue_trouble(const Json& pod, Clock::Wall moment) {
    const auto due = parse_rfc3339(text_at(pod, "/metadata/deletionTimestamp"));  // its grace is in it
    if (moment <= due + kill_time) return std::nullopt;
    const std::string subject = subject_of(pod);
    const std::string node = text_at(pod, "/spec/nodeName");
    return Trouble{
        "old-pod", subject,
        fmt::format("the old pod should have ended {} ago, and its node {} does not say that it has",
                    short_duration(std::chrono::duration_cast<std::chrono::seconds>(moment - due)), node),
        fmt::format("kubectl describe node {}; if it is off for good: kubectl -n {} delete {} --force", node,
                    text_at(pod, "/metadata/namespace"), subject),
        Patience::minute};
}

Event row(std::string subject, State state, std::string detail) {
    return {.phase = "wait", .subject = std::move(subject), .state = state, .detail = std::move(detail)};
}

void add_deployment(const Snapshot& now, Assessment& result) {
    if (observed(now.deployment)) result.trouble = deployment_trouble(now.deployment);
    if (observed(now.deployment) && !result.trouble) result.trouble = paused_trouble(now);
    if (result.trouble) {
        result.rows.push_back(row("pod", State::waiting, result.trouble->cause));
    } else if (const Json& old = leaving(now); !old.is_null()) {
        result.trouble = overdue_trouble(old, now.moment);
        result.rows.push_back(
            row("pod", State::waiting, result.trouble ? result.trouble->cause : "the old pod is stopping"));
    } else {
        result.rows.push_back(row("pod", State::waiting, "being created"));
    }
}

std::string gateway_detail(const AgentFacts& agent, bool started, const std::optional<Trouble>& trouble) {
    if (trouble && trouble->kind == "disk") return trouble->cause;  // it comes and goes
    if (agent.alive) return agent.gateway;
    return started ? "no gateway process" : "no process yet: the image prepares the volume";
}

std::string telegram_detail(const AgentFacts& agent) {
    if (agent.telegram == "connected") return "connected";
    if (agent.telegram.empty()) return "not connected yet";
    return agent.message.empty() ? agent.telegram : fmt::format("{}: {}", agent.telegram, agent.message);
}

/// No kubelet, or no Python in the image: the pod may be well, but nobody can tell.
std::optional<Trouble> exec_trouble(const std::string& failure, const Json& pod) {
    if (failure.empty()) return std::nullopt;
    const std::string name = text_at(pod, "/metadata/name");
    return Trouble{"exec", "pod/" + name, "the agent cannot be asked: " + failure,
                   python_hint(text_at(pod, "/metadata/namespace"), name), Patience::minute};
}

void add_agent(const Snapshot& now, const Json& pod, bool started, Assessment& result) {
    if (now.exec_denied) {
        result.answering = pod_is_ready(pod);
        const std::string decides = "pods/exec is not allowed, so the pod's own Ready decides";
        result.rows.push_back(row("gateway", result.answering ? State::done : State::waiting,
                                  decides + (result.answering ? "" : ": it is not ready yet")));
        return;
    }
    if (!now.agent || now.agent->pod != result.pod) {
        result.trouble = exec_trouble(now.exec_failure, pod);
        result.rows.push_back(
            row("gateway", State::waiting, result.trouble ? result.trouble->cause : "asking it"));
        return;
    }
    const AgentFacts& agent = *now.agent;
    result.answering = agent.ready;
    if (!agent.ready) result.trouble = agent_trouble(agent, now.gateway_starts, started, pod, now.claim);
    result.rows.push_back(row("gateway",
                              agent.alive && agent.gateway == "running" ? State::done : State::waiting,
                              gateway_detail(agent, started, result.trouble)));
    result.rows.push_back(
        row("telegram", agent.ready ? State::done : State::waiting, telegram_detail(agent)));
}

void add_pod(const Snapshot& now, const Json& pod, Assessment& result) {
    result.pod = text_at(pod, "/metadata/name");
    const PodState state = pod_state(pod, now.claim, now.events);
    result.pulling = state.pulling;
    result.running = state.running;
    result.trouble = state.trouble;
    result.rows.push_back(
        row("pod", state.running ? State::done : State::waiting, state.running ? result.pod : state.detail));
    if (state.running) add_agent(now, pod, state.started, result);
    if (!result.answering && !result.trouble) result.trouble = deployment_trouble(now.deployment);
}

}  // namespace

const Json& newest_pod(const Snapshot& now) {
    if (!observed(now.deployment)) return nothing;
    if (!updated(now.deployment)) return nothing;
    const std::string uid = text_at(newest_replica_set(now), "/metadata/uid");
    if (uid.empty()) return nothing;
    const Json* newest = &nothing;
    for (const auto& [name, pod] : now.pods) {
        if (!owned_by(pod, uid) || !at(pod, "/metadata/deletionTimestamp").is_null()) continue;
        // Evicted and the like leave their corpse behind; its replacement is younger.
        const std::string created = text_at(pod, "/metadata/creationTimestamp");
        if (newest->is_null() || created > text_at(*newest, "/metadata/creationTimestamp")) newest = &pod;
    }
    return *newest;
}

Assessment assess(const Snapshot& now) {
    Assessment result;
    if (now.deployment.is_null()) {
        result.trouble =
            Trouble{"gone", "deployment", "the Deployment is not there", "hermesctl deploy", Patience::none};
        return result;
    }
    if (int_at(now.deployment, "/spec/replicas", 1) == 0) {
        result.trouble = Trouble{"stopped", "deployment", "the agent is stopped (0 replicas)",
                                 "hermesctl start", Patience::none};
        return result;
    }
    const Json& pod = newest_pod(now);
    if (pod.is_null()) {
        add_deployment(now, result);
    } else {
        add_pod(now, pod, result);
    }
    return result;
}

}  // namespace hermesctl::hermes
