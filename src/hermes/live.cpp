// What is in the cluster now, and the settings that it stands for.
#include "hermesctl/hermes/live.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/allowlist.hpp"
#include "hermesctl/hermes/manifest.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/render.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "settings_check.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

void copy(const Json& from, std::string_view pointer, Json& to, const char* where) {
    if (const Json& value = at(from, pointer); !value.is_null()) to[Json::json_pointer(where)] = value;
}

/// `value` less what `base` says too, at every depth.
Json beyond(const Json& value, const Json& base) {
    if (!value.is_object() || !base.is_object()) return value;
    Json rest = Json::object();
    for (const auto& [key, item] : value.items()) {
        if (!base.contains(key)) {
            rest[key] = item;
        } else if (Json more = beyond(item, base[key]);
                   item != base[key] && (!more.is_object() || !more.empty())) {
            rest[key] = std::move(more);
        }
    }
    return rest;
}

/// The agent's container: the guide's name, else the instance's, else the first.
const Json& agent_container(const Json& pod, const std::string& name) {
    const Json& containers = at(pod, "/containers");
    for (const std::string& wanted : {std::string("hermes"), name}) {
        const Json& container = kube::with_name(containers, wanted);
        if (!container.is_null()) return container;
    }
    return at(containers, "/0");
}

void add_model(Json& settings, const Json& config_map) {
    const std::string text = text_at(config_map, "/data/config.yaml");
    std::vector<Json> documents;
    try {
        documents = kube::parse_yaml(text, "config.yaml");
    } catch (Error& error) {
        error.during(fmt::format("reading {}", kube::title(kube::ref_of(config_map))));
        throw;
    }
    if (documents.empty() || !documents[0].is_object()) return;
    Json& config = documents[0];
    if (at(config, "/model").is_string()) config["model"] = {{"default", config["model"]}};
    copy(config, "/model/provider", settings, "/model/provider");
    copy(config, "/model/model", settings, "/model/default");
    copy(config, "/model/default", settings, "/model/default");
    if (at(config, "/model").is_object()) {
        for (const char* key : {"provider", "default", "model"})
            config["model"].erase(key);
    }
    const Json rest = beyond(config, seeded_config());
    if (!rest.empty()) settings["config"] = rest;
}

/// What deploy noted beside what can be read off the objects. Throws Error{usage} where somebody made
/// something else of it.
Json recorded(const Json& deployment) {
    const std::string record = text_at(deployment, "/metadata/annotations/hermesctl~1settings");
    const Json noted = Json::parse(record, nullptr, false);
    if (!noted.is_object()) return Json::object();
    Json settings = merged(Json::object(), noted);  // without nulls
    if (const auto problems = problems_of(settings); !problems.empty()) {
        throw Error(
            ExitCode::usage,
            fmt::format("the annotation hermesctl/settings of {} is not as deploy writes it: {}: {}",
                        kube::title(kube::ref_of(deployment)), dotted(problems[0].pointer), problems[0].why),
            fmt::format(
                "kubectl -n {} annotate deployment {} hermesctl/settings-; then hermesctl deploy with "
                "what it said",
                text_at(deployment, "/metadata/namespace"), text_at(deployment, "/metadata/name")));
    }
    return settings;
}

void add_users(Json& settings, const Json& secret) {
    const auto values = secret_values(secret);
    const auto found = values.find(std::string(users_key));
    if (found == values.end()) return;
    // A list that cannot be kept (everybody, names) is left out: deploy then asks for one.
    if (complaint_about(found->first, found->second).empty()) {
        settings["telegram"]["allowedUsers"] = users_of(found->second);
    }
    if (const auto owner = named_owner(secret)) settings["owner"] = *owner;
}

void add_exceptions(Json& settings, const Json& policy) {
    for (const std::string& range : exceptions_by_hand(policy)) {
        Json& list = settings["network"]["except"];
        if (std::find(list.begin(), list.end(), range) == list.end()) list.push_back(range);
    }
}

void add_variables(Json& settings, const Json& container) {
    const Json& defaults = at(manifest("60-deployment.yaml"), "/spec/template/spec/containers/0/env");
    for (const Json& entry : at(container, "/env")) {
        const std::string name = text_at(entry, "/name");
        const bool ours = std::find(defaults.begin(), defaults.end(), entry) != defaults.end();
        // A value from elsewhere (a field, another Secret) stays with whoever put it there.
        if (ours || entry.contains("valueFrom") || name == token_key || name == users_key) continue;
        settings["pod"]["env"][name] = text_at(entry, "/value");  // the API leaves an empty one out
    }
}

void add_pod(Json& settings, const Json& pod, const std::string& name) {
    const Json& container = agent_container(pod, name);
    copy(container, "/image", settings, "/image");
    copy(container, "/resources/requests", settings, "/resources/requests");
    copy(container, "/resources/limits", settings, "/resources/limits");
    add_variables(settings, container);
    copy(pod, "/nodeSelector", settings, "/pod/nodeSelector");
    copy(pod, "/tolerations", settings, "/pod/tolerations");
    copy(pod, "/runtimeClassName", settings, "/pod/runtimeClassName");
    for (const Json& secret : at(pod, "/imagePullSecrets")) {
        settings["pod"]["imagePullSecrets"].push_back(text_at(secret, "/name"));
    }
}

/// What stands in the objects themselves.
void add_objects(Json& settings, const Live& live, const Names& names) {
    if (const Json& secret = live.of(names.secret()); !secret.is_null()) add_users(settings, secret);
    add_exceptions(settings, live.of(names.policy()));
    const Json& claim = live.of(names.claim());
    copy(claim, "/spec/resources/requests/storage", settings, "/storage/size");
    copy(claim, "/spec/storageClassName", settings, "/storage/class");
    const Json& deployment = live.of(names.deployment());
    if (!deployment.is_null()) add_pod(settings, at(deployment, "/spec/template/spec"), names.name);
}

}  // namespace

Error missing(const kube::Ref& ref) {
    return {ExitCode::failed, fmt::format("there is no {} in namespace {}", title(ref), ref.ns),
            "hermesctl list shows what is there; hermesctl deploy makes one"};
}

std::vector<kube::Ref> Names::all() const {
    return {account(), claim(), secret(), config(), policy(), deployment()};
}

std::vector<kube::Ref> Names::everything() const {
    std::vector<kube::Ref> refs = all();
    refs.push_back(previous());
    refs.push_back(name_space());
    return refs;
}

const Json& Live::of(const kube::Ref& ref) const {
    static const Json nothing;
    const auto found = objects.find(ref);
    return found == objects.end() ? nothing : found->second;
}

void want_live(kube::Round& round, const Names& names) {
    for (const kube::Ref& ref : names.everything())
        round.want(ref);
}

Live live_of(const kube::Round& round, const Names& names) {
    Live live;
    for (const kube::Ref& ref : names.everything()) {
        const kube::Outcome& found = round.of(ref);
        // A role may name the Secret alone.
        const bool denied = found.error && found.error->code() == ExitCode::denied;
        if (found.not_found() || (denied && ref == names.previous())) continue;
        live.objects[ref] = found.value();
    }
    return live;
}

Live read_live(kube::Client& client, const Names& names) {
    kube::Round round(client);
    want_live(round, names);
    round.run();
    return live_of(round, names);
}

Json settings_of(const Live& live, const Names& names) {
    Json settings = recorded(live.of(names.deployment()));
    add_model(settings, live.of(names.config()));
    add_objects(settings, live, names);
    return settings;
}

Standing standing_of(const Live& live, const Names& names) {
    Standing standing;
    const auto can_read = [&](const auto& part) {
        try {
            part();
            return true;
        } catch (const Error& error) {
            standing.refused.push_back(error.message());
            return false;
        }
    };
    Json settings = Json::object();
    can_read([&] { settings = recorded(live.of(names.deployment())); });
    bool model_known = can_read([&] { add_model(settings, live.of(names.config())); });
    add_objects(settings, live, names);
    // One at a time: what is taken out of a list moves the others.
    for (std::vector<Problem> found; !(found = problems_of(settings)).empty();) {
        const Problem& problem = found.front();
        standing.refused.push_back(fmt::format("{}: {}", dotted(problem.pointer), problem.why));
        model_known = model_known && !problem.pointer.starts_with("/model");
        settings = settings.patch(Json::array({{{"op", "remove"}, {"path", problem.pointer}}}));
    }
    standing.values = values_of(settings);
    if (!model_known) standing.values.provider = standing.values.model = "";
    return standing;
}

std::map<std::string, std::string> secret_values(const Json& secret) {
    std::map<std::string, std::string> values;
    for (const auto& [key, encoded] : at(secret, "/data").items()) {
        if (!encoded.is_string()) continue;
        const auto value = base64_decode(encoded.get_ref<const std::string&>());
        if (!value) continue;
        if (key != users_key) remember_secret(*value);
        values[key] = *value;
    }
    return values;
}

}  // namespace hermesctl::hermes
