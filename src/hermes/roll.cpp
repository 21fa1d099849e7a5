#include "hermesctl/hermes/roll.hpp"

namespace hermesctl::hermes {
namespace {

/// Of the rollout tools, not ours: written by the apply manager the annotation would vanish with the next
/// deploy and roll the pod once more.
constexpr std::string_view restart_manager = "kubectl-rollout";

}  // namespace

void roll(kube::Client& client, const Names& names, const std::optional<Json>& mark, Reporter& reporter) {
    const Json annotations =
        mark.value_or(Json{{"kubectl.kubernetes.io/restartedAt", rfc3339(client.clock().wall())}});
    const Json body{{"spec", {{"template", {{"metadata", {{"annotations", annotations}}}}}}}};
    client
        .patch(names.deployment(), kube::Patch::merge, body,
               {.manager = mark ? kube::field_manager : restart_manager})
        .value();
    reporter.on({"apply", title(names.deployment()), State::done, "restarting"});
}

}  // namespace hermesctl::hermes
