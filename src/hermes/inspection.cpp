// Reads what the rows look at: one round of requests, and one command in the pod.
#include "hermesctl/hermes/inspection.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/diagnosis.hpp"
#include "hermesctl/hermes/target.hpp"
#include "hermesctl/kube/kinds.hpp"
#include "hermesctl/net/http.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Outcome;
using kube::text_at;
using namespace std::chrono_literals;

constexpr std::size_t longest_text = 200;
constexpr std::size_t largest_answer = 256 * 1024;

constexpr std::string_view gateway_api = "/apis/gateway.networking.k8s.io";
constexpr std::string_view traefik_api = "/apis/traefik.io";

/// APIs that not every cluster has, and the versions at which they serve what leads to a Service.
struct RouteApi {
    std::string_view group{};
    std::string_view resource{};
};
constexpr std::array route_apis{
    RouteApi{gateway_api, "v1/httproutes"},          RouteApi{gateway_api, "v1/grpcroutes"},
    RouteApi{gateway_api, "v1alpha2/tcproutes"},     RouteApi{gateway_api, "v1alpha2/tlsroutes"},
    RouteApi{traefik_api, "v1alpha1/ingressroutes"}, RouteApi{traefik_api, "v1alpha1/ingressroutetcps"}};

/// The requests of the round, in an order that the reader of the answers keeps.
enum Place : std::size_t {
    deployments,
    replica_sets,
    pods,
    name_space,
    secret,
    config,
    role_bindings,
    cluster_role_bindings,
    cluster_roles,
    services,
    slices,
    ingresses,
    gateway_group,
    traefik_group,
    first_route,
};

std::string list_path(std::string_view kind, const std::string& ns, const std::string& query = {}) {
    return kube::collection_path(kube::kind_of(kind), ns) + query;
}

std::vector<std::string> paths_of(const Names& names) {
    const std::string labelled = "?labelSelector=" + net::percent_encode("app=" + names.name);
    std::vector<std::string> paths(first_route);
    paths[deployments] = list_path("Deployment", names.ns,
                                   "?fieldSelector=" + net::percent_encode("metadata.name=" + names.name));
    paths[replica_sets] = list_path("ReplicaSet", names.ns, labelled);
    paths[pods] = list_path("Pod", names.ns, labelled);
    paths[name_space] = kube::object_path(names.name_space());
    paths[secret] = kube::object_path(names.secret());
    paths[config] = kube::object_path(names.config());
    paths[role_bindings] = list_path("RoleBinding", "");
    paths[cluster_role_bindings] = list_path("ClusterRoleBinding", "");
    paths[cluster_roles] = list_path("ClusterRole", "");
    paths[services] = list_path("Service", names.ns);
    paths[slices] = list_path("EndpointSlice", names.ns);
    paths[ingresses] = list_path("Ingress", names.ns);
    paths[gateway_group] = gateway_api;
    paths[traefik_group] = traefik_api;
    for (const RouteApi& api : route_apis)
        paths.push_back(fmt::format("{}/{}", api.group, api.resource));
    return paths;
}

Reading reading_of(const Outcome& answer, const std::string& what) {
    if (answer.not_found()) return {};
    if (answer.error) {
        if (answer.error->http() == 404) return {.absent = true};
        const bool denied = answer.error->http() == 403 || answer.error->http() == 401;
        return {.failure = denied ? "may not read " + what
                                  : fmt::format("could not read {}: {}", what, answer.error->message())};
    }
    const Json& items = at(*answer.object, "/items");
    if (items.is_array()) return {.items = items.get<std::vector<Json>>()};
    if (answer.object->contains("metadata") && !at(*answer.object, "/metadata/name").is_null())
        return {.items = {*answer.object}};
    return {};
}

/// Without the group, a refusal of its resources tells nothing: who asks may just not read them.
std::vector<Reading> routes_of(const std::vector<Outcome>& answers) {
    std::vector<Reading> routes;
    for (std::size_t i = 0; i < route_apis.size(); ++i) {
        const Outcome& group = answers[route_apis[i].group == gateway_api ? gateway_group : traefik_group];
        const std::string_view resource = route_apis[i].resource;
        if (group.error && group.error->http() == 404) {
            routes.push_back({.absent = true});
        } else {
            routes.push_back(
                reading_of(answers[first_route + i], std::string(resource.substr(resource.find('/') + 1))));
        }
    }
    return routes;
}

Objects by_name(const Reading& reading) {
    Objects found;
    for (const Json& item : reading.items)
        found[text_at(item, "/metadata/name")] = item;
    return found;
}

bool has_ended(const Json& pod) {
    const std::string phase = text_at(pod, "/status/phase");
    return phase == "Succeeded" || phase == "Failed" || !at(pod, "/metadata/deletionTimestamp").is_null();
}

void look_inside(kube::Client& client, Premises& premises) {
    Json keys = Json::array();
    if (!premises.secret.items.empty()) {
        for (const auto& [key, value] : at(premises.secret.items.front(), "/data").items())
            keys.push_back(key);
    }
    const kube::ExecRequest request{.ns = premises.names.ns,
                                    .pod = premises.pod,
                                    .container = std::string(container_name),
                                    .argv = python_command(reading_script("inspect.py"), {keys.dump()})};
    try {
        const kube::ExecOutput output = run_exec(client.transport(), client.clock(), request, "", 30s);
        if (auto said = parse_inside(output.out)) {
            premises.inside = std::move(*said);
            return;
        }
        premises.no_inside =
            "the inside of the pod was not seen: " + complaint_of(output.exit_code, output.err);
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) throw;
        premises.no_inside = "the inside of the pod was not seen: " + error.message();
        if (error.code() == ExitCode::denied) {
            premises.inside_hint =
                fmt::format("grant get and create on pods/exec in namespace {}", premises.names.ns);
            return;
        }
    }
    premises.inside_hint = fmt::format("kubectl -n {} exec {} -c {} -- /usr/bin/python3 --version",
                                       premises.names.ns, premises.pod, container_name);
}

/// Printable ASCII, scrubbed and short.
std::string tamed(const std::string& text) {
    std::string safe = scrub(text);
    std::ranges::replace_if(
        safe, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
    return safe.substr(0, longest_text);
}

Json tamed(const Json& value, int depth = 0) {
    if (depth > 8) return nullptr;
    if (value.is_string()) return tamed(value.get_ref<const std::string&>());
    if (value.is_object()) {
        Json made = Json::object();
        for (const auto& [key, item] : value.items())
            made[tamed(key)] = tamed(item, depth + 1);
        return made;
    }
    if (!value.is_array()) return value;
    Json made = Json::array();
    for (const Json& item : value)
        made.push_back(tamed(item, depth + 1));
    return made;
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

Premises read_premises(kube::Client& client, const Names& names) {
    const auto answers = client.get_paths(paths_of(names));
    const Json& found = at(answers[deployments].value(), "/items");
    if (found.empty()) {
        throw Error(ExitCode::failed,
                    fmt::format("there is no {} in namespace {}", title(names.deployment()), names.ns),
                    "hermesctl list shows what is there; hermesctl deploy makes one");
    }
    Premises premises{
        .names = names,
        .deployment = found.front(),
        .pods = reading_of(answers[pods], "pods"),
        .name_space = reading_of(answers[name_space], title(names.name_space())),
        .secret = reading_of(answers[secret], title(names.secret())),
        .config = reading_of(answers[config], title(names.config())),
        .role_bindings = reading_of(answers[role_bindings], "rolebindings in all namespaces"),
        .cluster_role_bindings = reading_of(answers[cluster_role_bindings], "clusterrolebindings"),
        .cluster_roles = reading_of(answers[cluster_roles], "clusterroles"),
        .services = reading_of(answers[services], "services"),
        .slices = reading_of(answers[slices], "endpointslices"),
        .ingresses = reading_of(answers[ingresses], "ingresses"),
        .routes = routes_of(answers)};
    Snapshot now{.deployment = premises.deployment,
                 .replica_sets = by_name(reading_of(answers[replica_sets], "replicasets")),
                 .pods = by_name(premises.pods)};
    const Assessment assessment = assess(now);
    std::erase_if(premises.pods.items, has_ended);
    premises.pod = assessment.pod;
    if (assessment.running) {
        look_inside(client, premises);
    } else {
        premises.no_inside =
            premises.pods.known() ? "no agent runs: " + reason_of(assessment) : premises.pods.failure;
        premises.inside_hint = assessment.trouble ? assessment.trouble->hint : "hermesctl status";
    }
    return premises;
}

Checks inspect(const Premises& premises) {
    Checks all;
    for (Checks part : {identity_checks(premises), host_checks(premises), exposure_checks(premises),
                        agent_checks(premises)}) {
        std::ranges::move(part, std::back_inserter(all));
    }
    return all;
}

}  // namespace hermesctl::hermes
