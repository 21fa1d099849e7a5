#include "hermesctl/hermes/plan.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/ownership.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::Outcome;
using kube::text_at;

/// "conflict with "kubectl-edit" using apps/v1 at ...": the manager is only in the text.
std::string manager_of(const kube::Cause& cause) {
    const std::size_t begin = cause.message.find('"');
    const std::size_t end = cause.message.find('"', begin + 1);
    return begin == std::string::npos || end == std::string::npos
               ? ""
               : cause.message.substr(begin + 1, end - begin - 1);
}

void take_conflicts(Step& step, const kube::ApiError& error) {
    for (const kube::Cause& cause : error.causes()) {
        if (cause.reason != "FieldManagerConflict") continue;
        (is_kubectl(manager_of(cause)) ? step.taken : step.conflicts).push_back(cause);
    }
}

/// An object that cannot be dry-run because its namespace is not there: it will be created.
bool misses_namespace(const Outcome& outcome, const kube::Ref& ref) {
    return outcome.not_found() && ref.kind != "Namespace" &&
           outcome.error->message().find("namespaces \"") != std::string::npos;
}

void settle(Step& step, const Outcome& outcome) {
    if (misses_namespace(outcome, step.ref)) {
        step.change = Change::create;
        step.namespace_missing = true;
        step.planned = step.object;
        return;
    }
    if (outcome.error) {
        kube::ApiError error = *outcome.error;
        error.during("planning " + title(step.ref));
        throw error;
    }
    step.planned = *outcome.object;
    if (step.live.is_null()) {
        step.change = Change::create;
        return;
    }
    step.fields = differing_fields(step.live, step.planned);
    const bool ownership = !released_fields(step.planned).is_null();
    step.adopted = ownership && !step.live.is_null();
    step.change = step.fields.empty() && step.taken.empty() && !step.adopted ? Change::same : Change::update;
    step.rolls_pod = step.ref.kind == "Deployment" &&
                     at(step.live, "/spec/template") != at(step.planned, "/spec/template");
}

std::vector<Json> objects_of(const std::vector<Step*>& steps) {
    std::vector<Json> objects;
    for (const Step* step : steps) {
        objects.push_back(step->object);
    }
    return objects;
}

}  // namespace

bool Plan::changes() const {
    return std::any_of(steps.begin(), steps.end(),
                       [](const Step& step) { return step.change != Change::same; });
}

bool Plan::rolls_pod() const {
    return std::any_of(steps.begin(), steps.end(), [](const Step& step) { return step.rolls_pod; });
}

const Step& Plan::of(std::string_view kind) const {
    return *std::find_if(steps.begin(), steps.end(), [&](const Step& step) { return step.ref.kind == kind; });
}

Plan make_plan(kube::Client& client, const Live& live, const std::vector<Json>& objects,
               bool force_conflicts) {
    Plan plan;
    for (const Json& object : objects) {
        const kube::Ref ref = kube::ref_of(object);
        plan.steps.push_back({.object = object, .ref = ref, .live = live.of(ref)});
    }
    const auto first = client.apply_all(objects, {.dry_run = true, .force = force_conflicts});
    std::vector<Step*> contested;
    for (std::size_t i = 0; i < first.size(); ++i) {
        Step& step = plan.steps[i];
        if (first[i].error && first[i].error->is_field_conflict()) {
            take_conflicts(step, *first[i].error);
            contested.push_back(&step);
        } else {
            settle(step, first[i]);
        }
    }
    if (contested.empty()) return plan;
    const auto second = client.apply_all(objects_of(contested), {.dry_run = true, .force = true});
    for (std::size_t i = 0; i < second.size(); ++i) {
        settle(*contested[i], second[i]);
    }
    return plan;
}

std::string plan_text(const Plan& plan) {
    std::string text;
    for (const Step& step : plan.steps) {
        const std::string_view mark = step.change == Change::create   ? "+ create"
                                      : step.change == Change::update ? "~ change"
                                                                      : "= same  ";
        text += fmt::format("{}  {}\n", mark, title(step.ref));
        for (const std::string& field : step.fields) {
            text += fmt::format("            {}\n", field);
        }
        for (const kube::Cause& cause : step.taken) {
            text += fmt::format("            {} is taken over from {}\n", cause.field, manager_of(cause));
        }
        if (step.adopted && step.taken.empty())
            text += "            fields that kubectl owned are taken over\n";
        for (const kube::Cause& cause : step.conflicts) {
            text += fmt::format("            {} belongs to {}\n", cause.field, manager_of(cause));
        }
    }
    return scrub(text);
}

Json plan_json(const Plan& plan) {
    Json steps = Json::array();
    for (const Step& step : plan.steps) {
        const char* change = step.change == Change::create   ? "create"
                             : step.change == Change::update ? "update"
                                                             : "same";
        Json conflicts = Json::array();
        for (const kube::Cause& cause : step.conflicts) {
            conflicts.push_back({{"field", cause.field}, {"manager", manager_of(cause)}});
        }
        steps.push_back({{"kind", step.ref.kind},
                         {"name", step.ref.name},
                         {"change", change},
                         {"fields", step.fields},
                         {"conflicts", conflicts}});
    }
    return {{"changes", plan.changes()}, {"rollsPod", plan.rolls_pod()}, {"objects", steps}};
}

}  // namespace hermesctl::hermes
