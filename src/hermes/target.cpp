#include "hermesctl/hermes/target.hpp"

#include "hermesctl/hermes/agent.hpp"
#include "items.hpp"

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
    const std::int64_t of_pod = kube::int_at(pod, "/spec/securityContext/runAsUser");
    const Json& container = kube::with_name(at(pod, "/spec/containers"), container_name);
    return container.is_null() || kube::int_at(container, "/securityContext/runAsUser", of_pod) == 0;
}

/// Why no agent runs.
std::string reason_of(const Assessment& assessment) {
    if (assessment.trouble) return assessment.trouble->cause;
    if (assessment.rows.empty()) return "there is no pod";
    const Event& last = assessment.rows.back();
    return fmt::format("{}: {}", last.subject, last.detail);
}

}  // namespace

void want_agent(kube::Round& round, const Names& names) {
    round.want(names.deployment());
    round.want(names.replica_sets());
    round.want(names.pods());
}

Target agent_of(const kube::Round& round, const Names& names) {
    const kube::Outcome& deployment = round.of(names.deployment());
    if (deployment.not_found()) throw missing(names.deployment());
    const Snapshot now{.deployment = deployment.value(),
                       .replica_sets = by_name(round.of(names.replica_sets())),
                       .pods = by_name(round.of(names.pods()))};
    const Assessment assessment = assess(now);
    Target target{.ns = names.ns, .pod = assessment.pod, .running = assessment.running};
    if (!target.pod.empty()) target.object = now.pods.at(target.pod);
    if (target.running) {
        target.drop_root = starts_as_root(target.object);
    } else {
        target.why = reason_of(assessment);
        target.hint = assessment.trouble ? assessment.trouble->hint : "hermesctl status";
    }
    return target;
}

Target agent_if_seen(const kube::Round& round, const Names& names) {
    try {
        return agent_of(round, names);
    } catch (const kube::ApiError& error) {
        return {.ns = names.ns, .why = error.message(), .hint = error.hint()};
    }
}

Target find_agent(kube::Client& client, const Names& names) {
    kube::Round round(client);
    want_agent(round, names);
    round.run();
    return agent_of(round, names);
}

Target running_agent(kube::Client& client, const Names& names) {
    Target target = find_agent(client, names);
    if (target.running) return target;
    throw Error(ExitCode::failed, fmt::format("no agent runs in {}: {}", names.ns, target.why), target.hint);
}

std::vector<std::string> command_as(const Target& target, As whom, const std::vector<std::string>& argv,
                                    const std::vector<std::string>& variables) {
    const bool root = whom == As::root;
    if (root && !target.drop_root) {
        throw Error(
            ExitCode::failed, "there is no root in the agent's container: all of it runs as the agent",
            "leave out --root; hermesctl deploy --no-hardened brings root back where the image has it");
    }
    std::vector<std::string> command;
    if (!root && target.drop_root) {
        const std::string user = std::to_string(agent_user);
        command = {"/usr/bin/setpriv", "--reuid",        user, "--regid", user, "--clear-groups",
                   "--inh-caps=-all",  "--no-new-privs", "--"};
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
