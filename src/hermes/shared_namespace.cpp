#include "shared_namespace.hpp"

#include "items.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Json;
using kube::text_at;

constexpr auto managed_by = "/metadata/labels/app.kubernetes.io~1managed-by";

void tell(Reporter& reporter, std::string subject, State state, std::string what) {
    reporter.on({"plan", std::move(subject), state, std::move(what)});
}

/// Pods that are no instance's of hermesctl; none where they may not be listed.
std::size_t count_others(kube::Client& client, const std::string& ns, const std::string& instance) {
    const kube::Client::Listing pods{"Pod", ns, {}};
    const auto answers = client.list_all({&pods, 1});
    if (!answers.front().object) return 0;
    const Json& items = at(*answers.front().object, "/items");
    return static_cast<std::size_t>(std::count_if(items.begin(), items.end(), [&](const Json& pod) {
        return !is_over(pod) && text_at(pod, managed_by) != "hermesctl" &&
               text_at(pod, "/metadata/labels/app") != instance;
    }));
}

/// By a dry run: the server then warns of each pod that the level would refuse.
void tell_what_baseline_means(kube::Client& client, const std::string& ns, Reporter& reporter) {
    const Json labels{{"metadata", {{"labels", {{"pod-security.kubernetes.io/enforce", "baseline"}}}}}};
    const auto answer = client.patch({"Namespace", "", ns}, kube::Patch::merge, labels, {.dry_run = true});
    std::string meaning = "the server warns of none of them";
    if (answer.warned) meaning = "not all of them would be let in by it: the server's warnings say why";
    if (answer.error) meaning = "what it would mean for them is not known: " + answer.error->message();
    tell(reporter, "baseline", State::info, meaning);
}

}  // namespace

bool is_foreign(const Json& name_space) {
    return !name_space.is_null() && text_at(name_space, managed_by) != "hermesctl";
}

std::string level_of(const Json& name_space) {
    return text_at(name_space, "/metadata/labels/pod-security.kubernetes.io~1enforce", "privileged");
}

std::size_t tell_of_namespace(kube::Client& client, const Json& name_space, const std::string& instance,
                              bool to_come, Reporter& reporter) {
    const std::string ns = text_at(name_space, "/metadata/name");
    tell(reporter, "namespace/" + ns, State::info, "was there before and keeps its labels");
    const std::string level = level_of(name_space);
    const bool guarded = level == "baseline" || level == "restricted";
    if (!guarded) {
        tell(reporter, "pod security", State::warning,
             fmt::format(
                 "nothing in this namespace enforces the baseline; kubectl label namespace {} "
                 "pod-security.kubernetes.io/enforce=baseline does (with --dry-run=server it says what "
                 "that would mean for the pods in it)",
                 ns));
    }
    const std::size_t others = count_others(client, ns, instance);
    if (others == 0) return 0;
    tell(reporter, "neighbours", State::info,
         fmt::format("{} other {} in it", others, others == 1 ? "pod runs" : "pods run"));
    if (to_come && !guarded) tell_what_baseline_means(client, ns, reporter);
    return others;
}

}  // namespace hermesctl::hermes
