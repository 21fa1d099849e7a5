// The hardened form of the pod (pod.hardened, deploy --hardened): no root, no capabilities, a root file
// system that nobody writes to. For images that start without root; it meets the Pod Security level
// "restricted".
#pragma once

#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <functional>

namespace hermesctl::hermes {

/// Makes it of the pod of manifests/60-deployment.yaml.
void harden(Json& pod_spec);

/// Why a pod does not have it, of its agent or an init container; "" when it has.
std::string lacking_hardness(const Json& pod_spec);

/// Whether the Deployment was asked to have it.
bool wants_hardness(const Json& deployment);

/// What to type where Pod Security refuses a pod that is not hardened.
std::string past_the_level(const std::string& ns);

/// The namespace asks for a warning of what "restricted" would refuse, and the server warns with each change
/// of the Deployment: not shown where the official image's s6 starts as root, as it was asked to.
void expect_root_warning(kube::Client&, bool hardened);

/// Whether the image of a Deployment that is to come has to show that it starts so: `live` does not already
/// run the same one hardened.
bool needs_trial(const Json& live, const Json& to_come);

/// Starts that image in a pod of its own, hardened, without the Secret and with an empty volume, where it
/// needs_trial. Throws Error with the reason when it does not start without root, and, where an agent runs,
/// also when that could not be tried.
void prove_start(kube::Client&, const Names&, const Json& live, const Json& to_come, Reporter&,
                 const std::function<void()>& each_round = {});

}  // namespace hermesctl::hermes
