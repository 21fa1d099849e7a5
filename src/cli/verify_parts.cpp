#include "verify_parts.hpp"

#include "errors.hpp"
#include "hermesctl/hermes/inspection.hpp"
#include "hermesctl/hermes/live_proof.hpp"
#include "hermesctl/hermes/policy_checks.hpp"
#include "hermesctl/hermes/target.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "report_text.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Checks;
using kube::Json;
using kube::text_at;

void append(Checks& all, Checks more) {
    std::ranges::move(more, std::back_inserter(all));
}

/// Lists of objects taken apart.
void collect(const Json& object, std::vector<Json>& objects) {
    const Json& items = kube::at(object, "/items");
    if (!text_at(object, "/kind").ends_with("List") || !items.is_array()) return objects.push_back(object);
    for (const Json& item : items)
        collect(item, objects);
}

}  // namespace

Checks policy_rows(Session& session, const hermes::Names& names) {
    return hermes::policy_checks(hermes::read_policies(session.client(), names, session.connection().server));
}

Checks policy_rows(std::string_view text, const std::string& source, const std::string& ns) {
    std::vector<Json> objects;
    for (const Json& document : kube::parse_yaml(text, source))
        collect(document, objects);
    const bool some = std::ranges::any_of(
        objects, [](const Json& object) { return text_at(object, "/kind") == "NetworkPolicy"; });
    if (!some) {
        throw Error(ExitCode::usage, fmt::format("{} has no NetworkPolicy", source),
                    "--static -f takes the YAML that kubectl apply takes");
    }
    return hermes::policy_checks_of(objects, ns);
}

Checks live_rows(Session& session, const hermes::Names& names, const Probing& probing) {
    return hermes::prove_live(session.client(), names, session.connection().server,
                              {.lan_targets = probing.lan_targets, .quick = probing.quick}, session.story());
}

Checks told(Checks checks, const GlobalFlags& flags) {
    checks = safe_to_show(std::move(checks));
    for (hermes::Check& check : checks)
        check.hint = completed_hint(check.hint, flags);
    return checks;
}

hermes::Report verify_installation(Session& session, const hermes::Names& names,
                                   const VerifyOptions& options) {
    const hermes::Live live = hermes::read_live(session.client(), names);
    if (!live.installed(names)) {
        throw Error(ExitCode::failed,
                    fmt::format("there is no {} in namespace {}", title(names.deployment()), names.ns),
                    "hermesctl deploy, or hermesctl list to see what is there");
    }
    const hermes::Values values = hermes::values_of(hermes::settings_of(live, names));
    hermes::Report report{.scope = options.scope,
                          .context = session.connection().context,
                          .server = session.connection().server,
                          .ns = names.ns,
                          .instance = names.name,
                          .pod = hermes::find_agent(session.client(), names).pod,
                          .image = values.image,
                          .when = rfc3339(session.clock().wall()),
                          .open = hermes::openings(values)};
    const auto policies = hermes::read_policies(session.client(), names, session.connection().server);
    Checks checks = hermes::policy_checks(policies);
    if (options.scope != hermes::Scope::computed) {
        const bool quick = options.scope == hermes::Scope::quick;
        append(checks, live_rows(session, names, {.lan_targets = options.lan_targets, .quick = quick}));
        const hermes::Premises pod = hermes::read_premises(session.client(), names);
        checks.push_back(check_resolvers(policies, pod));
        append(checks, hermes::inspect(pod));
    }
    report.checks = told(std::move(checks), session.flags());
    return report;
}

}  // namespace hermesctl::cli
