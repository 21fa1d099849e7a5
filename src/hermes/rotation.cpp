#include "hermesctl/hermes/rotation.hpp"

#include "hermes/rotation_record.hpp"
#include "hermesctl/hermes/hardening.hpp"
#include "hermesctl/hermes/ownership.hpp"
#include "hermesctl/hermes/secrets.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;

constexpr std::string_view command = "rotate-secret";

void refuse_immutable(const Json& secret, const Names& names) {
    if (!kube::bool_at(secret, "/immutable")) return;
    throw Error(ExitCode::failed, title(names.secret()) + " is immutable: Kubernetes lets nobody change it",
                fmt::format("delete it (kubectl -n {} delete secret {}), then give all of its values anew: "
                            "hermesctl deploy --secret KEY=-",
                            names.ns, names.secret().name));
}

KeyChange change_of(const SecretValues& live, const std::string& key,
                    const std::optional<std::string>& value) {
    const auto found = live.find(key);
    if (found == live.end()) return value ? KeyChange::add : KeyChange::same;
    if (!value) return KeyChange::remove;
    return *value == found->second ? KeyChange::same : KeyChange::update;
}

const char* word_of(KeyChange change) {
    switch (change) {
        case KeyChange::add:
            return "added";
        case KeyChange::update:
            return "changed";
        case KeyChange::remove:
            return "removed";
        case KeyChange::same:
            break;
    }
    return "same";
}

/// The Secret's mark, where the template has another one; "" where it has that, or neither can be told.
std::string lacking_mark(const Json& deployment, const Json& secret) {
    const std::string now = template_mark(deployment);
    if (now.empty() || salt_of(secret).empty()) return "";
    std::string mark = secrets_mark(salt_of(secret), secret_values(secret));
    return mark == now ? "" : mark;
}

/// The agent gets its Secret as variables. The key is not repeated: it may be a value that was typed there.
void refuse_no_variable(const RotationPlan& plan) {
    for (const auto& [key, value] : plan.changes) {
        if (!value || is_variable_name(key)) continue;
        const auto found = plan.keys.find(key);
        if (found != plan.keys.end() && found->second != KeyChange::add) continue;
        throw Error(ExitCode::usage,
                    fmt::format("what is named is no variable's name, and {} has no such key",
                                title(plan.names.secret())),
                    "hermesctl rotate-secret --list shows which there are");
    }
}

}  // namespace

bool RotationPlan::changes_secret() const {
    return blind || std::any_of(keys.begin(), keys.end(),
                                [](const auto& one) { return one.second != KeyChange::same; });
}

RotationPlan plan_rotation(kube::Client& client, const Names& names, SecretChanges changes) {
    const std::array refs{names.secret(), names.deployment()};
    const auto found = client.get_all(refs);
    RotationPlan plan{.names = names, .changes = std::move(changes)};
    if (found[1].not_found()) throw missing(names.deployment());
    plan.deployment = found[1].value();
    expect_root_warning(client, wants_hardness(plan.deployment));
    refuse_foreign(plan.deployment, names, command);
    plan.stopped = kube::int_at(plan.deployment, "/spec/replicas", 1) == 0;
    if (found[0].not_found()) throw missing(names.secret());
    plan.blind =
        found[0].error && found[0].error->code() == ExitCode::denied && found[0].error->http() == 403;
    if (plan.blind) {
        refuse_no_variable(plan);
        return plan;
    }
    plan.secret = found[0].value();
    refuse_foreign(plan.secret, names, command);
    refuse_immutable(plan.secret, names);
    const SecretValues live = secret_values(plan.secret);
    for (const auto& [key, value] : plan.changes)
        plan.keys[key] = change_of(live, key, value);
    refuse_no_variable(plan);
    plan.pending = template_mark(plan.deployment) != secrets_mark(salt_of(plan.secret), live);
    return plan;
}

bool lacks_secret(const Json& deployment, const Json& secret) {
    return !lacking_mark(deployment, secret).empty();
}

std::optional<Json> pending_mark(kube::Client& client, const Names& names, const Json& deployment) {
    const kube::Outcome secret = client.look(names.secret());
    const std::string mark = secret.object ? lacking_mark(deployment, *secret.object) : "";
    if (mark.empty()) return std::nullopt;
    return Json{{"hermesctl/secret-hmac", mark}};
}

std::string rotation_text(const RotationPlan& plan) {
    std::string text = fmt::format("{}  {}\n", plan.changes_anything() ? "~ change" : "= same  ",
                                   title(plan.names.secret()));
    for (const auto& [key, value] : plan.changes) {
        const auto known = plan.keys.find(key);
        const std::string what =
            known == plan.keys.end()           ? (value ? "set, unseen: the Secret may not be read"
                                                        : "removed, unseen: the Secret may not be read")
            : known->second == KeyChange::same ? (value ? "has this value already" : "is not there")
                                               : word_of(known->second);
        text += fmt::format("            {}: {}\n", key, what);
    }
    if (plan.pending) text += "            the pod does not have yet what the Secret holds now\n";
    return text;
}

Json rotation_json(const RotationPlan& plan) {
    Json keys = Json::array();
    for (const auto& [key, value] : plan.changes) {
        const auto known = plan.keys.find(key);
        keys.push_back({{"key", key},
                        {"change", known != plan.keys.end() ? Json(word_of(known->second))
                                                            : Json(value ? "set" : "removed")}});
    }
    return {{"secret", plan.names.secret().name},
            {"unseen", plan.blind},
            {"pending", plan.pending},
            {"keys", keys}};
}

}  // namespace hermesctl::hermes
