// What the rows about policies need of the cluster.
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/policy_checks.hpp"
#include "items.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

/// What else may open or close: APIs that not every cluster has. {} is the namespace.
constexpr std::array<std::string_view, 9> other_apis{
    "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies",
    "/apis/policy.networking.k8s.io/v1alpha1/baselineadminnetworkpolicies",
    "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies",
    "/apis/cilium.io/v2/namespaces/{}/ciliumnetworkpolicies",
    "/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies",
    "/apis/crd.projectcalico.org/v1/namespaces/{}/networkpolicies",
    "/apis/crd.projectcalico.org/v1/globalnetworkpolicies",
    "/apis/projectcalico.org/v3/namespaces/{}/networkpolicies",
    "/apis/projectcalico.org/v3/globalnetworkpolicies"};

std::string resource_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

std::string group_of_path(const std::string& path) {
    const std::string rest = path.substr(std::string_view("/apis/").size());
    return rest.substr(0, rest.find('/'));
}

void read_other_kinds(kube::Client& client, const std::string& ns, PolicyPremises& premises) {
    std::vector<std::string> paths;
    for (const std::string_view api : other_apis)
        paths.push_back(fmt::format(fmt::runtime(api), ns));
    const auto answers = client.get_paths(paths);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const std::string kind = fmt::format("{}.{}", resource_of(paths[i]), group_of_path(paths[i]));
        if (answers[i].error && answers[i].error->http() == 404) continue;  // no such API here
        if (answers[i].error) premises.unread_kinds.push_back(fmt::format("may not list {}", kind));
        if (!answers[i].object) continue;
        for (const Json& item : at(*answers[i].object, "/items"))
            premises.other_kinds.push_back(fmt::format("{}/{}", kind, text_at(item, "/metadata/name")));
    }
}

/// The labels of the live pod, which somebody may have changed; of the template where none runs.
Json labels_of(const std::vector<Json>& pods, const Names& names, const Json& deployment) {
    const Json* newest = nullptr;
    for (const Json& pod : pods) {
        const bool ours = text_at(pod, "/metadata/namespace") == names.ns &&
                          text_at(pod, "/metadata/labels/app") == names.name &&
                          !text_at(pod, "/metadata/labels/pod-template-hash").empty();
        if (!ours || !at(pod, "/metadata/deletionTimestamp").is_null()) continue;
        const bool newer = newest == nullptr || text_at(*newest, "/metadata/creationTimestamp") <
                                                    text_at(pod, "/metadata/creationTimestamp");
        if (newer) newest = &pod;
    }
    return newest != nullptr ? at(*newest, "/metadata/labels")
                             : at(deployment, "/spec/template/metadata/labels");
}

}  // namespace

PolicyPremises read_policies(kube::Client& client, const Names& names, const std::string& server) {
    const Live live = read_live(client, names);
    PolicyPremises premises{.own = names.policy().name,
                            .cluster = read_cluster(client, server),
                            .in_cluster = true,
                            .values = values_of(settings_of(live, names))};
    keep_what_was_known(live.of(names.policy()), premises.cluster);
    const std::vector<kube::Client::Listing> lists{
        {"NetworkPolicy", names.ns, {}}, {"Pod", "", {}}, {"Namespace", "", {}}};
    const auto answers = client.list_all(lists);
    if (answers[0].error) {
        premises.failure = fmt::format("the policies of namespace {} cannot be read: {}", names.ns,
                                       answers[0].error->message());
    }
    premises.policies = items_of(answers[0]);
    premises.neighbours = {.pods = items_of(answers[1]),
                           .namespaces = items_of(answers[2]),
                           .known = answers[1].object.has_value()};
    premises.sender = {names.ns, labels_of(premises.neighbours.pods, names, live.of(names.deployment()))};
    read_other_kinds(client, names.ns, premises);
    return premises;
}

}  // namespace hermesctl::hermes
