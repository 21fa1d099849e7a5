#include "hermesctl/hermes/target.hpp"

#include "hermesctl/hermes/agent.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Json;
using kube::text_at;

constexpr std::string_view root_path =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/hermes/bin:/opt/hermes/.venv/bin";

/// What the container's own setting says of its user, else the pod's; none: the image's, which is root.
bool starts_as_root(const Json& pod) {
    for (const Json& container : at(pod, "/spec/containers")) {
        if (text_at(container, "/name") != container_name) continue;
        const std::int64_t of_pod = kube::int_at(pod, "/spec/securityContext/runAsUser");
        return kube::int_at(container, "/securityContext/runAsUser", of_pod) == 0;
    }
    return true;
}

Objects by_name(const kube::Outcome& answer) {
    Objects found;
    for (const Json& item : at(answer.value(), "/items")) {
        found[text_at(item, "/metadata/name")] = item;
    }
    return found;
}

}  // namespace

std::string reason_of(const Assessment& assessment) {
    if (assessment.trouble) return assessment.trouble->cause;
    if (assessment.rows.empty()) return "there is no pod";
    const Event& last = assessment.rows.back();
    return fmt::format("{}: {}", last.subject, last.detail);
}

Target find_agent(kube::Client& client, const Names& names) {
    const kube::Selector label{.label = "app=" + names.name, .field = {}};
    const std::vector<kube::Client::Listing> lists{
        {"Deployment", names.ns, {.label = {}, .field = "metadata.name=" + names.name}},
        {"ReplicaSet", names.ns, label},
        {"Pod", names.ns, label}};
    const auto answers = client.list_all(lists);
    const Objects deployments = by_name(answers[0]);
    if (deployments.empty()) {
        throw Error(ExitCode::failed,
                    fmt::format("there is no {} in namespace {}", title(names.deployment()), names.ns),
                    "hermesctl list shows what is there; hermesctl deploy makes one");
    }
    Snapshot now{.deployment = deployments.begin()->second,
                 .replica_sets = by_name(answers[1]),
                 .pods = by_name(answers[2])};
    const Assessment assessment = assess(now);
    Target target{.ns = names.ns, .pod = assessment.pod, .running = assessment.running};
    if (target.running) {
        target.drop_root = starts_as_root(now.pods.at(target.pod));
    } else {
        target.why = reason_of(assessment);
        target.hint = assessment.trouble ? assessment.trouble->hint : "hermesctl status";
    }
    return target;
}

Target running_agent(kube::Client& client, const Names& names) {
    Target target = find_agent(client, names);
    if (target.running) return target;
    throw Error(ExitCode::failed, fmt::format("no agent runs in {}: {}", names.ns, target.why), target.hint);
}

std::vector<std::string> command_as(const Target& target, bool root, const std::vector<std::string>& argv,
                                    const std::vector<std::string>& variables) {
    if (root && !target.drop_root) {
        throw Error(
            ExitCode::failed, "there is no root in the agent's container: all of it runs as the agent",
            "leave out --root; hermesctl deploy --no-hardened brings root back where the image has it");
    }
    std::vector<std::string> command;
    if (!root && target.drop_root) {
        command = {"/usr/bin/setpriv", "--reuid",         "10000",          "--regid", "10000",
                   "--clear-groups",   "--inh-caps=-all", "--no-new-privs", "--"};
    }
    command.emplace_back("/usr/bin/env");
    if (root) {
        command.emplace_back(root_path);
    } else {
        // The runtime gives root's home.
        command.insert(command.end(), {"HOME=/opt/data", "HERMES_HOME=/opt/data"});
    }
    command.insert(command.end(), variables.begin(), variables.end());
    command.insert(command.end(), argv.begin(), argv.end());
    return command;
}

}  // namespace hermesctl::hermes
