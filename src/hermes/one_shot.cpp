#include "one_shot.hpp"

#include "diagnosis_parts.hpp"
#include "hermesctl/hermes/agent.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

/// Why this pod does not start, of what its containers say.
std::optional<Trouble> start_trouble(const Json& pod) {
    for (const char* list : {"/status/initContainerStatuses", "/status/containerStatuses"}) {
        for (const Json& status : at(pod, list)) {
            if (auto trouble = container_trouble(status, pod)) return trouble;
        }
    }
    return pod_state(pod, nullptr, {}).trouble;
}

}  // namespace

Json spec_beside(const Json& agent_spec) {
    Json spec{{"restartPolicy", "Never"},
              {"automountServiceAccountToken", false},
              {"enableServiceLinks", false},
              {"terminationGracePeriodSeconds", 0},
              {"securityContext", {{"seccompProfile", {{"type", "RuntimeDefault"}}}}}};
    for (const char* field : {"nodeSelector", "tolerations", "imagePullSecrets", "runtimeClassName"}) {
        if (agent_spec.contains(field)) spec[field] = agent_spec[field];
    }
    return spec;
}

Json labels_beside(const Names& names, std::string_view component) {
    return {{"app", names.name},
            {"app.kubernetes.io/instance", names.name},
            {"app.kubernetes.io/managed-by", "hermesctl"},
            {"app.kubernetes.io/component", std::string(component)}};
}

Json agent_image(const Json& agent_spec) {
    for (const Json& container : at(agent_spec, "/containers")) {
        if (text_at(container, "/name") == container_name) return at(container, "/image");
    }
    return at(agent_spec, "/containers/0/image");
}

Json idle_container(std::string_view name, const Json& image, std::chrono::seconds longest) {
    return {
        {"name", std::string(name)},
        {"image", image},
        {"imagePullPolicy", "IfNotPresent"},
        {"command",
         {"/usr/bin/python3", "-I", "-S", "-c", fmt::format("import time; time.sleep({})", longest.count())}},
        {"securityContext",
         {{"runAsNonRoot", true},
          {"runAsUser", 65534},
          {"runAsGroup", 65534},
          {"allowPrivilegeEscalation", false},
          {"readOnlyRootFilesystem", true},
          {"capabilities", {{"drop", {"ALL"}}}}}},
        {"resources",
         {{"requests", {{"cpu", "10m"}, {"memory", "32Mi"}}},
          {"limits", {{"cpu", "1"}, {"memory", "128Mi"}}}}}};
}

Json one_shot_job(const Names& names, const std::string& name, const Json& labels, const Json& spec,
                  std::chrono::seconds longest) {
    return {{"apiVersion", "batch/v1"},
            {"kind", "Job"},
            {"metadata", {{"name", name}, {"namespace", names.ns}, {"labels", labels}}},
            {"spec",
             {{"backoffLimit", 0},
              {"activeDeadlineSeconds", longest.count()},
              {"ttlSecondsAfterFinished", 0},
              {"template", {{"metadata", {{"labels", labels}}}, {"spec", spec}}}}}};
}

OneShot::OneShot(kube::Client& client, const Json& job, std::string what, std::chrono::seconds to_start)
    : client_(client),
      ref_(kube::ref_of(job)),
      what_(std::move(what)),
      until_(client.clock().now() + to_start) {
    try {
        client_.create(job).value();
        made_ = true;
    } catch (const kube::ApiError& error) {
        why_not_ = fmt::format("no {} could be made: {}", what_, error.message());
    }
}

OneShot::~OneShot() {
    if (!made_) return;
    try {
        client_.remove(ref_);
    } catch (const std::exception&) {  // its deadline ends it
    }
}

std::string OneShot::running_pod() {
    if (!made_ || !why_not_.empty()) return "";
    const kube::Client::Listing mine{"Pod", ref_.ns, {.label = "job-name=" + ref_.name, .field = {}}};
    const auto answer = std::move(client_.list_all({&mine, 1}).front());
    if (answer.error)
        return give_up(fmt::format("the {}'s pod may not be seen: {}", what_, answer.error->message()));
    for (const Json& pod : at(*answer.object, "/items")) {
        const Json& state = at(pod, "/status/containerStatuses/0/state");
        if (!at(state, "/running").is_null()) return text_at(pod, "/metadata/name");
        const auto trouble = start_trouble(pod);
        const std::string phase = text_at(pod, "/status/phase");
        if (phase == "Failed" || phase == "Succeeded" || !at(state, "/terminated").is_null())
            return give_up(fmt::format("the {} ended before it was asked{}", what_,
                                       trouble ? ": " + trouble->cause : ""));
        if (trouble && trouble->patience == Patience::none)
            return give_up(fmt::format("the {} cannot start: {}", what_, trouble->cause));
        waits_for_ = trouble ? trouble->cause : "";
    }
    if (client_.clock().now() > until_)
        return give_up(fmt::format("the {} did not start in time ({})", what_,
                                   waits_for_.empty() ? "quota, Pod Security?" : waits_for_));
    return "";
}

std::string OneShot::give_up(const std::string& why) {
    why_not_ = why;
    return "";
}

}  // namespace hermesctl::hermes
