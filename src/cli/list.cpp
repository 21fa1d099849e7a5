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
    std::int64_t ready = 0;
    std::string state() const {
        if (wanted == 0) return "stopped";
        return ready >= wanted ? "ready" : "not ready";
    }
};

Instance instance_of(const kube::Json& deployment) {
    return {.ns = kube::text_at(deployment, "/metadata/namespace"),
            .name = kube::text_at(deployment, "/metadata/name"),
            .image = kube::text_at(deployment, "/spec/template/spec/containers/0/image"),
            .wanted = kube::int_at(deployment, "/spec/replicas", 1),
            .ready = kube::int_at(deployment, "/status/readyReplicas")};
}

kube::Json to_json(const std::vector<Instance>& instances) {
    kube::Json rows = kube::Json::array();
    for (const Instance& each : instances) {
        rows.push_back({{"namespace", each.ns},
                        {"name", each.name},
                        {"state", each.state()},
                        {"ready", each.wanted > 0 && each.ready >= each.wanted},
                        {"replicas", each.wanted},
                        {"image", each.image}});
    }
    return {{"instances", std::move(rows)}};
}

std::string to_text(const std::vector<Instance>& instances) {
    if (instances.empty()) return "no instances\n";
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
    session.print_result(to_json(instances), to_text(instances));
    return ExitCode::ok;
}

}  // namespace

Run declare_list(CLI::App& app) {
    app.footer("hermesctl list\nhermesctl list -n hermes -o json");
    return list;
}

}  // namespace hermesctl::cli
