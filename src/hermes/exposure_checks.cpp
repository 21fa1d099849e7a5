// Rows about ways in: a bot that polls needs none.
#include "hermes/inspection_parts.hpp"
#include "hermesctl/hermes/label_selector.hpp"
#include "hermesctl/hermes/reach.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

constexpr Heading services{"exposure-services", "policy", "no Service leads to the pod"};
constexpr Heading ingresses{"exposure-ingresses", "policy", "no Ingress leads to the pod"};
constexpr Heading routes{"exposure-routes", "policy", "no Gateway's route leads to the pod"};
constexpr Heading ports{"exposure-ports", "policy", "no port of the node leads to the pod"};

/// A slice may name a pod that no selector chose.
bool holds(const Json& slice, const Json& pod) {
    const std::string name = text_at(pod, "/metadata/name");
    const std::vector<std::string> addresses = all_addresses(pod);
    return std::ranges::any_of(at(slice, "/endpoints"), [&](const Json& endpoint) {
        if (text_at(endpoint, "/targetRef/kind") == "Pod" && text_at(endpoint, "/targetRef/name") == name)
            return true;
        return std::ranges::any_of(at(endpoint, "/addresses"), [&](const Json& address) {
            return address.is_string() &&
                   std::ranges::find(addresses, address.get_ref<const std::string&>()) != addresses.end();
        });
    });
}

struct Lead {
    std::string slice{};  // that holds the pod; "" where only the selector leads to it
    Json service{};       // null where only a slice is there
};

/// What leads to a pod of the instance, by the Service's name.
std::map<std::string, Lead> leading(const Premises& premises) {
    std::map<std::string, Lead> found;
    const auto pods = subjects_of(premises);
    const auto any_pod = [&](auto leads) {
        return std::ranges::any_of(pods, [&](const Subject& subject) { return leads(*subject.pod); });
    };
    for (const Json& slice : premises.slices.items) {
        if (!any_pod([&](const Json& pod) { return holds(slice, pod); })) continue;
        const std::string own = text_at(slice, "/metadata/name");
        found[text_at(slice, "/metadata/labels/kubernetes.io~1service-name", own)].slice = own;
    }
    for (const Json& service : premises.services.items) {
        const std::string name = text_at(service, "/metadata/name");
        const Json& selector = at(service, "/spec/selector");
        const bool may_choose = !selector.empty() && text_at(service, "/spec/type") != "ExternalName";
        const bool chosen = may_choose && any_pod([&](const Json& pod) {
                                return selects({{"matchLabels", selector}}, at(pod, "/metadata/labels"));
                            });
        if (chosen || found.contains(name)) found[name].service = service;
    }
    return found;
}

/// Whether it is known which Services lead to the pod.
bool services_known(const Premises& premises, Findings& findings) {
    for (const Reading* list : {&premises.services, &premises.slices}) {
        if (!list->known())
            findings.unknown(
                list->failure,
                fmt::format("grant list on services and endpointslices in namespace {}", premises.names.ns));
    }
    return premises.services.known() && premises.slices.known();
}

Check check_services(const Premises& premises) {
    Findings findings;
    services_known(premises, findings);
    for (const auto& [name, lead] : leading(premises)) {
        const Json& service = lead.service;
        const std::string type = text_at(service, "/spec/type", "ClusterIP");
        const std::string way = service.is_null() ? "endpointslice/" + lead.slice : "service/" + name;
        const std::string what =
            fmt::format("{} leads to the pod", service.is_null() ? way : fmt::format("{} ({})", way, type));
        const std::string remedy = fmt::format("kubectl -n {} delete {}", premises.names.ns, way);
        const bool outside =
            type == "NodePort" || type == "LoadBalancer" || !at(service, "/spec/externalIPs").empty();
        if (outside) {
            findings.fail(what + " from outside of the cluster", remedy);
        } else {
            findings.warn(what, remedy);
        }
    }
    return findings.row(services, "no Service selects it, and no EndpointSlice holds it");
}

/// The Services that an Ingress names.
std::set<std::string> backends_of(const Json& ingress) {
    std::set<std::string> names{text_at(ingress, "/spec/defaultBackend/service/name")};
    for (const Json& rule : at(ingress, "/spec/rules")) {
        for (const Json& path : at(rule, "/http/paths"))
            names.insert(text_at(path, "/backend/service/name"));
    }
    names.erase("");
    return names;
}

Check check_ingresses(const Premises& premises) {
    Findings findings;
    if (!premises.ingresses.known())
        findings.unknown(premises.ingresses.failure,
                         fmt::format("grant list on ingresses in namespace {}", premises.names.ns));
    if (!premises.ingresses.items.empty()) services_known(premises, findings);
    const auto found = leading(premises);
    for (const Json& ingress : premises.ingresses.items) {
        const std::string name = text_at(ingress, "/metadata/name");
        for (const std::string& backend : backends_of(ingress)) {
            if (found.contains(backend))
                findings.fail(fmt::format("ingress/{} leads to service/{}", name, backend),
                              fmt::format("kubectl -n {} delete ingress {}", premises.names.ns, name));
        }
    }
    return findings.row(ingresses, fmt::format("{} in the namespace", premises.ingresses.items.size()));
}

/// The Services in `ns` that a route names: "rules[].backendRefs[]" of the Gateway API, "routes[].services[]"
/// of Traefik.
std::set<std::string> backends_of_route(const Json& route, const std::string& ns) {
    std::set<std::string> names;
    const std::string home = text_at(route, "/metadata/namespace");
    const auto add = [&](const Json& rules, const char* field) {
        for (const Json& rule : rules) {
            for (const Json& backend : at(rule, field)) {
                const bool service = text_at(backend, "/kind", "Service") == "Service";
                if (service && text_at(backend, "/namespace", home) == ns)
                    names.insert(text_at(backend, "/name"));
            }
        }
    };
    add(at(route, "/spec/rules"), "/backendRefs");
    add(at(route, "/spec/routes"), "/services");
    return names;
}

Check check_routes(const Premises& premises) {
    Findings findings;
    const auto found = leading(premises);
    std::size_t seen = 0;
    for (const Reading& list : premises.routes) {
        if (!list.known()) findings.unknown(list.failure, "grant list on what its group serves");
        if (!list.items.empty() && seen == 0) services_known(premises, findings);
        seen += list.items.size();
        for (const Json& route : list.items) {
            const std::string name = text_at(route, "/metadata/name");
            for (const std::string& backend : backends_of_route(route, premises.names.ns)) {
                if (!found.contains(backend)) continue;
                findings.fail(fmt::format("route {} in {} leads to service/{}", name,
                                          text_at(route, "/metadata/namespace"), backend),
                              fmt::format("kubectl -n {} delete service {}", premises.names.ns, backend));
            }
        }
    }
    const bool none = std::ranges::all_of(premises.routes, [](const Reading& list) { return list.absent; });
    Check check = findings.row(routes, fmt::format("{} routes looked at", seen));
    if (none) {
        check.verdict = Verdict::not_applicable;
        check.evidence = "this cluster has neither the Gateway API nor Traefik's routes";
    }
    return check;
}

Check check_ports(const Premises& premises) {
    Findings findings;
    note_missing_pods(premises, findings);
    for (const Subject& subject : subjects_of(premises)) {
        for (const Container& container : containers_of(subject)) {
            for (const Json& port : at(*container.spec, "/ports")) {
                const auto number = kube::int_at(port, "/hostPort");
                if (number != 0)
                    findings.fail(fmt::format("port {} of the node leads to {}", number, container.title),
                                  take_out(premises, subject));
            }
        }
    }
    return findings.row(ports, "no container has a hostPort");
}

}  // namespace

Checks exposure_checks(const Premises& premises) {
    return {check_services(premises), check_ingresses(premises), check_routes(premises),
            check_ports(premises)};
}

}  // namespace hermesctl::hermes
