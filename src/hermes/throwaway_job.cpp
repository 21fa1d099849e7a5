#include "throwaway_job.hpp"

#include "diagnosis_parts.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/manifest.hpp"
#include "items.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using namespace std::chrono_literals;
using kube::at;
using kube::text_at;

constexpr auto longest_making = 10s;    // of its pod, by the Job's controller
constexpr auto longest_farewell = 10s;  // its deadline ends it all the same

bool may_be_there(const kube::ApiError& error) {
    return error.http() == 0;
}

const Json& state_of(const Json& pod) {
    return at(pod, "/status/containerStatuses/0/state");
}

bool its_container_ended(const Json& pod) {
    return is_over(pod) || !at(state_of(pod), "/terminated").is_null();
}

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

Json throwaway_job(std::string_view file, const Names& names, const Json& agent) {
    Json job = manifest(file);
    Json& labels = job["/spec/template/metadata/labels"_json_pointer];
    labels["app.kubernetes.io/instance"] = names.name;
    if (labels.contains("app")) labels["app"] = names.name;
    const std::string component = text_at(labels, "/app.kubernetes.io~1component");
    job["metadata"] = {{"name", fmt::format("{}-{}-{}", names.name, component, hex(random_bytes(3)))},
                       {"namespace", names.ns},
                       {"labels", labels}};
    Json& spec = job["/spec/template/spec"_json_pointer];
    for (const char* field : {"nodeSelector", "tolerations", "imagePullSecrets", "runtimeClassName"}) {
        if (agent.contains(field)) spec[field] = agent[field];
    }
    return job;
}

Json agent_image(const Json& agent) {
    const Json& named = kube::with_name(at(agent, "/containers"), container_name);
    return named.is_null() ? at(agent, "/containers/0/image") : at(named, "/image");
}

ThrowawayJob::ThrowawayJob(kube::Client& client, const Json& job)
    : client_(client),
      ref_(kube::ref_of(job)),
      deadline_(std::chrono::seconds(kube::int_at(job, "/spec/activeDeadlineSeconds"))) {
    try {
        uid_ = text_at(client_.create(job).value(), "/metadata/uid");
    } catch (const kube::ApiError& error) {
        if (may_be_there(error)) remove();
        throw;
    } catch (...) {
        remove();
        throw;
    }
}

Json ThrowawayJob::pod() {
    const auto pods = client_.list("Pod", ref_.ns, {.label = "job-name=" + ref_.name, .field = {}});
    return pods.empty() ? Json() : pods.front();
}

Json ThrowawayJob::wait_for_end(Reporter& reporter, const std::function<void(const Json&)>& each_round) {
    const auto begun = client_.clock().now();
    while (client_.clock().now() < begun + deadline_) {
        const Json its_pod = pod();
        if (its_container_ended(its_pod)) return at(state_of(its_pod), "/terminated");
        if (its_pod.is_null() && client_.clock().now() > begun + longest_making) return nullptr;
        each_round(its_pod);
        reporter.tick();
        client_.clock().sleep(200ms);
    }
    return nullptr;
}

void ThrowawayJob::remove() noexcept {
    try {
        client_.remove(ref_, {.uid = uid_, .timeout = longest_farewell});
    } catch (const std::exception&) {  // its deadline ends it
    }
}

AskedJob::AskedJob(kube::Client& client, const Json& job, std::string what, Clock::Duration to_start)
    : clock_(client.clock()), what_(std::move(what)), until_(client.clock().now() + to_start) {
    try {
        job_.emplace(client, job);
    } catch (const kube::ApiError& error) {
        why_not_ = fmt::format("no {} could be made: {}", what_, error.message());
    }
}

Json AskedJob::running_pod() {
    if (!why_not_.empty()) return nullptr;
    try {
        Json pod = job_->pod();
        if (!at(state_of(pod), "/running").is_null()) return pod;
        why_not_ = trouble_of(pod);
    } catch (const kube::ApiError& error) {
        why_not_ = fmt::format("the {}'s pod may not be seen: {}", what_, error.message());
    }
    return nullptr;
}

std::string AskedJob::trouble_of(const Json& pod) const {
    const auto trouble = start_trouble(pod);
    const std::string cause = trouble ? trouble->cause : "";
    if (its_container_ended(pod))
        return fmt::format("the {} ended before it was asked{}{}", what_, trouble ? ": " : "", cause);
    if (trouble && trouble->patience == Patience::none)
        return fmt::format("the {} cannot start: {}", what_, cause);
    if (clock_.now() <= until_) return "";
    return fmt::format("the {} did not start in time ({})", what_, trouble ? cause : "quota, Pod Security?");
}

}  // namespace hermesctl::hermes
