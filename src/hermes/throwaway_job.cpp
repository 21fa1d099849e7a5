#include "throwaway_job.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/embedded.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using kube::Json;
using kube::text_at;

constexpr auto longest_farewell = 10s;  // its deadline ends it all the same

bool may_be_there(const kube::ApiError& error) {
    return error.http() == 0;
}

}  // namespace

Json throwaway_job(std::string_view manifest, const std::string& ns, const std::string& instance) {
    Json job = kube::parse_yaml(embedded(manifest), manifest).at(0);
    Json& labels = job["spec"]["template"]["metadata"]["labels"];
    labels["app.kubernetes.io/instance"] = instance;
    if (labels.contains("app")) labels["app"] = instance;
    const std::string component = text_at(labels, "/app.kubernetes.io~1component");
    job["metadata"] = {{"name", fmt::format("{}-{}-{}", instance, component, hex(random_bytes(3)))},
                       {"namespace", ns},
                       {"labels", labels}};
    return job;
}

ThrowawayJob::ThrowawayJob(kube::Client& client, const Json& job) : client_(client), ref_(kube::ref_of(job)) {
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

void ThrowawayJob::remove() noexcept {
    try {
        client_.remove(ref_, {.uid = uid_, .timeout = longest_farewell});
    } catch (const std::exception&) {  // its deadline ends it
    }
}

}  // namespace hermesctl::hermes
