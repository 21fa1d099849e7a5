// The kinds that are used, each at the version that every supported cluster serves.
#include "hermesctl/kube/kinds.hpp"

#include "hermesctl/net/http.hpp"

#include <array>
#include <stdexcept>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

constexpr std::string_view rbac = "rbac.authorization.k8s.io/v1";

constexpr std::array table{
    Kind{"Namespace", "v1", "namespaces", false},
    Kind{"ServiceAccount", "v1", "serviceaccounts", true},
    Kind{"PersistentVolumeClaim", "v1", "persistentvolumeclaims", true},
    Kind{"PersistentVolume", "v1", "persistentvolumes", false},
    Kind{"Secret", "v1", "secrets", true},
    Kind{"ConfigMap", "v1", "configmaps", true},
    Kind{"Pod", "v1", "pods", true},
    Kind{"Event", "v1", "events", true},
    Kind{"Service", "v1", "services", true},
    Kind{"Endpoints", "v1", "endpoints", true},
    Kind{"Node", "v1", "nodes", false},
    Kind{"ResourceQuota", "v1", "resourcequotas", true},
    Kind{"LimitRange", "v1", "limitranges", true},
    Kind{"Deployment", "apps/v1", "deployments", true},
    Kind{"ReplicaSet", "apps/v1", "replicasets", true},
    Kind{"Job", "batch/v1", "jobs", true},
    Kind{"NetworkPolicy", "networking.k8s.io/v1", "networkpolicies", true},
    Kind{"Ingress", "networking.k8s.io/v1", "ingresses", true},
    Kind{"ServiceCIDR", "networking.k8s.io/v1", "servicecidrs", false},
    Kind{"EndpointSlice", "discovery.k8s.io/v1", "endpointslices", true},
    Kind{"Lease", "coordination.k8s.io/v1", "leases", true},
    Kind{"StorageClass", "storage.k8s.io/v1", "storageclasses", false},
    Kind{"Role", rbac, "roles", true},
    Kind{"RoleBinding", rbac, "rolebindings", true},
    Kind{"ClusterRole", rbac, "clusterroles", false},
    Kind{"ClusterRoleBinding", rbac, "clusterrolebindings", false},
};

}  // namespace

std::span<const Kind> kinds() {
    return table;
}

const Kind& kind_of(std::string_view name) {
    for (const Kind& kind : table) {
        if (kind.name == name) return kind;
    }
    throw std::logic_error(fmt::format("kind {} is not in the table of kinds", name));
}

std::string_view group_of(const Kind& kind) {
    const std::size_t slash = kind.api_version.find('/');
    return slash == std::string_view::npos ? std::string_view{} : kind.api_version.substr(0, slash);
}

std::string collection_path(const Kind& kind, std::string_view ns) {
    std::string path = fmt::format("/{}/{}", group_of(kind).empty() ? "api" : "apis", kind.api_version);
    if (kind.namespaced && !ns.empty()) path += "/namespaces/" + net::percent_encode(ns);
    return fmt::format("{}/{}", path, kind.plural);
}

std::string object_path(const Ref& ref) {
    return collection_path(kind_of(ref.kind), ref.ns) + "/" + net::percent_encode(ref.name);
}

}  // namespace hermesctl::kube
