#include "hermesctl/hermes/permissions.hpp"

#include "shared_namespace.hpp"

#include <algorithm>
#include <initializer_list>

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

bool is_one(Work work, std::initializer_list<Work> of) {
    return std::ranges::find(of, work) != of.end();
}

bool removes(Work work) {
    return is_one(work, {Work::remove, Work::remove_data});
}

/// Each by its name.
std::vector<kube::Ref> read_objects(const Names& names, Work work) {
    if (work == Work::wait) return {};
    if (work == Work::keys) return {names.secret()};
    if (work == Work::rotate) return {names.secret(), names.deployment()};
    if (is_one(work, {Work::enter, Work::console, Work::stop, Work::run})) return {names.deployment()};
    std::vector<kube::Ref> refs = names.all();
    refs.insert(refs.begin(), names.name_space());
    return refs;
}

/// To find the pod, or to see what becomes of it.
void add_lists(Permissions& all, const Names& names, Work work) {
    if (is_one(work, {Work::keys, Work::render, Work::diff})) return;
    const bool enters = is_one(work, {Work::enter, Work::console});
    const bool once = enters || work == Work::read;
    for (const std::string verb : {"list", "watch"}) {
        if (once && verb == "watch") return;
        add(all, verb, {"Pod", names.ns, ""});
        if (work == Work::stop || removes(work)) continue;  // they wait for the last pod, for no new one
        if (!enters) add(all, verb, {"Deployment", names.ns, ""});
        add(all, verb, {"ReplicaSet", names.ns, ""});
    }
}

void add_exec(Permissions& all, const Names& names) {
    for (const std::string verb : {"get", "create"})  // the WebSocket upgrade needs both from 1.35 on
        all.push_back({verb, "", "pods", "exec", names.ns, ""});
}

Permissions needed(kube::Client& client, const Names& names, Work work) {
    Permissions all;
    for (const kube::Ref& ref : read_objects(names, work))
        add(all, "get", ref);
    if (removes(work)) add_removals(all, client, names, work == Work::remove_data);
    if (is_one(work, {Work::diff, Work::deploy})) add_changes(all, client, names);
    if (is_one(work, {Work::stop, Work::run, Work::rotate})) add(all, "patch", names.deployment());
    if (work == Work::rotate) {
        add(all, "patch", names.secret());
        add(all, "create", names.previous());
        add(all, "delete", names.previous());
    }
    add_lists(all, names, work);
    if (work == Work::enter) add_exec(all, names);
    if (work == Work::console) all.push_back({"get", "", "pods", "log", names.ns, ""});
    return all;
}

/// What commands can do without, and say so.
Permissions wanted(const Names& names, Work work) {
    Permissions all;
    if (is_one(work, {Work::enter, Work::console, Work::stop})) return all;
    if (removes(work) || is_one(work, {Work::run, Work::rotate, Work::deploy})) {
        for (const std::string verb : {"get", "create", "update", "delete"})
            add(all, verb, names.lease());
    }
    if (removes(work)) return all;
    if (is_one(work, {Work::keys, Work::wait})) add(all, "get", names.deployment());
    if (work == Work::wait) add(all, "get", names.config());
    if (work == Work::keys) add_lists(all, names, Work::enter);
    const bool previews = is_one(work, {Work::render, Work::diff});
    if (!previews) add_exec(all, names);
    if (!previews && work != Work::keys) add(all, "list", {"Event", names.ns, ""});
    if (is_one(work, {Work::wait, Work::run, Work::rotate, Work::deploy}))
        add(all, "watch", {"Event", names.ns, ""});
    if (is_one(work, {Work::rotate, Work::deploy})) {  // what is tried runs in a pod of its own
        add(all, "create", {"Job", names.ns, ""});
        add(all, "delete", {"Job", names.ns, ""});
    }
    if (!previews && work != Work::deploy) return all;
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
