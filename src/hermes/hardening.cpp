#include "hermesctl/hermes/hardening.hpp"

#include "diagnosis_parts.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "throwaway_job.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using namespace std::chrono_literals;
using kube::at;
using kube::bool_at;
using kube::int_at;
using kube::text_at;

constexpr auto patience = 60s;  // for what may heal by itself

Json user() {
    return {{"runAsNonRoot", true}, {"runAsUser", agent_user}, {"runAsGroup", agent_user}};
}

Json hard_context() {
    Json context = user();
    context["allowPrivilegeEscalation"] = false;
    context["readOnlyRootFilesystem"] = true;
    context["capabilities"] = {{"drop", {"ALL"}}};
    return context;
}

/// Of the Deployment's pods: the agent's container.
const Json& agent_container(const Json& deployment) {
    return kube::with_name(at(deployment, "/spec/template/spec/containers"), container_name);
}

/// As the agent's container will be started, but for what it says. Its deadline is long, so it also goes with
/// the Deployment that is there.
Json start_job(const Names& names, const Json& live, const Json& to_come) {
    const Json& agent = at(to_come, "/spec/template/spec");
    Json job = throwaway_job("start.yaml", names, agent);
    Json& spec = job["/spec/template/spec"_json_pointer];
    spec["securityContext"] = at(agent, "/securityContext");
    for (const std::string field : {"image", "env", "securityContext"})
        spec["containers"][0][field] = at(agent_container(to_come), "/" + field);
    if (live.is_null()) return job;
    job["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", "apps/v1"},
                                                       {"kind", "Deployment"},
                                                       {"name", names.name},
                                                       {"uid", at(live, "/metadata/uid")}}});
    return job;
}

/// The last that it said: with it an image's start ends.
std::string last_line(const std::string& text) {
    const auto lines = words_of(text, "\n");
    return lines.empty() ? "" : scrub(lines.back()).substr(0, 300);
}

/// Ends the trial when its pod will not run: at once, or when the cause has lasted.
class Patient {
  public:
    explicit Patient(Clock& clock) : clock_(clock), since_(clock.now()) {}
    void look_at(const Json& pod) {
        const auto trouble = pod_state(pod, nullptr, {}).trouble;
        if (!trouble) since_ = clock_.now();
        if (trouble && (trouble->patience == Patience::none || clock_.now() - since_ > patience))
            throw Error(ExitCode::failed, fmt::format("{}: {}", trouble->subject, trouble->cause),
                        trouble->hint);
    }

  private:
    Clock& clock_;
    Clock::Time since_;
};

Error needs_root(const std::string& image, const Json& ended, bool hardened_now) {
    const std::string said = last_line(text_at(ended, "/message"));
    return {ExitCode::failed,
            fmt::format("image {} does not start without root, as --hardened wants it: it ended with {}{}{}",
                        image, int_at(ended, "/exitCode"), said.empty() ? "" : ": ", said),
            fmt::format("{}, or choose an image that starts as uid 10000 (docs/checks.md#host-hardened)",
                        hardened_now ? "hermesctl deploy --no-hardened" : "deploy without --hardened")};
}

}  // namespace

void harden(Json& pod_spec) {
    pod_spec["securityContext"].update(user());
    for (const char* list : {"initContainers", "containers"}) {
        for (Json& container : pod_spec[list]) {
            if (text_at(container, "/name") != gate_name) container["securityContext"] = hard_context();
        }
    }
    pod_spec["containers"][0]["volumeMounts"].push_back({{"name", "run"}, {"mountPath", "/run"}});
    pod_spec["volumes"].push_back({{"name", "run"}, {"emptyDir", {{"sizeLimit", "64Mi"}}}});
}

std::string lacking_hardness(const Json& pod_spec) {
    const Json& of_pod = at(pod_spec, "/securityContext");
    if (at(pod_spec, "/containers").empty()) return "its containers are not known";
    for (const char* list : {"/containers", "/initContainers"}) {
        for (const Json& container : at(pod_spec, list)) {
            const Json& own = at(container, "/securityContext");
            const std::string name = text_at(container, "/name");
            const auto uid = int_at(own, "/runAsUser", int_at(of_pod, "/runAsUser"));
            if (uid == 0 || !bool_at(own, "/runAsNonRoot", bool_at(of_pod, "/runAsNonRoot")))
                return fmt::format("container {} may run as root", name);
            if (!bool_at(own, "/readOnlyRootFilesystem"))
                return fmt::format("container {} may write to its root file system", name);
            const Json& dropped = at(own, "/capabilities/drop");
            if (std::find(dropped.begin(), dropped.end(), "ALL") == dropped.end() ||
                !at(own, "/capabilities/add").empty())
                return fmt::format("container {} has capabilities", name);
        }
    }
    return "";
}

bool wants_hardness(const Json& deployment) {
    const std::string record = text_at(deployment, "/metadata/annotations/hermesctl~1settings");
    const Json settings = Json::parse(record, nullptr, false);
    return settings.is_object() && bool_at(settings, "/pod/hardened");
}

bool needs_trial(const Json& live, const Json& to_come) {
    return wants_hardness(to_come) &&
           !(wants_hardness(live) &&
             text_at(agent_container(live), "/image") == text_at(agent_container(to_come), "/image"));
}

std::string past_the_level(const std::string& ns) {
    return fmt::format(
        "hermesctl deploy --hardened, if the image starts without root; "
        "else kubectl label --overwrite namespace {} pod-security.kubernetes.io/enforce=baseline",
        ns);
}

void expect_root_warning(kube::Client& client, bool hardened) {
    if (!hardened) client.expect_warning("would violate PodSecurity \"restricted:latest\"");
}

void prove_start(kube::Client& client, const Names& names, const Json& live, const Json& to_come,
                 Reporter& reporter, const std::function<void()>& each_round) {
    if (!needs_trial(live, to_come)) return;
    const std::string image = text_at(agent_container(to_come), "/image");
    const std::string subject = "image";
    reporter.on({"start", subject, State::waiting, "a pod tries whether it starts without root"});
    Json ended;
    std::string why = "its pod did not run (quota, Pod Security?)";
    try {
        Patient patient(client.clock());
        ThrowawayJob job(client, start_job(names, live, to_come));
        ended = job.wait_for_end(reporter, [&](const Json& pod) {
            patient.look_at(pod);
            if (each_round) each_round();
        });
    } catch (const kube::ApiError& error) {
        why = error.message();
    }
    if (!ended.is_null()) {
        if (int_at(ended, "/exitCode") != 0) throw needs_root(image, ended, wants_hardness(live));
        reporter.on({"start", subject, State::done, "starts without root"});
        return;
    }
    if (int_at(live, "/status/replicas") > 0) {  // not ready: Telegram is away, and the agent lives
        throw Error(
            ExitCode::failed,
            fmt::format("whether image {} starts without root could not be tried, and the agent that runs "
                        "is not put at risk: {}",
                        image, why),
            fmt::format("mend that (it takes create and delete on jobs, list on pods, and room for one more "
                        "pod in namespace {}), or hermesctl stop first",
                        names.ns));
    }
    reporter.on({"start", subject, State::warning,
                 fmt::format("could not be tried beforehand: {}; the wait tells whether it starts", why)});
}

}  // namespace hermesctl::hermes
