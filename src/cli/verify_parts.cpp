#include "verify_parts.hpp"

#include "errors.hpp"
#include "hermesctl/hermes/inspection.hpp"
#include "hermesctl/hermes/live_proof.hpp"
#include "hermesctl/hermes/policy_checks.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "report_text.hpp"
#include "requested.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

std::vector<Json> policy_objects(Session& session, const std::vector<std::string>& files) {
    std::vector<Json> objects;
    std::vector<std::string> complaints;
    for (const std::string& file : files) {
        const std::size_t before = objects.size();
        for (const Json& document : kube::parse_yaml(text_of_file(session, file), source_name(file)))
            collect(document, objects);
        for (std::size_t i = before; i < objects.size(); ++i) {
            for (const std::string& why : hermes::complaints_about_policy(objects[i]))
                complaints.push_back(fmt::format("{}: {}", source_name(file), why));
        }
    }
    if (!complaints.empty())
        throw Error(ExitCode::usage, fmt::format("{}", fmt::join(complaints, "\n")),
                    "the API server refuses these too: kubectl apply --dry-run=server -f FILE");
    const bool some = std::ranges::any_of(
        objects, [](const Json& object) { return text_at(object, "/kind") == "NetworkPolicy"; });
    if (!some) {
        throw Error(ExitCode::usage, fmt::format("{} has no NetworkPolicy", source_names(files)),
                    "--static -f takes the YAML that kubectl applies");
    }
    return objects;
}

std::string source_names(const std::vector<std::string>& files) {
    std::vector<std::string> names;
    std::ranges::transform(files, std::back_inserter(names), source_name);
    return fmt::format("{}", fmt::join(names, ", "));
}

Checks told(Checks checks, const GlobalFlags& flags) {
    checks = safe_to_show(std::move(checks));
    for (hermes::Check& check : checks)
        check.hint = completed_hint(check.hint, flags);
    return checks;
}

hermes::Report verify_installation(Session& session, const hermes::Names& names,
                                   const VerifyOptions& options) {
    const bool computed = options.scope == hermes::Scope::computed;
    kube::Client& client = session.client();
    hermes::Observation seen =
        hermes::observe(client, names, session.connection().server,
                        computed ? hermes::Parts::policies : hermes::Parts::all, session.resolve());
    hermes::Report report{.scope = options.scope,
                          .context = session.connection().context,
                          .server = session.connection().server,
                          .ns = names.ns,
                          .instance = names.name,
                          .pod = seen.agent.pod,
                          .image = seen.values.image,
                          .when = rfc3339(session.clock().wall())};
    const auto policies = hermes::policy_premises(seen);
    report.open = safe_to_show(hermes::openings(policies));
    report.allowed = safe_to_show(hermes::allowed(policies));
    Checks checks = hermes::policy_checks(policies);
    if (!computed) {
        const hermes::ProofOptions probing{.lan_targets = options.lan_targets,
                                           .quick = options.scope == hermes::Scope::quick};
        append(checks, hermes::prove_live(client, seen, probing, session.story()));
        hermes::Premises pod = hermes::premises_of(seen.round, names, seen.agent);
        hermes::look_inside(client, pod);
        checks.push_back(hermes::check_resolvers(policies, pod));
        append(checks, hermes::inspect(pod));
    }
    report.checks = told(std::move(checks), session.typed_flags());
    return report;
}

}  // namespace hermesctl::cli
