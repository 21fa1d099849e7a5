// hermesctl render and diff: the objects as YAML, and what deploy would change.
#include "commands.hpp"
#include "hermesctl/hermes/plan.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/render.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "hermesctl/term/table.hpp"
#include "requested.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

#include <CLI/CLI.hpp>

namespace hermesctl::cli {
namespace {

using kube::Json;

/// Of several, an error says whose it is.
void for_each_instance(Session& session, const DeployFlags& flags,
                       const std::function<void(hermes::Wish, const hermes::Names&)>& part) {
    for (const Json& settings : requested(session, flags)) {
        const hermes::Names names = hermes::names_of(settings);
        session.turns_to(names);
        try {
            part(wish_of(session, settings, flags), names);
        } catch (Error& error) {
            if (session.several()) error.during("looking at " + called(names));
            throw;
        }
    }
}

ExitCode render(Session& session, const DeployFlags& flags) {
    std::vector<Json> all;
    std::string text;
    for_each_instance(session, flags, [&](const hermes::Wish& wish, const hermes::Names& names) {
        std::vector<Json> objects;
        for (const Json& object : hermes::compose(session.client(), wish, session.story()).objects)
            objects.push_back(hermes::masked(object));
        if (!text.empty()) text += "---\n";
        if (session.several()) text += "# instance " + called(names) + "\n";
        text += kube::dump_yaml_documents(objects);
        std::ranges::move(objects, std::back_inserter(all));
    });
    session.print_exact({{"objects", all}}, text);
    return ExitCode::ok;
}

/// Where the lines of the policies come from, in place of the objects.
ExitCode explain(Session& session, const DeployFlags& flags) {
    Json all = Json::array();
    std::string text;
    for_each_instance(session, flags, [&](hermes::Wish wish, const hermes::Names& names) {
        wish.policy_alone = true;
        const auto made = hermes::compose(session.client(), wish, session.story());
        std::vector<std::vector<std::string>> rows;
        for (const Json& object : made.objects) {
            for (const auto& [line, why] : hermes::policy_origins(made.values, made.cluster, object)) {
                all.push_back({{"policy", title(names.policy())}, {"line", line}, {"why", why}});
                rows.push_back({line, why});
            }
        }
        text += heading(session, names) + term::table({}, rows);
    });
    session.print_exact({{"lines", all}}, text);
    return ExitCode::ok;
}

ExitCode diff(Session& session, const DeployFlags& flags) {
    Json results = Json::array();
    std::string text;
    bool pending = false;
    for_each_instance(session, flags, [&](const hermes::Wish& wish, const hermes::Names& names) {
        const auto made = hermes::compose(session.client(), wish, session.story());
        const auto plan = hermes::make_plan(session.client(), made.live, made.objects);
        pending = pending || plan.changes();
        Json result{{"namespace", names.ns}, {"name", names.name}, {"keptUsers", made.kept_users}};
        result.update(plan_json(plan));
        results.push_back(std::move(result));
        text += heading(session, names) + plan_text(plan);
    });
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
