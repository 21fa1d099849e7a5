#include "one_shot.hpp"

#include "hermesctl/base/crypto.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {

using namespace std::chrono_literals;
using kube::at;
using kube::text_at;

Json one_shot_pod(const Names& names, const Json& live, const Json& pod_template, const Json& container,
                  std::chrono::seconds deadline) {
    const std::string purpose = text_at(container, "/name");
    const Json& spec = at(pod_template, "/spec");
    Json pod{{"apiVersion", "v1"},
             {"kind", "Pod"},
             {"metadata",
              {{"name", fmt::format("{}-{}-{}", names.name, purpose, hex(random_bytes(3)))},
               {"namespace", names.ns},
               {"labels",
                {{"app", names.name},
                 {"app.kubernetes.io/instance", names.name},
                 {"app.kubernetes.io/managed-by", "hermesctl"},
                 {"app.kubernetes.io/component", purpose}}}}},
             {"spec",
              {{"restartPolicy", "Never"},
               {"activeDeadlineSeconds", deadline.count()},
               {"automountServiceAccountToken", false},
               {"enableServiceLinks", false},
               {"securityContext", {{"seccompProfile", {{"type", "RuntimeDefault"}}}}},
               {"containers", Json::array({container})}}}};
    if (!live.is_null()) {
        pod["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", "apps/v1"},
                                                           {"kind", "Deployment"},
                                                           {"name", names.name},
                                                           {"uid", at(live, "/metadata/uid")}}});
    }
    for (const char* field : {"nodeSelector", "tolerations", "imagePullSecrets", "runtimeClassName"}) {
        if (spec.contains(field)) pod["spec"][field] = spec[field];
    }
    return pod;
}

OneShot::OneShot(kube::Client& client, const Json& pod) : client_(client), ref_(kube::ref_of(pod)) {
    client_.create(pod).value();
}

OneShot::~OneShot() {
    try {
        client_.remove(ref_, {.grace_seconds = 0});
    } catch (const std::exception&) {  // its deadline ends it
    }
}

Json OneShot::wait(Clock::Duration limit, Reporter& reporter,
                   const std::function<void(const Json& pod)>& each_round) {
    const auto end = client_.clock().now() + limit;
    while (client_.clock().now() < end) {
        const auto pod = client_.get(ref_);
        if (!pod) return nullptr;
        const Json& ended = at(*pod, "/status/containerStatuses/0/state/terminated");
        if (!ended.is_null()) return ended;
        const std::string phase = text_at(*pod, "/status/phase");
        if (phase == "Failed" || phase == "Succeeded") return nullptr;
        each_round(*pod);
        reporter.tick();
        client_.clock().sleep(200ms);
    }
    return nullptr;
}

}  // namespace hermesctl::hermes
