#include "hermesctl/hermes/permissions.hpp"

#include "shared_namespace.hpp"

#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

/// What a command asks for, as it comes together.
struct Rights {
    kube::Client& client;
    const Names& names;
    std::vector<kube::Permission> all{};
};

void add(Rights& rights, const std::string& verb, const kube::Ref& ref) {
    const kube::Kind& kind = kube::kind_of(ref.kind);
    // The rights on a namespace can be given in it; a name cannot restrict "create".
    const std::string ns = ref.kind == "Namespace" && verb != "create" ? ref.name : ref.ns;
    rights.all.push_back({verb, std::string(kube::group_of(kind)), std::string(kind.plural), "", ns,
                          verb == "create" ? "" : ref.name});
}

/// All of a kind in the namespace.
void add_kinds(Rights& rights, const char* verb, std::initializer_list<const char*> kinds) {
    for (const char* kind : kinds)
        add(rights, verb, {kind, rights.names.ns, ""});
}

void get_secret(Rights& rights) {
    add(rights, "get", rights.names.secret());
}

void get_config(Rights& rights) {
    add(rights, "get", rights.names.config());
}

void get_deployment(Rights& rights) {
    add(rights, "get", rights.names.deployment());
}

void get_all(Rights& rights) {
    add(rights, "get", rights.names.name_space());
    for (const kube::Ref& ref : rights.names.all())
        add(rights, "get", ref);
}

void find_pod(Rights& rights) {
    add_kinds(rights, "list", {"Pod", "ReplicaSet"});
}

void list_agent(Rights& rights) {
    add_kinds(rights, "list", {"Pod", "Deployment", "ReplicaSet"});
}

void watch_agent(Rights& rights) {
    list_agent(rights);
    add_kinds(rights, "watch", {"Pod", "Deployment", "ReplicaSet"});
}

/// Until the last one is gone.
void watch_pods(Rights& rights) {
    add_kinds(rights, "list", {"Pod"});
    add_kinds(rights, "watch", {"Pod"});
}

/// What explains why it does not answer.
void list_causes(Rights& rights) {
    add_kinds(rights, "list", {"Event", "PersistentVolumeClaim"});
}

void watch_causes(Rights& rights) {
    list_causes(rights);
    add_kinds(rights, "watch", {"Event", "PersistentVolumeClaim"});
}

/// What the policies are to close, and which there are.
void list_cluster(Rights& rights) {
    add_kinds(rights, "list", {"NetworkPolicy"});
    add(rights, "list", {"Node", "", ""});
    add(rights, "list", {"Service", "", ""});
    add(rights, "list", {"EndpointSlice", "default", ""});
}

/// What a policy selects, and what else the cluster says of its own addresses.
void list_neighbours(Rights& rights) {
    for (const char* kind : {"Pod", "Namespace", "ServiceCIDR"})
        add(rights, "list", {kind, "", ""});
    add(rights, "list", {"ConfigMap", "kube-system", "kubeadm-config"});
    add(rights, "get", {"Namespace", "", "kube-system"});
}

/// What the account of the pod may do, and what leads to the pod.
void list_grants_and_ways_in(Rights& rights) {
    for (const char* kind : {"RoleBinding", "ClusterRoleBinding", "ClusterRole"})
        add(rights, "list", {kind, "", ""});
    add_kinds(rights, "list", {"Service", "EndpointSlice", "Ingress"});
}

void exec(Rights& rights) {
    for (const std::string verb : {"get", "create"})  // the WebSocket upgrade needs both from 1.35 on
        rights.all.push_back({verb, "", "pods", "exec", rights.names.ns, ""});
}

void read_console(Rights& rights) {
    rights.all.push_back({"get", "", "pods", "log", rights.names.ns, ""});
}

void patch_deployment(Rights& rights) {
    add(rights, "patch", rights.names.deployment());
}

/// The old values are kept until the new ones are proved.
void swap_secret(Rights& rights) {
    add(rights, "patch", rights.names.secret());
    add(rights, "create", rights.names.previous());
    add(rights, "delete", rights.names.previous());
}

void hold_lease(Rights& rights) {
    for (const std::string verb : {"get", "create", "update", "delete"})
        add(rights, verb, rights.names.lease());
}

/// What is tried runs in a pod of its own.
void run_jobs(Rights& rights) {
    add_kinds(rights, "create", {"Job"});
    add_kinds(rights, "delete", {"Job"});
}

/// Server-side apply needs "patch", and "create" too for what is not there yet.
void apply_objects(Rights& rights) {
    std::vector<kube::Ref> refs = rights.names.all();
    refs.push_back(rights.names.name_space());
    const auto answers = rights.client.get_all(refs);
    for (std::size_t i = 0; i < refs.size(); ++i) {
        const bool missing = answers[i].not_found();
        const bool unread = !missing && !answers[i].object;
        if (refs[i].kind == "Namespace" && (unread || is_foreign(answers[i].object.value_or(Json()))))
            continue;  // it stays as it is
        add(rights, "patch", refs[i]);
        if (missing) add(rights, "create", refs[i]);
    }
}

/// Only what is there goes, and the namespace only if it is ours.
void add_removals(Rights& rights, bool with_data) {
    const Names& names = rights.names;
    const std::vector<kube::Ref> refs = names.everything();
    const auto answers = rights.client.get_all(refs);
    for (std::size_t i = 0; i < refs.size(); ++i) {
        const bool is_space = refs[i] == names.name_space();
        const bool of_data = is_space || refs[i] == names.claim();
        const bool unread = !answers[i].object;
        if (answers[i].not_found() || (of_data && !with_data)) continue;
        if (is_space && (unread || is_foreign(answers[i].object.value_or(Json())))) continue;
        if (refs[i] == names.previous() && unread) continue;  // teardown does without it
        add(rights, "delete", refs[i]);
    }
}

void remove_objects(Rights& rights) {
    add_removals(rights, false);
}

void remove_all(Rights& rights) {
    add_removals(rights, true);
}

using Deed = void (*)(Rights&);

/// What a work cannot do without, and what it can, and says so.
struct Deeds {
    std::vector<Deed> needed{};
    std::vector<Deed> wanted{};
};

Deeds deeds_of(Work work) {
    switch (work) {
        case Work::keys:
            return {{get_secret}, {get_deployment, find_pod, exec}};
        case Work::pending:
            return {{get_secret, get_deployment, find_pod, exec}, {}};
        case Work::enter:
            return {{get_deployment, find_pod, exec}, {}};
        case Work::console:
            return {{get_deployment, find_pod, read_console}, {}};
        case Work::wait:
            return {{watch_agent}, {get_deployment, get_config, exec, watch_causes}};
        case Work::read:
            return {{get_all, list_agent}, {exec, list_causes, list_cluster}};
        case Work::compute:
            return {{get_all}, {find_pod, list_cluster, list_neighbours}};
        case Work::verify:
            return {{get_all},
                    {find_pod, list_cluster, list_neighbours, list_grants_and_ways_in, exec, run_jobs}};
        case Work::render:
            return {{get_all}, {list_cluster}};
        case Work::diff:
            return {{get_all, apply_objects}, {list_cluster}};
        case Work::stop:
            return {{get_deployment, patch_deployment, watch_pods}, {}};
        case Work::run:
            return {{get_deployment, patch_deployment, watch_agent},
                    {hold_lease, get_config, exec, watch_causes}};
        case Work::rotate:
            return {{get_secret, get_deployment, patch_deployment, swap_secret, watch_agent},
                    {hold_lease, get_config, exec, watch_causes, run_jobs}};
        case Work::deploy:
            return {{get_all, apply_objects, watch_agent},
                    {hold_lease, exec, watch_causes, run_jobs, list_cluster}};
        case Work::remove:
            return {{get_all, remove_objects, watch_pods}, {hold_lease}};
        case Work::remove_data:
            return {{get_all, remove_all, watch_pods}, {hold_lease}};
    }
    return {};
}

std::vector<kube::Permission> rights_for(const std::vector<Deed>& deeds, kube::Client& client,
                                         const Names& names) {
    Rights rights{client, names};
    for (const Deed deed : deeds)
        deed(rights);
    return rights.all;
}

std::string in_words(const kube::Permission& permission) {
    std::string resource = permission.resource;
    if (!permission.subresource.empty()) resource += "/" + permission.subresource;
    if (!permission.group.empty()) resource += "." + permission.group;
    return fmt::format("{} {}{}", permission.verb, resource,
                       permission.ns.empty() ? "" : " in namespace " + permission.ns);
}

std::vector<std::string> refused(kube::Client& client, const Names& names, const std::vector<Deed>& deeds) {
    const std::vector<kube::Permission> permissions = rights_for(deeds, client, names);
    std::vector<std::string> missing;
    const std::vector<bool> allowed = client.allowed(permissions);
    for (std::size_t i = 0; i < permissions.size(); ++i) {
        const std::string line = "  - " + in_words(permissions[i]);
        if (!allowed[i] && std::ranges::find(missing, line) == missing.end()) missing.push_back(line);
    }
    return missing;
}

}  // namespace

Error explained(kube::Client& client, const std::vector<Names>& instances, Work work,
                const kube::ApiError& refusal) {
    const auto [needed, wanted] = deeds_of(work);
    std::string text = refusal.message();
    bool found = false;
    try {
        for (const Names& names : instances) {
            const auto missing = refused(client, names, needed);
            if (missing.empty()) continue;
            found = true;
            text += fmt::format("\nthis account may not:\n{}", fmt::join(missing, "\n"));
            const auto more = refused(client, names, wanted);
            if (!more.empty())
                text +=
                    fmt::format("\nand may not, what is wanted but need not be:\n{}", fmt::join(more, "\n"));
        }
    } catch (const kube::ApiError&) {
        return refusal;
    }
    if (!found) return refusal;
    return refusal.with_message(text).with_hint(
        "ask the cluster's administrator for a role with these rules, or choose another --context");
}

}  // namespace hermesctl::hermes
