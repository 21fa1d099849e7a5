#include "hermesctl/hermes/permissions.hpp"

#include "shared_namespace.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using Permissions = std::vector<kube::Permission>;

void add(Permissions& all, const std::string& verb, const kube::Ref& ref) {
    const kube::Kind& kind = kube::kind_of(ref.kind);
    // The rights on a namespace can be given in it; a name cannot restrict "create".
    const std::string ns = ref.kind == "Namespace" && verb != "create" ? ref.name : ref.ns;
    all.push_back({verb, std::string(kube::group_of(kind)), std::string(kind.plural), "", ns,
                   verb == "create" ? "" : ref.name});
}

/// Server-side apply needs "patch", and "create" too for what is not there yet.
void add_changes(Permissions& all, kube::Client& client, const Names& names) {
    std::vector<kube::Ref> refs = names.all();
    refs.push_back(names.name_space());
    const auto answers = client.get_all(refs);
    for (std::size_t i = 0; i < refs.size(); ++i) {
        const bool missing = answers[i].not_found();
        const bool unread = !missing && !answers[i].object;
        if (refs[i].kind == "Namespace" && (unread || is_foreign(answers[i].object.value_or(Json()))))
            continue;  // it stays as it is
        add(all, "patch", refs[i]);
        if (missing) add(all, "create", refs[i]);
    }
}

/// Only what is there goes, and the namespace only if it is ours.
void add_removals(Permissions& all, kube::Client& client, const Names& names, bool with_data) {
    const std::vector<kube::Ref> refs = names.everything();
    const auto answers = client.get_all(refs);
    for (std::size_t i = 0; i < refs.size(); ++i) {
        const bool is_space = refs[i] == names.name_space();
        const bool of_data = is_space || refs[i] == names.claim();
        const bool unread = !answers[i].object;
        if (answers[i].not_found() || (of_data && !with_data)) continue;
        if (is_space && (unread || is_foreign(answers[i].object.value_or(Json())))) continue;
        if (refs[i] == names.previous() && unread) continue;  // teardown does without it
        add(all, "delete", refs[i]);
    }
}

bool runs_only(Work work) {
    return work == Work::stop || work == Work::run;
}

bool removes(Work work) {
    return work == Work::remove || work == Work::remove_data;
}

Permissions needed(kube::Client& client, const Names& names, Work work) {
    Permissions all;
    add(all, "get", runs_only(work) ? names.deployment() : names.name_space());
    for (const kube::Ref& ref : runs_only(work) ? std::vector<kube::Ref>{} : names.all())
        add(all, "get", ref);
    if (removes(work)) add_removals(all, client, names, work == Work::remove_data);
    if (work == Work::deploy) add_changes(all, client, names);
    if (runs_only(work) || work == Work::rotate) add(all, "patch", names.deployment());
    if (work == Work::rotate) {
        add(all, "patch", names.secret());
        add(all, "create", names.previous());
        add(all, "delete", names.previous());
    }
    for (const std::string verb : {"list", "watch"}) {
        add(all, verb, {"Pod", names.ns, ""});
        if (work == Work::stop || removes(work)) continue;  // they wait for the last pod, for no new one
        for (const char* kind : {"Deployment", "ReplicaSet"})
            add(all, verb, {kind, names.ns, ""});
    }
    return all;
}

/// What commands can do without, and say so.
Permissions wanted(const Names& names, Work work) {
    Permissions all;
    if (work == Work::stop) return all;
    if (work != Work::read) {
        for (const std::string verb : {"get", "create", "update", "delete"})
            add(all, verb, names.lease());
    }
    if (removes(work)) return all;
    for (const std::string verb : {"get", "create"})  // the WebSocket upgrade needs both from 1.35 on
        all.push_back({verb, "", "pods", "exec", names.ns, ""});
    for (const std::string verb : {"list", "watch"})
        add(all, verb, {"Event", names.ns, ""});
    if (work == Work::rotate || work == Work::deploy) {  // what is tried runs in a pod of its own
        add(all, "create", {"Job", names.ns, ""});
        add(all, "delete", {"Job", names.ns, ""});
    }
    if (work != Work::deploy) return all;
    add(all, "list", {"NetworkPolicy", names.ns, ""});
    add(all, "list", {"Node", "", ""});
    add(all, "list", {"Service", "", ""});
    add(all, "list", {"EndpointSlice", "default", ""});
    return all;
}

std::string in_words(const kube::Permission& permission) {
    std::string resource = permission.resource;
    if (!permission.subresource.empty()) resource += "/" + permission.subresource;
    if (!permission.group.empty()) resource += "." + permission.group;
    return fmt::format("{} {}{}", permission.verb, resource,
                       permission.ns.empty() ? "" : " in namespace " + permission.ns);
}

std::vector<std::string> refused(kube::Client& client, const Permissions& permissions) {
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
    std::string text = refusal.message();
    bool found = false;
    try {
        for (const Names& names : instances) {
            const auto missing = refused(client, needed(client, names, work));
            if (missing.empty()) continue;
            found = true;
            text += fmt::format("\nthis account may not:\n{}", fmt::join(missing, "\n"));
            const auto more = refused(client, wanted(names, work));
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
