#include "hermes/diagnosis_parts.hpp"
#include "hermesctl/base/scrub.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::int_at;
using kube::Json;
using kube::text_at;

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

constexpr int too_many_restarts = 3;

/// The image's platform is not the node's: said by the registry's index, by the runtime, or by the kernel.
bool wrong_platform(std::string_view message) {
    return contains(message, "no match for platform") || contains(message, "exec format error") ||
           contains(message, "no matching manifest");
}

Trouble platform_trouble(const std::string& subject, const Json& status) {
    return {"platform", subject,
            fmt::format("image {} is for another CPU than the node's", text_at(status, "/image")),
            "choose an image for this CPU: hermesctl deploy --image IMAGE", Patience::none};
}

bool is_pull_reason(std::string_view reason) {
    constexpr std::array<std::string_view, 5> reasons{"ErrImagePull", "ImagePullBackOff", "ImageInspectError",
                                                      "RegistryUnavailable", "SignatureValidationFailed"};
    return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

struct PullFailure {
    std::string cause{};
    std::string hint{};
};

PullFailure pull_failure(const Json& status, const std::string& message) {
    const std::string image = text_at(status, "/image");
    if (contains(message, "401") || contains(message, "nauthorized") || contains(message, "denied") ||
        contains(message, "authorization failed")) {
        return {fmt::format("the registry refuses image {} (no permission, or no such repository)", image),
                "check the image's name, or name a pull secret under pod.imagePullSecrets in hermes.yaml"};
    }
    if (contains(message, "not found")) {
        return {fmt::format("image {} does not exist in its registry", image),
                "check the image's name and tag, then: hermesctl deploy --image IMAGE"};
    }
    if (contains(message, "429") || contains(message, "toomanyrequests")) {
        return {fmt::format("the registry's pull limit is reached (429) for image {}", image),
                "wait, or use another registry: hermesctl deploy --image IMAGE"};
    }
    const std::size_t last = message.rfind(": ");  // containerd repeats itself; what matters is at the end
    return {fmt::format("image {} cannot be pulled: {}", image,
                        last == std::string::npos ? message : message.substr(last + 2)),
            "check whether the node reaches the registry, then: hermesctl wait"};
}

std::string subject_of(const Json& pod) {
    return "pod/" + text_at(pod, "/metadata/name");
}

std::string describe(const Json& object, const std::string& subject) {
    return fmt::format("kubectl -n {} describe {}", text_at(object, "/metadata/namespace"), subject);
}

std::optional<Trouble> waiting_trouble(const Json& status, const Json& pod) {
    const std::string subject = subject_of(pod);
    const std::string reason = text_at(status, "/state/waiting/reason");
    const std::string message = scrub(text_at(status, "/state/waiting/message"));
    if (wrong_platform(message)) return platform_trouble(subject, status);
    if (reason == "InvalidImageName") {
        return Trouble{"image-name", subject,
                       fmt::format("{} is not an image name", text_at(status, "/image")),
                       "hermesctl deploy --image IMAGE", Patience::none};
    }
    if (reason == "ErrImageNeverPull") {
        return Trouble{"image-pull", subject, message, "hermesctl deploy --image IMAGE", Patience::none};
    }
    if (is_pull_reason(reason)) {
        const PullFailure failure = pull_failure(status, message);
        return Trouble{"image-pull", subject, failure.cause, failure.hint, Patience::minute};
    }
    if (reason.empty() || reason == "ContainerCreating" || reason == "PodInitializing" ||
        reason == "CrashLoopBackOff") {
        return std::nullopt;
    }
    return Trouble{reason, subject, fmt::format("{}: {}", reason, message), describe(pod, subject),
                   Patience::minute};
}

std::string terminated_cause(const Json& ended) {
    const std::string reason = text_at(ended, "/reason");
    if (reason == "OOMKilled") return "it was killed for using more memory than its limit (OOMKilled)";
    return fmt::format("it exited with {} ({}) {}", int_at(ended, "/exitCode"), reason,
                       scrub(text_at(ended, "/message")).substr(0, 300));
}

std::optional<Trouble> restart_trouble(const Json& status, const std::string& subject) {
    const bool ended_now = !at(status, "/state/terminated").is_null();
    const Json& ended = ended_now ? at(status, "/state/terminated") : at(status, "/lastState/terminated");
    if (ended.is_null()) return std::nullopt;
    if (wrong_platform(text_at(ended, "/message"))) return platform_trouble(subject, status);
    if (!at(status, "/state/running").is_null()) return std::nullopt;
    // An init container ends with 0; whoever is started again and again was not meant to.
    const bool looping = text_at(status, "/state/waiting/reason") == "CrashLoopBackOff";
    if (int_at(ended, "/exitCode") == 0 && !looping) return std::nullopt;
    const auto restarts = int_at(status, "/restartCount");
    const std::string container = text_at(status, "/name");
    return Trouble{"crash", subject,
                   fmt::format("container {} does not stay up: {}", container, terminated_cause(ended)),
                   "hermesctl logs --source console",
                   restarts >= too_many_restarts ? Patience::none : Patience::minute};
}

const Json* newest_event(const Objects& events, const std::string& uid, std::string_view reason) {
    const Json* newest = nullptr;
    auto time = [](const Json& event) {
        const std::string last = text_at(event, "/lastTimestamp");
        return last.empty() ? text_at(event, "/eventTime") : last;
    };
    for (const auto& [name, event] : events) {
        if (text_at(event, "/involvedObject/uid") != uid || text_at(event, "/reason") != reason) continue;
        if (newest == nullptr || time(event) >= time(*newest)) newest = &event;
    }
    return newest;
}

Trouble class_trouble(const std::string& claim) {
    return {"storage-class", claim, "no storage class is named and the cluster has no default one",
            "name one (kubectl get storageclass): hermesctl deploy --storage-class CLASS", Patience::minute};
}

/// A pull is under way: "Pulling" was said for this pod more often than what ends one.
bool is_pulling(const Objects& events, const std::string& uid) {
    std::int64_t begun = 0;
    std::int64_t ended = 0;
    for (const auto& [name, event] : events) {
        if (text_at(event, "/involvedObject/uid") != uid) continue;
        const std::string reason = text_at(event, "/reason");
        const auto count = std::max<std::int64_t>(1, int_at(event, "/count", 1));
        if (reason == "Pulling") begun += count;
        const bool failed = reason == "Failed" && contains(text_at(event, "/message"), "ailed to pull");
        if ((reason == "Pulled" && contains(text_at(event, "/message"), "Successfully pulled")) || failed)
            ended += count;
    }
    return begun > ended;
}

/// What the claim's events say. While a volume is made for a pod the scheduler says nothing of that pod.
std::optional<Trouble> volume_trouble(const Json& claim, const Objects& events) {
    if (claim.is_null() || text_at(claim, "/status/phase") == "Bound") return std::nullopt;
    const std::string uid = text_at(claim, "/metadata/uid");
    const std::string subject = "persistentvolumeclaim/" + text_at(claim, "/metadata/name");
    const Json* unbound = newest_event(events, uid, "FailedBinding");
    if (unbound != nullptr && contains(text_at(*unbound, "/message"), "no storage class is set"))
        return class_trouble(subject);
    const Json* failed = newest_event(events, uid, "ProvisioningFailed");
    if (failed == nullptr) failed = unbound;
    if (failed == nullptr) return std::nullopt;
    return Trouble{"volume", subject, text_at(*failed, "/message"), describe(claim, subject),
                   Patience::minute};
}

std::optional<Trouble> scheduling_trouble(const Json& pod, const Json& claim, const Objects& events) {
    if (auto trouble = volume_trouble(claim, events)) return trouble;
    for (const Json& condition : at(pod, "/status/conditions")) {
        if (text_at(condition, "/type") != "PodScheduled" || text_at(condition, "/status") != "False")
            continue;
        const std::string message = text_at(condition, "/message");
        if (contains(message, "PersistentVolumeClaim") && at(claim, "/spec/storageClassName").is_null())
            return class_trouble("persistentvolumeclaim/" + text_at(claim, "/metadata/name"));
        return Trouble{"unschedulable", subject_of(pod), fmt::format("no node takes it: {}", message),
                       "free memory or CPU, or ask for less in hermes.yaml under resources.requests",
                       Patience::minute};
    }
    return std::nullopt;
}

std::optional<Trouble> mount_trouble(const Json& pod, const Objects& events) {
    const std::string uid = text_at(pod, "/metadata/uid");
    for (const std::string_view later :
         {"Pulling", "Pulled", "Created"}) {  // its volumes and network are there
        if (newest_event(events, uid, later) != nullptr) return std::nullopt;
    }
    for (const std::string_view reason :
         {"FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedCreatePodContainer"}) {
        const Json* event = newest_event(events, uid, reason);
        if (event == nullptr) continue;
        return Trouble{"mount", subject_of(pod),
                       fmt::format("{}: {}", reason, scrub(text_at(*event, "/message"))),
                       describe(pod, subject_of(pod)), Patience::minute};
    }
    return std::nullopt;
}

bool is_scheduled(const Json& pod) {
    return !text_at(pod, "/spec/nodeName").empty();
}

std::optional<Trouble> phase_trouble(const Json& pod) {
    if (text_at(pod, "/status/phase") != "Failed") return std::nullopt;
    return Trouble{
        "pod-failed", subject_of(pod),
        fmt::format("the pod failed: {} {}", text_at(pod, "/status/reason"), text_at(pod, "/status/message")),
        describe(pod, subject_of(pod)), Patience::minute};
}

}  // namespace

std::optional<Trouble> container_trouble(const Json& status, const Json& pod) {
    if (auto trouble = waiting_trouble(status, pod)) return trouble;
    return restart_trouble(status, subject_of(pod));
}

bool pod_is_ready(const Json& pod) {
    for (const Json& condition : at(pod, "/status/conditions")) {
        if (text_at(condition, "/type") == "Ready") return text_at(condition, "/status") == "True";
    }
    return false;
}

PodState pod_state(const Json& pod, const Json& claim, const Objects& events) {
    PodState state;
    state.trouble = phase_trouble(pod);
    if (!is_scheduled(pod)) {
        state.trouble = scheduling_trouble(pod, claim, events);
        state.detail = state.trouble ? state.trouble->cause : "being scheduled";
        return state;
    }
    for (const char* list : {"/status/initContainerStatuses", "/status/containerStatuses"}) {
        for (const Json& status : at(pod, list)) {
            if (!state.trouble) state.trouble = container_trouble(status, pod);
            if (text_at(status, "/name") != container_name) continue;
            state.running = !at(status, "/state/running").is_null();
            state.started = kube::bool_at(status, "/started");
        }
    }
    state.pulling = !state.running && !state.trouble && is_pulling(events, text_at(pod, "/metadata/uid"));
    if (!state.running && !state.trouble && !state.pulling) state.trouble = mount_trouble(pod, events);
    state.detail = state.trouble   ? state.trouble->cause
                   : state.pulling ? "its image is being pulled"
                                   : "its containers are starting";
    return state;
}

}  // namespace hermesctl::hermes
