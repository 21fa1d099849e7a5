// hermesctl render and diff: the objects as YAML, and what deploy would change.
#include "commands.hpp"
#include "hermesctl/hermes/plan.hpp"
#include "hermesctl/hermes/render.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "requested.hpp"

#include <CLI/CLI.hpp>

namespace hermesctl::cli {
namespace {

using kube::Json;

ExitCode render(Session& session, const DeployFlags& flags) {
    std::vector<Json> objects;
    for (const Json& settings : requested(session, flags)) {
        for (const Json& object :
             hermes::compose(session.client(), wish_of(session, settings), session.story()).objects) {
            objects.push_back(hermes::masked(object));
        }
    }
    session.print_exact({{"objects", objects}}, kube::dump_yaml_documents(objects));
    return ExitCode::ok;
}

ExitCode diff(Session& session, const DeployFlags& flags) {
    Json results = Json::array();
    std::string text;
    bool pending = false;
    for (const Json& settings : requested(session, flags)) {
        const auto made = hermes::compose(session.client(), wish_of(session, settings), session.story());
        const auto plan = hermes::make_plan(session.client(), made.live, made.objects);
        pending = pending || plan.changes();
        results.push_back(plan_json(plan));
        text += plan_text(plan);
    }
    session.print_result(results.size() == 1 ? results.front() : Json{{"instances", results}},
                         pending ? text : "nothing to change\n");
    return pending ? ExitCode::pending : ExitCode::ok;
}

Run declare(CLI::App& app, ExitCode (*command)(Session&, const DeployFlags&)) {
    auto flags = std::make_shared<DeployFlags>();
    add_setting_flags(app, *flags);
    return [flags, command](Session& session) { return command(session, *flags); };
}

}  // namespace

Run declare_render(CLI::App& app, const GlobalFlags&) {
    app.footer("hermesctl render\nhermesctl render -f hermes.yaml > objects.yaml   (secrets are masked)");
    return declare(app, render);
}

Run declare_diff(CLI::App& app, const GlobalFlags&) {
    app.footer("hermesctl diff -f hermes.yaml   (exit 6 if anything would change)");
    return declare(app, diff);
}

}  // namespace hermesctl::cli
