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
        const std::string manager = manager_of(cause);
        // A patch of our own (stop, start) is another entry to the server, and nobody's but ours.
        if (cause.reason != "FieldManagerConflict" || manager == kube::field_manager) continue;
        (is_kubectl(manager) ? step.taken : step.conflicts).push_back(cause);
    }
}

/// What is sent to a dry run. "Recreate" over a RollingUpdate's parameters would be refused, and server-side
/// apply cannot remove those: install() does it before, with a patch of its own.
Json without_strategy(const Step& step) {
    Json object = step.object;
    if (step.replaces_strategy) object["spec"].erase("strategy");
    return object;
}

/// Whose strategy it is that the dry run did not see.
void contest_strategy(Step& step) {
    for (const Json& entry : at(step.live, "/metadata/managedFields")) {
        const std::string manager = text_at(entry, "/manager");
        if (manager == kube::field_manager || at(entry, "/fieldsV1/f:spec/f:strategy").is_null()) continue;
        (is_kubectl(manager) ? step.taken : step.conflicts)
            .push_back(
                {"FieldManagerConflict", fmt::format("conflict with \"{}\"", manager), ".spec.strategy"});
    }
}

/// An object that cannot be dry-run because its namespace is not there: it will be created.
void create_with_namespace(Step& step) {
    step.change = Change::create;
    step.planned = step.object;
}

bool concerns(const kube::ApiError& refusal, std::string_view field) {
    return std::ranges::any_of(refusal.causes(),
                               [&](const kube::Cause& cause) { return cause.field == field; });
}

/// A volume keeps its class, and only grows; a claim that waits for one keeps its size, too. The server says
/// what may be changed, not what was to be.
void refuse_another_volume(const Step& step, const kube::ApiError& refusal) {
    if (step.ref.kind != "PersistentVolumeClaim" || step.live.is_null() || refusal.http() != 422) return;
    const bool bound = text_at(step.live, "/status/phase") == "Bound";
    const auto refuse_change = [&](const char* what, const char* path, const char* field, const char* key) {
        const std::string now = text_at(step.live, path);
        const std::string wanted = text_at(step.object, path, now);
        if (wanted == now || !concerns(refusal, field)) return;
        throw Error(
            ExitCode::failed,
            fmt::format("the {} of {} cannot be changed from {} to {}", what, title(step.ref),
                        now.empty() ? "none" : now, wanted.empty() ? "none" : wanted),
            fmt::format(
                "hermesctl deploy without --storage-{0}, and without storage.{0} in the file, keeps it; "
                "for another volume {1}hermesctl teardown --delete-data, and deploy anew",
                key, bound ? "save what is on this one (hermesctl cp :/opt/data DIR), then " : ""));
    };
    refuse_change("storage class", "/spec/storageClassName", "spec", "class");  // of what never changes
    refuse_change("size", "/spec/resources/requests/storage",
                  bound ? "spec.resources.requests.storage" : "spec", "size");
}

void settle(Step& step, const Outcome& outcome) {
    if (outcome.error) {
        refuse_another_volume(step, *outcome.error);
        kube::ApiError error = *outcome.error;
        error.during("planning " + title(step.ref));
        throw error;
    }
    step.planned = *outcome.object;
    if (step.replaces_strategy) {
        step.planned["spec"]["strategy"] = at(step.object, "/spec/strategy");
        contest_strategy(step);
    }
    if (step.live.is_null()) {
        step.change = Change::create;
        return;
    }
    step.fields = differing_fields(step.live, step.planned);
    step.adopted = !released_fields(step.planned).is_null();
    step.change = step.fields.empty() && step.taken.empty() && !step.adopted ? Change::same : Change::update;
    step.rolls_pod = step.ref.kind == "Deployment" &&
                     at(step.live, "/spec/template") != at(step.planned, "/spec/template");
}

std::vector<Json> objects_of(const std::vector<Step*>& steps) {
    std::vector<Json> objects;
    for (const Step* step : steps) {
        objects.push_back(without_strategy(*step));
    }
    return objects;
}

/// The ConfigMap only seeds a volume without a config.yaml: its change alone changes nothing that runs.
void note_live_config(Plan& plan) {
    const auto has_volume = [](const Step& step) {
        return step.ref.kind == "PersistentVolumeClaim" && !step.live.is_null();
    };
    if (std::none_of(plan.steps.begin(), plan.steps.end(), has_volume)) return;
    for (Step& step : plan.steps) {
        const bool changed = step.ref.kind == "ConfigMap" && step.change == Change::update &&
                             at(step.live, "/data") != at(step.planned, "/data");
        if (changed) {
            step.note =
                "the agent's own config.yaml, on the volume, stays as it is; --config merge puts into "
                "it what flags and file name";
        }
    }
}

std::vector<Step> steps_of(const Live& live, const std::vector<Json>& objects) {
    std::vector<Step> steps;
    for (const Json& object : objects) {
        const kube::Ref ref = kube::ref_of(object);
        Step& step = steps.emplace_back(Step{.object = object, .ref = ref, .live = live.of(ref)});
        step.replaces_strategy =
            ref.kind == "Deployment" && text_at(step.live, "/spec/strategy/type", "Recreate") != "Recreate";
    }
    return steps;
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

Plan make_plan(kube::Client& client, const Live& live, const std::vector<Json>& objects) {
    Plan plan{.steps = steps_of(live, objects)};
    std::vector<Step*> asked;
    for (Step& step : plan.steps) {
        // The server would refuse a dry run in a namespace that is not there yet (kubernetes#114141).
        if (live.of({"Namespace", "", step.ref.ns}).is_null() && step.ref.kind != "Namespace") {
            create_with_namespace(step);
            continue;
        }
        if (is_applied(step.object, step.live)) {
            step.planned = step.live;
            continue;
        }
        asked.push_back(&step);
    }
    // Never forced: only a refusal names the owner of what would be taken.
    const auto first = client.apply_all(objects_of(asked), {.dry_run = true, .force = false});
    std::vector<Step*> contested;
    for (std::size_t i = 0; i < first.size(); ++i) {
        Step& step = *asked[i];
        if (first[i].error && first[i].error->is_field_conflict()) {
            step.forced = true;
            take_conflicts(step, *first[i].error);
            contested.push_back(&step);
        } else {
            settle(step, first[i]);
        }
    }
    if (!contested.empty()) {
        const auto second = client.apply_all(objects_of(contested), {.dry_run = true, .force = true});
        for (std::size_t i = 0; i < second.size(); ++i) {
            settle(*contested[i], second[i]);
        }
    }
    note_live_config(plan);
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
        if (!step.note.empty()) text += fmt::format("            {}\n", step.note);
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
        if (!step.note.empty()) steps.back()["note"] = step.note;
    }
    return {{"changes", plan.changes()}, {"rollsPod", plan.rolls_pod()}, {"objects", steps}};
}

}  // namespace hermesctl::hermes
