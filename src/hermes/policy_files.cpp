// Policies without a cluster: whose pods are they about?
#include "hermesctl/hermes/label_selector.hpp"
#include "hermesctl/hermes/policy_checks.hpp"
#include "policy_rows.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

struct Subject {
    std::string title{};  // "deployment/hermes"
    Sender sender{};
};

std::string title_of(const Json& object) {
    const kube::Ref ref = kube::ref_of(object);
    return kube::title(ref);
}

/// Where a kind keeps the labels of its pods; "" for one that has none.
std::string_view labels_place(const std::string& kind) {
    static constexpr std::array<std::string_view, 6> workloads{
        "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"};
    if (kind == "Pod") return "/metadata/labels";
    if (kind == "CronJob") return "/spec/jobTemplate/spec/template/metadata/labels";
    return std::ranges::find(workloads, kind) != workloads.end() ? "/spec/template/metadata/labels" : "";
}

/// Labels that a selector surely selects, as far as it names any.
Json labels_for(const Json& selector) {
    Json labels = at(selector, "/matchLabels").is_object() ? at(selector, "/matchLabels") : Json::object();
    for (const Json& expression : at(selector, "/matchExpressions")) {
        const std::string op = text_at(expression, "/operator");
        if (op == "In") labels[text_at(expression, "/key")] = at(expression, "/values/0");
        if (op == "Exists") labels[text_at(expression, "/key")] = "";
    }
    return labels;
}

std::vector<Subject> subjects_of(const std::vector<Json>& objects, const std::vector<Json>& policies,
                                 const std::string& ns) {
    std::vector<Subject> subjects;
    for (const Json& object : objects) {
        const std::string_view place = labels_place(text_at(object, "/kind"));
        if (place.empty()) continue;
        subjects.push_back(
            {title_of(object), {text_at(object, "/metadata/namespace", ns), at(object, place)}});
    }
    if (!subjects.empty()) return subjects;
    for (const Json& policy : policies) {
        const Json& selector = at(policy, "/spec/podSelector");
        const std::string text = selector_text(selector);
        subjects.push_back({text.empty() ? "any pod" : "pods " + text,
                            {text_at(policy, "/metadata/namespace"), labels_for(selector)}});
    }
    return subjects;
}

/// Policies of other makes, which add to these or take from them.
std::vector<std::string> others_of(const std::vector<Json>& objects) {
    std::vector<std::string> others;
    for (const Json& object : objects) {
        const std::string kind = text_at(object, "/kind");
        if (!is_policy(object) && kind.ends_with("NetworkPolicy"))
            others.push_back(fmt::format("{}/{}", kind, text_at(object, "/metadata/name")));
    }
    return others;
}

/// Each pod that the objects are about, once; with whose answer it is where there are several.
std::vector<std::pair<std::string, PolicyPremises>> premises_of(const std::vector<Json>& objects,
                                                                const std::string& ns) {
    std::vector<Json> policies;
    for (Json object : objects) {
        if (!is_policy(object)) continue;
        if (text_at(object, "/metadata/namespace").empty()) object["metadata"]["namespace"] = ns;
        policies.push_back(std::move(object));
    }
    const auto subjects = subjects_of(objects, policies, ns);
    std::vector<std::pair<std::string, PolicyPremises>> all;
    for (const Subject& subject : subjects) {
        const std::string who =
            subjects.size() == 1 ? "" : fmt::format("{} in {}", subject.title, subject.sender.ns);
        if (std::ranges::any_of(all, [&](const auto& one) { return one.first == who; })) continue;
        all.emplace_back(
            who, PolicyPremises{
                     .sender = subject.sender, .policies = policies, .other_kinds = others_of(objects)});
    }
    return all;
}

}  // namespace

bool is_policy(const Json& object) {
    const std::string api = text_at(object, "/apiVersion", "networking.k8s.io/v1");
    return text_at(object, "/kind") == "NetworkPolicy" && api.starts_with("networking.k8s.io/");
}

Checks policy_checks_of(const std::vector<Json>& objects, const std::string& ns) {
    Checks all;
    for (const auto& [who, premises] : premises_of(objects, ns)) {
        Checks rows = policy_checks(premises);
        for (Check& check : rows) {
            if (!who.empty()) check.title += fmt::format(" ({})", who);
        }
        std::ranges::move(rows, std::back_inserter(all));
    }
    return all;
}

std::vector<std::string> allowed_of(const std::vector<Json>& objects, const std::string& ns) {
    std::vector<std::string> all;
    for (const auto& [who, premises] : premises_of(objects, ns)) {
        for (const std::string& line : allowed(premises))
            all.push_back(who.empty() ? line : fmt::format("{}: {}", who, line));
    }
    return all;
}

}  // namespace hermesctl::hermes
