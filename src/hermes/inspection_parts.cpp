#include "hermes/inspection_parts.hpp"

#include "credentials.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/shadow.hpp"
#include "policy_rows.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

constexpr std::size_t most_shown = 5;

/// Else somebody made it by hand, or it is a Job's.
bool is_of_deployment(const Json& pod) {
    return std::ranges::any_of(at(pod, "/metadata/ownerReferences"),
                               [](const Json& owner) { return text_at(owner, "/kind") == "ReplicaSet"; });
}

}  // namespace

void Findings::add(Verdict verdict, std::string what, std::string hint) {
    const bool said = std::ranges::any_of(all_, [&](const Finding& one) { return one.what == what; });
    if (!said) all_.push_back({verdict, std::move(what), std::move(hint)});
}

Check Findings::row(const Heading& heading, const std::string& well) const {
    Check check{.id = heading.id,
                .group = heading.group,
                .title = heading.title,
                .verdict = Verdict::pass,
                .evidence = scrub(well)};
    if (all_.empty()) return check;
    const auto worst = std::ranges::max_element(all_, [](const Finding& one, const Finding& other) {
        return weight(one.verdict) < weight(other.verdict);
    });
    std::vector<std::string> found;
    for (const Finding& one : all_) {
        if (one.verdict == worst->verdict) found.push_back(one.what);
    }
    check.verdict = worst->verdict;
    check.evidence = scrub(some_of(found, "; ", most_shown));
    check.hint = worst->hint;
    check.decisive = worst->verdict != Verdict::warn;
    return check;
}

std::vector<Subject> subjects_of(const Premises& premises) {
    std::vector<Subject> subjects;
    for (const Json& pod : premises.pods.items) {
        subjects.push_back({"pod/" + text_at(pod, "/metadata/name"), &pod, is_of_deployment(pod)});
    }
    if (std::ranges::none_of(subjects, &Subject::of_deployment)) {
        subjects.push_back({"the template of " + title(premises.names.deployment()),
                            &at(premises.deployment, "/spec/template"), true});
    }
    return subjects;
}

Subject newest_subject(const Premises& premises) {
    const auto subjects = subjects_of(premises);
    const auto newest = std::ranges::find(subjects, "pod/" + premises.pod, &Subject::title);
    return newest == subjects.end() ? *std::ranges::find(subjects, true, &Subject::of_deployment) : *newest;
}

void note_missing_pods(const Premises& premises, Findings& findings) {
    if (!premises.pods.known()) {
        findings.unknown(premises.pods.failure,
                         fmt::format("grant list on pods in namespace {}", premises.names.ns));
    } else if (std::ranges::none_of(premises.pods.items, is_of_deployment)) {
        findings.unknown("no pod is there; the Deployment's template is as it should be",
                         premises.inside_hint);
    }
}

std::vector<Container> containers_of(const Subject& subject) {
    std::vector<Container> containers;
    const auto add = [&](const char* list, const char* word, Role role) {
        for (const Json& container : at(*subject.pod, fmt::format("/spec/{}", list))) {
            // A sidecar: it starts before the others and stays.
            const bool stays = text_at(container, "/restartPolicy") == "Always";
            containers.push_back(
                {fmt::format("{}container {} of {}", word, text_at(container, "/name"), subject.title),
                 &container, role == Role::init && stays ? Role::agent : role});
        }
    };
    add("containers", "", Role::agent);
    add("initContainers", "init ", Role::init);
    add("ephemeralContainers", "debug ", Role::debug);
    return containers;
}

std::set<std::string> secrets_of(const Subject& subject) {
    std::set<std::string> names;
    for (const Json& volume : at(*subject.pod, "/spec/volumes")) {
        names.insert(text_at(volume, "/secret/secretName"));
        for (const Json& source : at(volume, "/projected/sources"))
            names.insert(text_at(source, "/secret/name"));
    }
    for (const Container& container : containers_of(subject)) {
        for (const Json& from : at(*container.spec, "/envFrom"))
            names.insert(text_at(from, "/secretRef/name"));
        for (const Json& variable : at(*container.spec, "/env"))
            names.insert(text_at(variable, "/valueFrom/secretKeyRef/name"));
    }
    names.erase("");
    return names;
}

std::string take_out(const Premises& premises, const Subject& subject) {
    const Names& names = premises.names;
    if (subject.of_deployment)
        return fmt::format("kubectl -n {} edit deployment {}, and take it out", names.ns, names.name);
    return fmt::format("kubectl -n {} delete {}", names.ns, subject.title);
}

std::string put_back(const Premises& premises, const Subject& subject, const Container& container) {
    if (!subject.of_deployment) return take_out(premises, subject);
    return container.role == Role::debug ? "hermesctl restart" : "hermesctl deploy --force-conflicts";
}

bool looked_inside(const Premises& premises, Findings& findings) {
    if (!premises.inside.is_null()) return true;
    findings.unknown(premises.no_inside, premises.inside_hint);
    return false;
}

std::string show_file(const std::string& path) {
    const bool plain = std::ranges::all_of(path, [](char c) {
        return is_digit(c) || is_capital(c) || (c >= 'a' && c <= 'z') ||
               std::string_view("/._-").find(c) != std::string_view::npos;
    });
    return "hermesctl exec -- ls -l " + (plain ? path : "/opt/data");
}

void note_unread(const Json& files, Findings& findings) {
    for (const auto& [path, said] : files.items()) {
        if (text_at(said, "/state") == "unreadable")
            findings.unknown(path + " cannot be read as the agent", show_file(path));
    }
}

std::string take_out_of(const std::string& path, const std::string& name) {
    // The agent may have chosen the name: only a variable's is put into a command.
    if (path == env_file_path && is_variable_name(name)) return "hermesctl rotate-secret --unshadow " + name;
    if (path == "/opt/data/config.yaml")
        return "hermesctl deploy --config replace, which puts the ConfigMap's in its place";
    return fmt::format("take it out of {}, then hermesctl restart", path);
}

std::map<std::string, std::string> credentials_of(const Reading& secret) {
    if (secret.items.empty()) return {};
    return telling_values(secret_values(secret.items.front()));
}

}  // namespace hermesctl::hermes
