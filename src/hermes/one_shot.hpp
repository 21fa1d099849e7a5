// A pod of hermesctl's own that runs one container to its end beside the installation, and goes whatever
// happens.
#pragma once

#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace hermesctl::hermes {

/// `container` alone, where the pods of `pod_template` may run, and as policies see the agent: they select by
/// label. It has no hash of a template, so no ReplicaSet takes it for its own. `live`: the Deployment with
/// which it goes, should nobody be left to remove it; null when there is none.
Json one_shot_pod(const Names&, const Json& live, const Json& pod_template, const Json& container,
                  std::chrono::seconds deadline);

class OneShot {
  public:
    /// Throws ApiError.
    OneShot(kube::Client&, const Json& pod);
    ~OneShot();
    OneShot(const OneShot&) = delete;
    OneShot& operator=(const OneShot&) = delete;

    /// How its container ended; null when it did not, in that time. `each_round` sees the pod, and may throw.
    Json wait(Clock::Duration limit, Reporter&, const std::function<void(const Json& pod)>& each_round);

  private:
    kube::Client& client_;
    kube::Ref ref_;
};

}  // namespace hermesctl::hermes
