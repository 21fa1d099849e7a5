#include "hermes/diagnosis_parts.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "hermesctl/hermes/hardening.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::int_at;
using kube::Json;
using kube::text_at;

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

/// Without the image's names and the registry's URLs: "denied" or "429" may be a part of those.
std::string without_names(std::string_view message, std::string_view image) {
    std::string rest;
    for (const std::string_view word : split(message, " ")) {
        if (!contains(word, "/") && !contains(word, image)) rest.append(word) += ' ';
    }
    return rest;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
    return std::ranges::any_of(parts, [&](std::string_view part) { return contains(text, part); });
}

PullFailure pull_failure(const Json& status, const std::string& message) {
    const std::string image = text_at(status, "/image");
    const std::string said = without_names(message, image);
    if (has_any(said, {"nauthorized", "403 Forbidden", "denied", "authorization failed"})) {
        return {
            fmt::format("the registry refuses image {} (no permission, or no such repository)", image),
            "hermesctl deploy --image IMAGE; for one that wants a password: kubectl create secret "
            "docker-registry, its name under pod.imagePullSecrets in your hermes.yaml, and hermesctl deploy "
            "-f FILE"};
    }
    if (contains(said, "not found")) {
        return {fmt::format("image {} does not exist in its registry", image),
                "check the image's name and tag, then: hermesctl deploy --image IMAGE"};
    }
    if (has_any(said, {"429 Too Many", "toomanyrequests"})) {
        return {fmt::format("the registry's pull limit is reached (429) for image {}", image),
                "wait, or use another registry: hermesctl deploy --image IMAGE"};
    }
    const std::size_t last = message.rfind(": ");  // containerd repeats itself; what matters is at the end
    return {fmt::format("image {} cannot be pulled: {}", image,
                        last == std::string::npos ? message : message.substr(last + 2)),
            "check whether the node reaches the registry, then: hermesctl wait"};
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
    const bool ours = contains(
        message, fmt::format("secret \"{}-secrets\" not found", text_at(pod, "/metadata/labels/app")));
    return Trouble{reason, subject, fmt::format("{}: {}", reason, message),
                   ours ? "hermesctl deploy makes it anew" : describe(pod, subject), Patience::minute};
}

std::string terminated_cause(const Json& ended) {
    const std::string reason = text_at(ended, "/reason");
    if (reason == "OOMKilled") return "it was killed for using more memory than its limit (OOMKilled)";
    return fmt::format("it exited with {} ({}) {}", int_at(ended, "/exitCode"), reason,
                       scrub(text_at(ended, "/message")).substr(0, 300));
}

/// The gate's own words: it is started again, and the agent not before it ends well.
std::optional<Trouble> gate_trouble(const Json& status, const std::string& subject) {
    if (text_at(status, "/name") != gate_name || !at(status, "/state/running").is_null()) return std::nullopt;
    const bool ended_now = !at(status, "/state/terminated").is_null();
    const Json& ended = ended_now ? at(status, "/state/terminated") : at(status, "/lastState/terminated");
    const auto code = int_at(ended, "/exitCode");
    const std::string said = scrub(text_at(ended, "/message")).substr(0, 300);
    if (code == gate_still_open) {
        const Error error = not_enforced(said);
        return Trouble{"gate", subject, error.message(), error.hint(), Patience::none};
    }
    if (code != gate_no_dns) return std::nullopt;
    const Error error = no_dns(said);
    return Trouble{"gate", subject, error.message(), error.hint(), Patience::minute};
}

constexpr int s6_may_not = 100;  // its exit code where it lacks the rights to prepare

/// The hardened pod of an image that needs s6's start as root: no restart changes that.
bool needs_root(const Json& status, const Json& ended, const Json& pod) {
    return text_at(status, "/name") == container_name && int_at(ended, "/exitCode") == s6_may_not &&
           lacking_hardness(at(pod, "/spec")).empty();
}

std::optional<Trouble> restart_trouble(const Json& status, const Json& pod) {
    const std::string subject = subject_of(pod);
    const bool ended_now = !at(status, "/state/terminated").is_null();
    const Json& ended = ended_now ? at(status, "/state/terminated") : at(status, "/lastState/terminated");
    if (ended.is_null()) return std::nullopt;
    if (wrong_platform(text_at(ended, "/message"))) return platform_trouble(subject, status);
    if (!at(status, "/state/running").is_null()) return std::nullopt;
    // An init container ends with 0; whoever is started again and again was not meant to.
    const bool looping = text_at(status, "/state/waiting/reason") == "CrashLoopBackOff";
    if (int_at(ended, "/exitCode") == 0 && !looping) return std::nullopt;
    if (needs_root(status, ended, pod)) {
        return Trouble{"needs-root", subject, "the image does not start without root, as --hardened wants it",
                       "hermesctl deploy --no-hardened (docs/checks.md#host-hardened)", Patience::none};
    }
    const auto restarts = int_at(status, "/restartCount");
    const std::string container = text_at(status, "/name");
    // What the agent's Secret holds can make a "crash", and nothing else.
    const bool of_agent = container == container_name && text_at(ended, "/reason") != "OOMKilled";
    return Trouble{of_agent ? "crash" : "container", subject,
                   fmt::format("container {} does not stay up: {}", container, terminated_cause(ended)),
                   "hermesctl logs --source console",
                   restarts >= too_many_restarts ? Patience::none : Patience::minute};
}

}  // namespace

std::optional<Trouble> container_trouble(const Json& status, const Json& pod) {
    if (auto trouble = waiting_trouble(status, pod)) return trouble;
    if (auto trouble = gate_trouble(status, subject_of(pod))) return trouble;
    return restart_trouble(status, pod);
}

}  // namespace hermesctl::hermes
