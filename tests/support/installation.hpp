// An installation as deploy leaves it in the fake cluster, as far as tests about running it look.
#pragma once

#include "support/fake_api.hpp"

#include <string>

namespace hermesctl::testing {

inline kube::Json object_of(const std::string& kind, const std::string& ns, const std::string& name,
                            kube::Json more = kube::Json::object()) {
    more["kind"] = kind;
    more["apiVersion"] = std::string(kube::kind_of(kind).api_version);
    more["metadata"]["name"] = name;
    if (!ns.empty()) more["metadata"]["namespace"] = ns;
    return more;
}

/// As a controller names it.
inline kube::Json owner(const FakeApi& api, const kube::Ref& ref) {
    return kube::Json::array(
        {{{"kind", ref.kind}, {"name", ref.name}, {"uid", api.object(ref).at("metadata").at("uid")}}});
}

/// What the controllers and the kubelet make of the Deployment "hermes": its ReplicaSet, and a pod with its
/// labels that is as `more` has it.
inline void run_pod(FakeApi& api, const std::string& name, kube::Json more) {
    const kube::Ref deployment{"Deployment", "hermes", "hermes"};
    const kube::Json revision{{"deployment.kubernetes.io/revision", "1"}};
    const kube::Json labels{{"app", "hermes"}, {"pod-template-hash", "1"}};
    api.merge(deployment, {{"metadata", {{"annotations", revision}}},
                           {"status", {{"observedGeneration", 9}, {"replicas", 1}, {"updatedReplicas", 1}}}});
    api.put(object_of(
        "ReplicaSet", "hermes", "hermes-1",
        {{"metadata",
          {{"annotations", revision}, {"labels", labels}, {"ownerReferences", owner(api, deployment)}}}}));
    kube::Json metadata{{"labels", labels},
                        {"ownerReferences", owner(api, {"ReplicaSet", "hermes", "hermes-1"})}};
    metadata.merge_patch(more.value("metadata", kube::Json::object()));
    more["metadata"] = metadata;
    api.put(object_of("Pod", "hermes", name, std::move(more)));
}

/// The objects of an instance, its ReplicaSet and its pod (NAME-1-a), and what Kubernetes puts into each
/// namespace.
inline void put_installation(FakeApi& api, const std::string& ns = "hermes",
                             const std::string& name = "hermes") {
    const kube::Json labels{
        {"app", name}, {"app.kubernetes.io/managed-by", "hermesctl"}, {"app.kubernetes.io/instance", name}};
    const auto put = [&](const std::string& kind, const std::string& called, kube::Json more) {
        more["metadata"]["labels"] = labels;
        api.put(object_of(kind, ns, called, std::move(more)));
    };
    api.put(object_of("Namespace", "", ns,
                      {{"metadata", {{"labels", {{"app.kubernetes.io/managed-by", "hermesctl"}}}}}}));
    api.put(object_of("ConfigMap", ns, "kube-root-ca.crt"));
    api.put(object_of("ServiceAccount", ns, "default"));
    put("ServiceAccount", name, {});
    put("PersistentVolumeClaim", name + "-data",
        {{"spec", {{"resources", {{"requests", {{"storage", "5Gi"}}}}}}}});
    put("Secret", name + "-secrets", {});
    put("ConfigMap", name + "-config", {{"data", {{"config.yaml", "model: {provider: minimax}\n"}}}});
    put("NetworkPolicy", name + "-egress", {});
    const kube::Json containers = kube::Json::array({{{"name", "hermes"}, {"image", "hermes:1"}}});
    put("Deployment", name,
        {{"metadata", {{"annotations", {{"deployment.kubernetes.io/revision", "1"}}}}},
         {"spec", {{"replicas", 1}, {"template", {{"spec", {{"containers", containers}}}}}}},
         {"status", {{"observedGeneration", 1}, {"replicas", 1}, {"updatedReplicas", 1}}}});
    put("ReplicaSet", name + "-1",
        {{"metadata",
          {{"annotations", {{"deployment.kubernetes.io/revision", "1"}}},
           {"ownerReferences", owner(api, {"Deployment", ns, name})}}}});
    const kube::Json running{{"running", {{"startedAt", "2026-01-01T00:00:00Z"}}}};
    const kube::Json statuses = kube::Json::array({{{"name", "hermes"}, {"state", running}}});
    put("Pod", name + "-1-a",
        {{"metadata", {{"ownerReferences", owner(api, {"ReplicaSet", ns, name + "-1"})}}},
         {"spec", {{"nodeName", "node"}, {"containers", containers}}},
         {"status", {{"phase", "Running"}, {"containerStatuses", statuses}}}});
}

}  // namespace hermesctl::testing
