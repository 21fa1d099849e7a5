#include "hermes/diagnosis_parts.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/gate.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::int_at;
using kube::Json;
using kube::text_at;

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

/// The image that an event of a pull names.
std::string quoted_image(const std::string& message) {
    const std::size_t first = message.find('"');
    const std::size_t last = first == std::string::npos ? first : message.find('"', first + 1);
    return last == std::string::npos ? "" : message.substr(first + 1, last - first - 1);
}

/// A pull is under way: "Pulling" was said of an image more often than what ends one. One that was pulled for
/// this pod is there: for its next container the registry is only asked whether it is the newest.
bool is_pulling(const Objects& events, const std::string& uid) {
    std::map<std::string, std::int64_t> open;
    std::set<std::string> there;
    for (const auto& [name, event] : events) {
        if (text_at(event, "/involvedObject/uid") != uid) continue;
        const std::string reason = text_at(event, "/reason");
        const std::string message = text_at(event, "/message");
        const std::string image = quoted_image(message);
        const auto count = std::max<std::int64_t>(1, int_at(event, "/count", 1));
        if (reason == "Pulling") open[image] += count;
        if (reason == "Failed" && contains(message, "ailed to pull")) open[image] -= count;
        if (reason == "Pulled") there.insert(image);
    }
    return std::ranges::any_of(open,
                               [&](const auto& one) { return one.second > 0 && !there.contains(one.first); });
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
    const Json& scheduled = condition(pod, "PodScheduled");
    if (text_at(scheduled, "/status") != "False") return std::nullopt;
    const std::string message = text_at(scheduled, "/message");
    if (contains(message, "PersistentVolumeClaim") && !claim.is_null() &&
        at(claim, "/spec/storageClassName").is_null())
        return class_trouble("persistentvolumeclaim/" + text_at(claim, "/metadata/name"));
    const char* room =
        "kubectl describe nodes shows what uses it up; "
        "with less under resources.requests in your hermes.yaml: hermesctl deploy -f FILE";
    return Trouble{"unschedulable", subject_of(pod), fmt::format("no node takes it: {}", message),
                   contains(message, "Insufficient") ? room : describe(pod, subject_of(pod)),
                   Patience::minute};
}

/// Its volumes and network are there.
bool is_prepared(const Objects& events, const std::string& uid) {
    constexpr std::array<std::string_view, 3> later{"Pulling", "Pulled", "Created"};
    return std::ranges::any_of(
        later, [&](std::string_view reason) { return newest_event(events, uid, reason) != nullptr; });
}

std::optional<Trouble> mount_trouble(const Json& pod, const Objects& events) {
    const std::string uid = text_at(pod, "/metadata/uid");
    if (is_prepared(events, uid)) return std::nullopt;
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

const Json& gate_state(const Json& pod) {
    return at(kube::with_name(at(pod, "/status/initContainerStatuses"), gate_name), "/state");
}

/// What a pod without a trouble waits for: one after the other, and none of it twice.
std::string stage_of(const Json& pod, bool pulling, const Objects& events) {
    const Json& gate = gate_state(pod);
    if (!at(gate, "/running").is_null()) return "its gate waits until the network policy is in force";
    if (pulling) return "its image is being pulled";
    if (found_closed(at(gate, "/terminated"))) return "the network policy is in force: its agent is starting";
    if (!at(gate, "/terminated").is_null()) return "its agent is starting";
    return is_prepared(events, text_at(pod, "/metadata/uid")) ? "its containers are starting"
                                                              : "its node prepares its volumes and network";
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

std::string subject_of(const Json& pod) {
    return "pod/" + text_at(pod, "/metadata/name");
}

std::string describe(const Json& object, const std::string& subject) {
    return fmt::format("kubectl -n {} describe {}", text_at(object, "/metadata/namespace"), subject);
}

bool pod_is_ready(const Json& pod) {
    return text_at(condition(pod, "Ready"), "/status") == "True";
}

const Json& condition(const Json& object, std::string_view type) {
    const Json& all = at(object, "/status/conditions");
    const auto found =
        std::ranges::find_if(all, [&](const Json& one) { return text_at(one, "/type") == type; });
    static const Json none;
    return found == all.end() ? none : *found;
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
    state.detail = state.trouble ? state.trouble->cause : stage_of(pod, state.pulling, events);
    return state;
}

}  // namespace hermesctl::hermes
