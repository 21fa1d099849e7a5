#include "hermes/diagnosis_parts.hpp"
#include "hermesctl/hermes/hardening.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Json;
using kube::text_at;

bool token_rejected(const AgentFacts& agent) {
    return agent.code == "telegram_auth_error" || contains(agent.message, "was rejected by the server") ||
           contains(agent.message, "token rejected") || contains(agent.message, "Unauthorized") ||
           contains(agent.message, "token is invalid");
}

/// Alive, and yet nobody is to be heard from: what is known of it.
std::string silence(const AgentFacts& agent) {
    if (agent.gateway == "degraded") return "the gateway is degraded: not all of its platforms have started";
    if (agent.telegram == "disconnected") return "the gateway has disconnected from Telegram";
    return "the gateway runs without Telegram: its config.yaml switches it off, or could not be read";
}

/// The Secret that the agent's container takes its environment from.
std::string secret_of(const Json& pod) {
    for (const Json& source : at(kube::with_name(at(pod, "/spec/containers"), container_name), "/envFrom")) {
        if (const std::string name = text_at(source, "/secretRef/name"); !name.empty())
            return "secret/" + name;
    }
    return "the pod's environment";
}

constexpr int most_starts = 3;  // as many as of a container: s6 starts the gateway anew within it

std::string crash_loop(const AgentFacts& agent, int starts) {
    const std::string why = agent.exit_reason.empty() ? "" : ": " + agent.exit_reason;
    return fmt::format("its gateway does not stay up: it has started {} times by now{}", starts, why);
}

/// A provisioner that makes a folder on the node's disk: it keeps to no size, and enlarges none.
bool is_folder(const Json& claim) {
    const std::string provisioner =
        text_at(claim, "/metadata/annotations/volume.kubernetes.io~1storage-provisioner",
                text_at(claim, "/metadata/annotations/volume.beta.kubernetes.io~1storage-provisioner"));
    return provisioner.ends_with("local-path") || provisioner.ends_with("hostpath");
}

bool is_full_quota(std::string_view message) {
    return contains(message, "quota") || contains(message, " usage per ");  // the latter is a LimitRange's
}

Trouble refused_pod(const Json& deployment, const std::string& subject, const std::string& message) {
    const std::string ns = text_at(deployment, "/metadata/namespace");
    const std::string cause = fmt::format("the pod may not be created: {}", message);
    if (contains(message, "violates PodSecurity")) {
        const bool hardened = lacking_hardness(at(deployment, "/spec/template/spec")).empty();
        return {"pod-security", subject, cause,
                hardened
                    ? fmt::format("kubectl get namespace {} -o yaml shows the level that it enforces", ns)
                    : past_the_level(ns),
                Patience::none};
    }
    const char* more = is_full_quota(message) ? "describe resourcequota,limitrange"
                                              : "get events --field-selector reason=FailedCreate";
    return {"pod-create", subject, cause, fmt::format("kubectl -n {} {}", ns, more), Patience::minute};
}

/// What no time mends.
std::optional<Trouble> lasting_trouble(const AgentFacts& agent, int starts, const std::string& subject) {
    if (token_rejected(agent)) {
        return Trouble{"token", subject, "Telegram rejected the bot token",
                       "get the token from @BotFather, then: hermesctl deploy --secret TELEGRAM_BOT_TOKEN=-",
                       Patience::none};
    }
    if (agent.code == "missing_credentials") {
        return Trouble{"token", subject, "the gateway sees no bot token",
                       "hermesctl deploy --secret TELEGRAM_BOT_TOKEN=-", Patience::none};
    }
    if (agent.gateway == "startup_failed") {
        return Trouble{"startup", subject, fmt::format("the gateway refused to start: {}", agent.exit_reason),
                       "hermesctl logs", Patience::none};
    }
    if (agent.telegram == "fatal") {
        const bool polled = agent.code == "telegram_polling_conflict";
        return Trouble{polled ? "polled" : "telegram", subject,
                       fmt::format("Telegram failed for good: {}", agent.message), "hermesctl logs",
                       polled ? Patience::minute : Patience::none};
    }
    if (starts > most_starts) {
        return Trouble{"crash", subject, crash_loop(agent, starts), "hermesctl logs --source errors",
                       Patience::none};
    }
    return std::nullopt;
}

}  // namespace

std::optional<Trouble> disk_trouble(const AgentFacts& agent, const std::string& subject, const Json& claim) {
    if (agent.free >= enough_room && agent.inodes > 0) return std::nullopt;
    const std::string left =
        agent.inodes > 0 ? fmt::format("{} bytes are free", agent.free) : std::string("no inode is free");
    return Trouble{
        "disk", subject, fmt::format("its volume is full: {} on /opt/data", left),
        fmt::format("hermesctl exec -- du -xhd2 /opt/data shows what fills it; {}",
                    is_folder(claim) ? "it is a folder on its node's disk, which no --storage-size enlarges"
                                     : "to enlarge it: hermesctl deploy --storage-size SIZE"),
        Patience::minute};
}

std::optional<Trouble> agent_trouble(const AgentFacts& agent, int starts, bool started, const Json& pod,
                                     const Json& claim) {
    const std::string subject = subject_of(pod);
    if (auto full = disk_trouble(agent, subject, claim)) return full;  // whatever else it says comes of that
    if (auto trouble = lasting_trouble(agent, starts, subject)) return trouble;
    // Before that the image prepares the volume, which takes as long as the disk does.
    if (!agent.alive && started) {
        return Trouble{"gateway", subject, "no gateway process lives in the container",
                       "hermesctl logs --source console", Patience::minute};
    }
    if (agent.telegram == "retrying") {
        return Trouble{"telegram", subject, fmt::format("Telegram is not reached: {}", agent.message),
                       "hermesctl logs", Patience::minute};
    }
    const bool off = agent.telegram.empty() || agent.telegram == "disconnected";
    if (!agent.alive || (agent.gateway != "degraded" && (agent.gateway != "running" || !off)))
        return std::nullopt;
    if (agent.tokenless) {
        return Trouble{"token", subject, fmt::format("there is no TELEGRAM_BOT_TOKEN in {}", secret_of(pod)),
                       "hermesctl rotate-secret TELEGRAM_BOT_TOKEN", Patience::none};
    }
    return Trouble{"telegram", subject, silence(agent), "hermesctl logs", Patience::minute};
}

std::optional<Trouble> deployment_trouble(const Json& deployment) {
    const Json& failure = condition(deployment, "ReplicaFailure");
    const std::string subject = "deployment/" + text_at(deployment, "/metadata/name");
    if (text_at(failure, "/status") == "True")
        return refused_pod(deployment, subject, text_at(failure, "/message"));
    const Json& progress = condition(deployment, "Progressing");
    if (text_at(progress, "/reason") == "ProgressDeadlineExceeded") {
        return Trouble{"deadline", subject, text_at(progress, "/message"), describe(deployment, subject),
                       Patience::minute};
    }
    return std::nullopt;
}

}  // namespace hermesctl::hermes
