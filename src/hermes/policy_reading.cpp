// What the rows about policies need of the cluster.
#include "hermesctl/hermes/policy_checks.hpp"
#include "items.hpp"
#include "served.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using Listing = kube::Client::Listing;

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

std::string group_of_path(const std::string& path) {
    const std::string rest = path.substr(std::string_view("/apis/").size());
    return rest.substr(0, rest.find('/'));
}

std::string path_of(std::string_view api, const Names& names) {
    return fmt::format(fmt::runtime(api), names.ns);
}

void note_other_kinds(const kube::Round& round, const Names& names, PolicyPremises& premises) {
    for (const std::string_view api : other_apis) {
        const std::string path = path_of(api, names);
        const kube::Outcome& answer = round.of(path);
        const std::string kind = fmt::format("{}.{}", resource_of(path), group_of_path(path));
        if (!is_served(round, path) || (answer.error && answer.error->http() == 404)) continue;
        if (answer.error) premises.unread_kinds.push_back(kind);
        if (!answer.object) continue;
        for (const Json& item : at(*answer.object, "/items"))
            premises.other_kinds.push_back(fmt::format("{}/{}", kind, text_at(item, "/metadata/name")));
    }
}

const Listing& all_pods() {
    static const Listing list{"Pod", "", {}};
    return list;
}
const Listing& all_namespaces() {
    static const Listing list{"Namespace", "", {}};
    return list;
}

}  // namespace

void want_policies(kube::Round& round, const Names& names) {
    round.want(names.policies());
    round.want(all_pods());
    round.want(all_namespaces());
    for (const std::string_view api : other_apis)
        want_if_served(round, path_of(api, names));
}

PolicyPremises policy_premises(Observation& seen) {
    const Names& names = seen.names;
    PolicyPremises premises{
        .own = names.policy().name, .cluster = seen.cluster, .in_cluster = true, .values = seen.values};
    const kube::Outcome& policies = seen.round.of(names.policies());
    if (policies.error) {
        premises.failure = fmt::format("the policies of namespace {} cannot be read: {}", names.ns,
                                       policies.error->message());
    }
    premises.policies = items_of(policies);
    kube::Outcome pods = seen.round.take(all_pods());
    premises.neighbours.known = pods.object.has_value();
    premises.neighbours.pods = items_of(std::move(pods));
    kube::Outcome namespaces = seen.round.take(all_namespaces());
    premises.neighbours.labels_known = namespaces.object.has_value();
    premises.neighbours.namespaces = items_of(std::move(namespaces));
    // The labels of the live pod, which somebody may have changed; of the template where none runs.
    premises.sender = {names.ns, seen.agent.pod.empty()
                                     ? at(seen.live.of(names.deployment()), "/spec/template/metadata/labels")
                                     : at(seen.agent.object, "/metadata/labels")};
    note_other_kinds(seen.round, names, premises);
    return premises;
}

}  // namespace hermesctl::hermes
