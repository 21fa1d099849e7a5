#include "hermes/diagnosis_parts.hpp"

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

const Json& condition(const Json& object, std::string_view type) {
    for (const Json& one : at(object, "/status/conditions")) {
        if (text_at(one, "/type") == type) return one;
    }
    static const Json none;
    return none;
}

/// Alive, and yet nobody is to be heard from: what is known of it.
std::string silence(const AgentFacts& agent) {
    if (agent.gateway == "degraded") return "the gateway is degraded: not all of its platforms have started";
    if (agent.telegram == "disconnected") return "the gateway has disconnected from Telegram";
    return "the gateway runs without Telegram: its config.yaml switches it off, or could not be read";
}

/// The Secret that the agent's container takes its environment from.
std::string secret_of(const Json& pod) {
    for (const Json& container : at(pod, "/spec/containers")) {
        if (text_at(container, "/name") != container_name) continue;
        for (const Json& source : at(container, "/envFrom")) {
            if (const std::string name = text_at(source, "/secretRef/name"); !name.empty())
                return "secret/" + name;
        }
    }
    return "the pod's environment";
}

constexpr int most_starts = 3;  // as many as of a container: s6 starts the gateway anew within it

std::string crash_loop(const AgentFacts& agent, int starts) {
    const std::string why = agent.exit_reason.empty() ? "" : ": " + agent.exit_reason;
    return fmt::format("its gateway does not stay up: it has started {} times by now{}", starts, why);
}

}  // namespace

std::optional<Trouble> disk_trouble(const AgentFacts& agent, const std::string& subject) {
    if (agent.free >= enough_room && agent.inodes > 0) return std::nullopt;
    const std::string left =
        agent.inodes > 0 ? fmt::format("{} bytes are free", agent.free) : std::string("no inode is free");
    return Trouble{"disk", subject, fmt::format("its volume is full: {} on /opt/data", left),
                   "hermesctl exec -- du -xhd2 /opt/data shows what fills it; to enlarge it: hermesctl "
                   "deploy --storage-size SIZE",
                   Patience::minute};
}

std::optional<Trouble> agent_trouble(const AgentFacts& agent, int starts, bool started, const Json& pod) {
    const std::string subject = subject_of(pod);
    if (auto full = disk_trouble(agent, subject)) return full;  // whatever else it says comes of that
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
        return Trouble{"telegram", subject, fmt::format("Telegram failed for good: {}", agent.message),
                       "hermesctl logs",
                       agent.code == "telegram_polling_conflict" ? Patience::minute : Patience::none};
    }
    if (starts > most_starts) {
        return Trouble{"crash", subject, crash_loop(agent, starts), "hermesctl logs --source errors",
                       Patience::none};
    }
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
    const std::string message = text_at(failure, "/message");
    const std::string subject = "deployment/" + text_at(deployment, "/metadata/name");
    if (text_at(failure, "/status") == "True") {
        const bool refused = contains(message, "violates PodSecurity");
        return Trouble{refused ? "pod-security" : "pod-create", subject,
                       fmt::format("the pod may not be created: {}", message),
                       refused ? "relax the namespace's pod-security.kubernetes.io/enforce label to baseline"
                               : fmt::format("kubectl -n {} describe resourcequota,limitrange",
                                             text_at(deployment, "/metadata/namespace")),
                       refused ? Patience::none : Patience::minute};
    }
    const Json& progress = condition(deployment, "Progressing");
    if (text_at(progress, "/reason") == "ProgressDeadlineExceeded") {
        return Trouble{"deadline", subject, text_at(progress, "/message"), describe(deployment, subject),
                       Patience::minute};
    }
    return std::nullopt;
}

}  // namespace hermesctl::hermes
