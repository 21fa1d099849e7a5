#include "hermesctl/hermes/permissions.hpp"

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

std::vector<kube::Permission> needed(const Names& names) {
    std::vector<kube::Permission> all;
    for (const std::string verb : {"get", "create", "patch"}) {
        all.push_back({verb, "", "namespaces", "", "", names.ns});
        for (const kube::Ref& ref : names.all()) {
            const kube::Kind& kind = kube::kind_of(ref.kind);
            // A name cannot restrict "create".
            const std::string name = verb == "create" ? "" : ref.name;
            all.push_back(
                {verb, std::string(kube::group_of(kind)), std::string(kind.plural), "", names.ns, name});
        }
    }
    for (const std::string verb : {"list", "watch"}) {
        for (const std::string_view kind : {"Deployment", "ReplicaSet", "Pod", "Event"}) {
            const kube::Kind& row = kube::kind_of(kind);
            all.push_back(
                {verb, std::string(kube::group_of(row)), std::string(row.plural), "", names.ns, ""});
        }
    }
    for (const std::string verb : {"get", "create"}) {  // the WebSocket upgrade needs both from 1.35 on
        all.push_back({verb, "", "pods", "exec", names.ns, ""});
    }
    return all;
}

std::string in_words(const kube::Permission& permission) {
    std::string resource = permission.resource;
    if (!permission.subresource.empty()) resource += "/" + permission.subresource;
    if (!permission.group.empty()) resource += "." + permission.group;
    return fmt::format("{} {}{}", permission.verb, resource,
                       permission.ns.empty() ? "" : " in namespace " + permission.ns);
}

}  // namespace

Error explained(kube::Client& client, const Names& names, const Error& refusal) {
    std::vector<std::string> missing;
    const auto permissions = needed(names);
    try {
        const std::vector<bool> allowed = client.allowed(permissions);
        for (std::size_t i = 0; i < permissions.size(); ++i) {
            if (!allowed[i]) missing.push_back(in_words(permissions[i]));
        }
    } catch (const kube::ApiError&) {
        return refusal;
    }
    if (missing.empty()) return refusal;
    Error error(ExitCode::denied, fmt::format("this account may not:\n  - {}", fmt::join(missing, "\n  - ")),
                "ask the cluster's administrator for a role with these rules, or choose another --context");
    for (const std::string& frame : refusal.trail()) {
        error.during(frame);
    }
    return error;
}

}  // namespace hermesctl::hermes
