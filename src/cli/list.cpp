// hermesctl list: every instance that hermesctl manages, in all namespaces.
#include "commands.hpp"
#include "hermesctl/term/table.hpp"
#include "session.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

struct Instance {
    std::string ns{};
    std::string name{};
    std::string image{};
    std::int64_t wanted = 0;
    bool connected = false;
    std::string state() const {
        if (wanted == 0) return "stopped";
        return connected ? "connected" : "not connected";
    }
};

/// By the pod's own probe, which asks for Telegram; whether the model answers only status asks.
bool is_connected(const kube::Json& deployment, std::int64_t wanted) {
    using kube::int_at;
    return wanted > 0 &&
           int_at(deployment, "/status/observedGeneration") >= int_at(deployment, "/metadata/generation") &&
           int_at(deployment, "/status/updatedReplicas") >= wanted &&
           int_at(deployment, "/status/readyReplicas") >= wanted;
}

Instance instance_of(const kube::Json& deployment) {
    const std::int64_t wanted = kube::int_at(deployment, "/spec/replicas", 1);
    return {.ns = kube::text_at(deployment, "/metadata/namespace"),
            .name = kube::text_at(deployment, "/metadata/name"),
            .image = kube::text_at(deployment, "/spec/template/spec/containers/0/image"),
            .wanted = wanted,
            .connected = is_connected(deployment, wanted)};
}

kube::Json to_json(const std::vector<Instance>& instances) {
    kube::Json rows = kube::Json::array();
    for (const Instance& each : instances) {
        rows.push_back({{"namespace", each.ns},
                        {"name", each.name},
                        {"state", each.state()},
                        {"connected", each.connected},
                        {"replicas", each.wanted},
                        {"image", each.image}});
    }
    return {{"instances", std::move(rows)}};
}

std::string to_text(const std::vector<Instance>& instances, const std::string& ns) {
    if (instances.empty())
        return ns.empty() ? "no instances\n" : fmt::format("no instances in namespace {}\n", ns);
    std::vector<std::vector<std::string>> rows;
    for (const Instance& each : instances) {
        rows.push_back({each.ns, each.name, each.state(), each.image});
    }
    return term::table({"NAMESPACE", "NAME", "STATE", "IMAGE"}, rows);
}

ExitCode list(Session& session) {
    // -n is "hermes" elsewhere by default; here only a namespace that was named narrows the search.
    const std::string& ns = session.flags().ns;
    std::vector<Instance> instances;
    for (const kube::Json& deployment :
         session.client().list("Deployment", ns, {.label = "app.kubernetes.io/managed-by=hermesctl"})) {
        instances.push_back(instance_of(deployment));
    }
    session.print_result(to_json(instances), to_text(instances, ns));
    return ExitCode::ok;
}

}  // namespace

Run declare_list(CLI::App& app) {
    app.footer(
        "hermesctl list   (connected: to Telegram; hermesctl status tells whether it answers)\n"
        "hermesctl list -n hermes -o json");
    return list;
}

}  // namespace hermesctl::cli
