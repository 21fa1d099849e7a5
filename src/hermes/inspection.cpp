// What the rows look at: what the round read, and one command in the pod.
#include "hermesctl/hermes/inspection.hpp"

#include "hermes/inspection_parts.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "items.hpp"
#include "served.hpp"
#include "tamed.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Outcome;
using Listing = kube::Client::Listing;
using kube::text_at;
using namespace std::chrono_literals;

constexpr std::size_t largest_answer = 256 * 1024;

/// What leads to a Service, and not in every cluster; the version to prefer comes first.
constexpr std::array<std::string_view, 11> route_apis{"/apis/gateway.networking.k8s.io/v1/httproutes",
                                                      "/apis/gateway.networking.k8s.io/v1/grpcroutes",
                                                      "/apis/gateway.networking.k8s.io/v1/tlsroutes",
                                                      "/apis/gateway.networking.k8s.io/v1/tcproutes",
                                                      "/apis/gateway.networking.k8s.io/v1/udproutes",
                                                      "/apis/gateway.networking.k8s.io/v1alpha2/tlsroutes",
                                                      "/apis/gateway.networking.k8s.io/v1alpha2/tcproutes",
                                                      "/apis/gateway.networking.k8s.io/v1alpha2/udproutes",
                                                      "/apis/traefik.io/v1alpha1/ingressroutes",
                                                      "/apis/traefik.io/v1alpha1/ingressroutetcps",
                                                      "/apis/traefik.io/v1alpha1/ingressrouteudps"};

/// What is asked for beside the agent's own objects.
struct Lists {
    explicit Lists(const std::string& ns)
        : services{"Service", ns, {}}, slices{"EndpointSlice", ns, {}}, ingresses{"Ingress", ns, {}} {}
    Listing services;
    Listing slices;
    Listing ingresses;
    Listing role_bindings{"RoleBinding", "", {}};
    Listing cluster_role_bindings{"ClusterRoleBinding", "", {}};
    Listing cluster_roles{"ClusterRole", "", {}};
};

Reading reading_of(Outcome answer, const std::string& what) {
    if (answer.not_found()) return {};
    if (answer.error) {
        if (answer.error->http() == 404) return {.absent = true};
        const bool denied = answer.error->http() == 403 || answer.error->http() == 401;
        return {.failure = denied ? "may not read " + what
                                  : fmt::format("could not read {}: {}", what, answer.error->message())};
    }
    if (at(*answer.object, "/items").is_array()) return {.items = items_of(std::move(answer))};
    if (at(*answer.object, "/metadata/name").is_null()) return {};
    return {.items = {std::move(*answer.object)}};
}

std::vector<Reading> routes_of(kube::Round& round) {
    std::vector<Reading> routes;
    std::set<std::string> known;
    for (const std::string_view api : route_apis) {
        const std::string path(api);
        if (known.contains(resource_of(path))) continue;
        Reading reading{.absent = true};
        if (is_served(round, path)) reading = reading_of(round.take(path), resource_of(path));
        if (!reading.absent) known.insert(resource_of(path));
        routes.push_back(std::move(reading));
    }
    return routes;
}

void add_other_secrets(kube::Round& round, Premises& premises) {
    std::set<std::string> others;
    for (const Subject& subject : subjects_of(premises))
        others.merge(secrets_of(subject));
    others.erase(premises.names.secret().name);
    const auto ref_of = [&](const std::string& name) { return kube::Ref{"Secret", premises.names.ns, name}; };
    for (const std::string& name : others)
        round.want(ref_of(name));
    round.run();
    for (const std::string& name : others)
        premises.other_secrets[name] = reading_of(round.take(ref_of(name)), title(ref_of(name)));
}

Json keys_of(const Reading& secret) {
    Json keys = Json::array();
    if (secret.items.empty()) return keys;
    for (const auto& [key, value] : at(secret.items.front(), "/data").items())
        keys.push_back(key);
    return keys;
}

}  // namespace

std::optional<Json> parse_inside(std::string_view text) {
    if (text.size() > largest_answer) return std::nullopt;
    const Json json = Json::parse(text, nullptr, false);
    const bool whole = at(json, "/tokens").is_array() && at(json, "/gateways").is_array() &&
                       at(json, "/container").is_object() && at(json, "/plain").is_array() &&
                       at(json, "/configs").is_object() && at(json, "/env_files").is_object() &&
                       at(json, "/resolvers").is_object();
    if (!whole) return std::nullopt;
    return tamed(json);
}

Inside look_inside(kube::Client& client, const std::string& ns, const std::string& pod, const Json& keys) {
    const auto command = python_command(reading_script("inspect.py"), {keys.dump()});
    Inside inside{.hint = python_hint(ns, pod)};
    try {
        const kube::ExecOutput output = run_in_agent(client, in_agent(ns, pod, command), "", 30s);
        if (auto said = parse_inside(output.out)) return {.said = std::move(*said)};
        inside.why = "the inside of the pod was not seen: " + complaint_of(output.exit_code, output.err);
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) throw;
        inside.why = "the inside of the pod was not seen: " + error.message();
        if (error.code() == ExitCode::denied) inside.hint = right_to_exec_hint(ns);
    }
    return inside;
}

void look_inside(kube::Client& client, Premises& premises) {
    if (!premises.no_inside.empty()) return;
    Inside inside = look_inside(client, premises.names.ns, premises.pod, keys_of(premises.secret));
    premises.inside = std::move(inside.said);
    premises.no_inside = std::move(inside.why);
    premises.inside_hint = std::move(inside.hint);
}

void want_inspection(kube::Round& round, const Names& names) {
    want_agent(round, names);
    for (const kube::Ref& ref : {names.name_space(), names.secret(), names.config()})
        round.want(ref);
    const Lists lists(names.ns);
    for (const Listing* list : {&lists.services, &lists.slices, &lists.ingresses, &lists.role_bindings,
                                &lists.cluster_role_bindings, &lists.cluster_roles})
        round.want(*list);
    for (const std::string_view api : route_apis)
        want_if_served(round, std::string(api));
}

Premises premises_of(kube::Round& round, const Names& names, const Target& agent) {
    const Lists lists(names.ns);
    Premises premises{
        .names = names,
        .deployment = round.of(names.deployment()).value(),
        .pods = reading_of(round.take(names.pods()), "pods"),
        .name_space = reading_of(round.take(names.name_space()), title(names.name_space())),
        .secret = reading_of(round.take(names.secret()), title(names.secret())),
        .config = reading_of(round.take(names.config()), title(names.config())),
        .role_bindings = reading_of(round.take(lists.role_bindings), "rolebindings in all namespaces"),
        .cluster_role_bindings = reading_of(round.take(lists.cluster_role_bindings), "clusterrolebindings"),
        .cluster_roles = reading_of(round.take(lists.cluster_roles), "clusterroles"),
        .services = reading_of(round.take(lists.services), "services"),
        .slices = reading_of(round.take(lists.slices), "endpointslices"),
        .ingresses = reading_of(round.take(lists.ingresses), "ingresses"),
        .routes = routes_of(round)};
    std::erase_if(premises.pods.items, has_ended);
    add_other_secrets(round, premises);
    premises.pod = agent.pod;
    if (!agent.running) {
        premises.no_inside = premises.pods.known() ? "no agent runs: " + agent.why : premises.pods.failure;
        premises.inside_hint = agent.hint;
    }
    return premises;
}

Checks inspect(const Premises& premises) {
    Checks all;
    for (Checks part : {identity_checks(premises), host_checks(premises), exposure_checks(premises),
                        agent_checks(premises)}) {
        std::ranges::move(part, std::back_inserter(all));
    }
    all.push_back(check_gate(premises.deployment));
    return all;
}

}  // namespace hermesctl::hermes
