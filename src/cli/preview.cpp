// hermesctl render and diff: the objects as YAML, and what deploy would change.
#include "commands.hpp"
#include "hermesctl/hermes/plan.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/render.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "hermesctl/term/table.hpp"
#include "requested.hpp"

#include <CLI/CLI.hpp>

namespace hermesctl::cli {
namespace {

using kube::Json;

ExitCode render(Session& session, const DeployFlags& flags) {
    std::vector<Json> objects;
    for (const Json& settings : requested(session, flags)) {
        session.turns_to(hermes::names_of(settings));
        for (const Json& object :
             hermes::compose(session.client(), wish_of(session, settings, flags), session.story()).objects) {
            objects.push_back(hermes::masked(object));
        }
    }
    session.print_exact({{"objects", objects}}, kube::dump_yaml_documents(objects));
    return ExitCode::ok;
}

/// Where the lines of the policies come from, in place of the objects.
ExitCode explain(Session& session, const DeployFlags& flags) {
    Json all = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const Json& settings : requested(session, flags)) {
        session.turns_to(hermes::names_of(settings));
        hermes::Wish wish = wish_of(session, settings, flags);
        wish.policy_alone = true;
        const auto made = hermes::compose(session.client(), wish, session.story());
        for (const Json& object : made.objects) {
            for (const auto& [line, why] : hermes::policy_origins(made.values, made.cluster, object)) {
                all.push_back({{"policy", title(made.names.policy())}, {"line", line}, {"why", why}});
                rows.push_back({line, why});
            }
        }
    }
    session.print_exact({{"lines", all}}, term::table({}, rows));
    return ExitCode::ok;
}

ExitCode diff(Session& session, const DeployFlags& flags) {
    Json results = Json::array();
    std::string text;
    bool pending = false;
    for (const Json& settings : requested(session, flags)) {
        session.turns_to(hermes::names_of(settings));
        const auto made =
            hermes::compose(session.client(), wish_of(session, settings, flags), session.story());
        const auto plan = hermes::make_plan(session.client(), made.live, made.objects);
        pending = pending || plan.changes();
        Json result{{"namespace", made.names.ns}, {"name", made.names.name}, {"keptUsers", made.kept_users}};
        result.update(plan_json(plan));
        results.push_back(std::move(result));
        text += plan_text(plan);
    }
    session.print_result(
        results.size() == 1 ? results.front() : Json{{"changes", pending}, {"instances", results}},
        pending ? text : "nothing to change\n");
    return pending ? ExitCode::pending : ExitCode::ok;
}

}  // namespace

Run declare_render(CLI::App& app) {
    app.footer(
        "hermesctl render\nhermesctl render -f hermes.yaml > objects.yaml   (secrets are masked)\n"
        "hermesctl render --explain   (why the policy opens and closes what it does)");
    auto explained = std::make_shared<bool>(false);
    app.add_flag("--explain", *explained, "say where each line of the NetworkPolicy comes from, instead");
    auto flags = std::make_shared<DeployFlags>();
    add_setting_flags(app, *flags);
    return [flags, explained](Session& session) {
        return *explained ? explain(session, *flags) : render(session, *flags);
    };
}

Run declare_diff(CLI::App& app) {
    app.footer("hermesctl diff -f hermes.yaml   (exit 6 if anything would change)");
    auto flags = std::make_shared<DeployFlags>();
    add_setting_flags(app, *flags);
    return [flags](Session& session) { return diff(session, *flags); };
}

}  // namespace hermesctl::cli
