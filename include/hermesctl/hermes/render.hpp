// Values to Kubernetes objects: the files of manifests/ with values set by JSON pointer. Pure.
#pragma once

#include "hermesctl/hermes/cluster.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/hermes/values.hpp"

#include <map>
#include <string>
#include <vector>

namespace hermesctl::hermes {

struct RenderInput {
    std::map<std::string, std::string> secrets{};  // the Secret's whole data
    std::string salt{};                            // random; kept on the Secret (annotation hermesctl/salt)
    ClusterFacts cluster{};
    Json kept_rules = Json::array();  // egress rules of others, see policy.hpp
    std::string config_mark{};        // of the last change of the live config.yaml, see live_config.hpp
    int replicas = 1;
};

/// Namespace, ServiceAccount, PersistentVolumeClaim, Secret, ConfigMap, NetworkPolicy, Deployment: in the
/// order of application. Complete for server-side apply: every field that the guide sets otherwise is set
/// explicitly.
std::vector<Json> render(const Values&, const RenderInput&);

/// The labels of the pod, by which policies select it.
Json pod_labels(const Values&);

/// What every installation's config.yaml starts from.
Json seeded_config();
/// The text of the seeded config.yaml.
std::string config_yaml(const Values&);

/// The same object for people: a Secret's values are masked, what may be a credential in a ConfigMap's files,
/// and a credential among a Deployment's variables.
Json masked(Json object);

}  // namespace hermesctl::hermes
