// What deploy would change: the server's own answer (dry run of server-side apply) compared with what is
// there, or that it is the same where it need not be asked.
#pragma once

#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <string>
#include <vector>

namespace hermesctl::hermes {

enum class Change { create, update, same };

struct Step {
    Json object{};  // to be applied
    kube::Ref ref{};
    Change change = Change::same;
    std::vector<std::string> fields{};     // "spec.replicas: 1 -> 2", secrets' values masked
    std::vector<kube::Cause> taken{};      // fields of kubectl's managers that are taken over
    std::vector<kube::Cause> conflicts{};  // fields of other managers; force-conflicts takes them
    bool forced = false;                   // it takes fields that others own
    bool rolls_pod = false;                // the pod template changes
    bool adopted = false;                  // kubectl's managers own fields that are ours from now on
    bool replaces_strategy = false;        // of the Deployment, which takes a patch of its own before
    std::string note{};                    // what a person should know beside the fields
    Json live{};                           // null when it is not there
    Json planned{};                        // as the server would have it
};

struct Plan {
    std::vector<Step> steps{};
    bool changes() const;
    bool rolls_pod() const;
    const Step& of(std::string_view kind) const;
};

/// One round of dry runs in parallel (a second one for objects with conflicts); what is as it was applied
/// (see ownership.hpp) is not asked about. Throws Error: a refusal of the server, with the object's name.
Plan make_plan(kube::Client&, const Live&, const std::vector<Json>& objects);

/// Who may use the bot now, and could not after this.
std::vector<std::string> lost_users(const Plan&);

/// The leaves that differ, as "path: before -> after", and of lists without keys the items that go and come
/// ("path: - item"); data of Secrets is masked, but for users' ids; in the files of a ConfigMap, which are
/// compared by what they say, what may be a credential; and a pod's variable that is one. Server-side
/// bookkeeping (managedFields, resourceVersion, generation, status, uid, timestamps) does not count. Pure.
std::vector<std::string> differing_fields(const Json& before, const Json& after);
/// The same of a file in which keys may stand: what may be one is masked, by its path or by what it is.
std::vector<std::string> differing_settings(const Json& before, const Json& after);

/// "+ create  deployment/hermes" lines, with the fields below "~ change".
std::string plan_text(const Plan&);
Json plan_json(const Plan&);

}  // namespace hermesctl::hermes
