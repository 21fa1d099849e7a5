// The files of manifests/ with an installation's values in their places.
#include "hermesctl/hermes/render.hpp"

#include "credentials.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/allowlist.hpp"
#include "hermesctl/hermes/embedded.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "hermesctl/hermes/hardening.hpp"
#include "hermesctl/hermes/manifest.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;

Json labels(const Values& values) {
    return {{"app", values.name},
            {"app.kubernetes.io/name", "hermes"},
            {"app.kubernetes.io/instance", values.name},
            {"app.kubernetes.io/managed-by", "hermesctl"}};
}

/// The image's tag as a label's value; a digest's beginning when there is no tag.
std::string version_label(const std::string& image) {
    const std::size_t at = image.find('@');
    const std::string name = image.substr(0, at);
    const std::size_t colon = name.rfind(':');
    std::string tag = "latest";
    if (colon != std::string::npos && name.find('/', colon) == std::string::npos) {
        tag = name.substr(colon + 1, 63);
    } else if (at != std::string::npos) {
        tag = image.substr(image.find(':', at) + 1, 12);
    }
    while (!tag.empty() && std::isalnum(static_cast<unsigned char>(tag.back())) == 0)
        tag.pop_back();
    return tag.empty() || tag[0] == '_' ? "unknown" : tag;
}

Json named(Json object, const Values& values, const kube::Ref& ref) {
    object["metadata"]["name"] = ref.name;
    object["metadata"]["namespace"] = ref.ns;
    object["metadata"]["labels"] = labels(values);
    return object;
}

Json name_space(const Values& values) {
    Json object = manifest("00-namespace.yaml");
    object["metadata"]["name"] = values.ns;
    return object;
}

Json claim(const Values& values, const Names& names) {
    Json object = named(manifest("20-claim.yaml"), values, names.claim());
    object["/spec/resources/requests/storage"_json_pointer] = values.storage_size;
    if (values.storage_class) object["spec"]["storageClassName"] = *values.storage_class;
    return object;
}

/// The first one who was ever allowed, unless somebody else was named.
std::optional<UserId> owner_among(const Values& values, const RenderInput& input) {
    if (values.owner) return values.owner;
    const auto found = input.secrets.find(std::string(users_key));
    const UserList list = user_list(found == input.secrets.end() ? "" : found->second);
    return list.ids.empty() ? std::nullopt : std::optional(list.ids.front());
}

Json secret(const Values& values, const Names& names, const RenderInput& input) {
    Json object = named(manifest("30-secret.yaml"), values, names.secret());
    Json& annotations = object["metadata"]["annotations"];
    annotations["hermesctl/salt"] = input.salt;
    if (const auto owner = owner_among(values, input))
        annotations[std::string(owner_annotation)] = std::to_string(*owner);
    for (const auto& [key, value] : input.secrets)
        object["data"][key] = base64_encode(value);
    return object;
}

Json config(const Values& values, const Names& names) {
    Json object = named(manifest("40-config.yaml"), values, names.config());
    object["data"]["config.yaml"] = config_yaml(values);
    return object;
}

Json policy(const Values& values, const Names& names, const RenderInput& input) {
    Json object = named(manifest("50-networkpolicy.yaml"), values, names.policy());
    object["spec"]["podSelector"]["matchLabels"] = {{"app", values.name}};
    object["spec"]["egress"] = egress_rules(values, input.cluster, input.kept_rules);
    const Json own = egress_rules(values, input.cluster, Json::array());
    object["metadata"]["annotations"]["hermesctl/rules"] = rules_record(own);
    return object;
}

/// What was asked for and cannot be read back from the objects.
std::string settings_record(const Values& values) {
    Json settings = Json::object();
    const Network& network = values.network;
    const auto note = [&](const char* key, const std::vector<std::string>& list) {
        if (!list.empty()) settings["network"][key] = list;
    };
    note("mustNotReach", network.must_not_reach);
    note("except", network.except);
    note("allow", network.allow);
    note("dns", network.dns);
    note("nat64", network.nat64);
    if (network.ipv6) settings["network"]["ipv6"] = true;
    if (!network.gate) settings["network"]["gate"] = false;
    if (values.pod.hardened) settings["pod"]["hardened"] = true;
    return settings.empty() ? "" : settings.dump();
}

void set_variables(Json& container, const std::map<std::string, std::string>& variables) {
    for (const auto& [name, value] : variables) {
        Json* place = nullptr;
        for (Json& entry : container["env"]) {
            if (entry["name"] == name) place = &entry;
        }
        if (place == nullptr) place = &container["env"].emplace_back();
        *place = {{"name", name}, {"value", value}};
    }
}

void set_container(Json& container, const Values& values, const Names& names) {
    container["image"] = values.image;
    container["envFrom"][0]["secretRef"]["name"] = names.secret().name;
    container["resources"] = {{"requests", values.resources.requests}, {"limits", values.resources.limits}};
    set_variables(container, values.pod.env);
    const std::string probe(embedded("probe.py"));
    for (const char* hook : {"startupProbe", "readinessProbe", "livenessProbe"}) {
        container[hook]["exec"]["command"][4] = probe;
    }
    container["/lifecycle/preStop/exec/command/4"_json_pointer] = probe;
}

void set_gate(Json& init_containers, const Values& values, const RenderInput& input) {
    if (!values.network.gate) return void(init_containers.erase(0));
    Json& command = init_containers[0]["command"];
    command[4] = embedded("gate.py");
    command[5] = fmt::format("{}", fmt::join(witnesses_of(values, input.cluster, input.kept_rules), ","));
}

void set_pod(Json& pod, const Values& values, const Names& names, const RenderInput& input) {
    pod["serviceAccountName"] = names.account().name;
    for (Json& container : pod["initContainers"])
        container["image"] = values.image;
    set_gate(pod["initContainers"], values, input);
    set_container(pod["containers"][0], values, names);
    pod["/volumes/0/persistentVolumeClaim/claimName"_json_pointer] = names.claim().name;
    pod["/volumes/1/configMap/name"_json_pointer] = names.config().name;
    const Pod& wish = values.pod;
    if (!wish.node_selector.empty()) pod["nodeSelector"] = wish.node_selector;
    if (!wish.tolerations.empty()) pod["tolerations"] = wish.tolerations;
    for (const std::string& name : wish.image_pull_secrets)
        pod["imagePullSecrets"].push_back({{"name", name}});
    if (!wish.runtime_class.empty()) pod["runtimeClassName"] = wish.runtime_class;
    if (wish.hardened) harden(pod);
}

Json deployment(const Values& values, const Names& names, const RenderInput& input) {
    Json object = named(manifest("60-deployment.yaml"), values, names.deployment());
    Json& metadata = object["metadata"];
    Json& spec = object["spec"];
    if (const std::string settings = settings_record(values); !settings.empty()) {
        metadata["annotations"]["hermesctl/settings"] = settings;
    }
    metadata["labels"] = pod_labels(values);
    spec["replicas"] = input.replicas;
    spec["selector"]["matchLabels"] = {{"app", values.name}};
    spec["template"]["metadata"]["labels"] = metadata["labels"];
    Json& annotations = spec["template"]["metadata"]["annotations"];
    annotations["hermesctl/secret-hmac"] = secrets_mark(input.salt, input.secrets);
    if (!input.config_mark.empty()) annotations["hermesctl/config"] = input.config_mark;
    set_pod(spec["template"]["spec"], values, names, input);
    return object;
}

/// Of a ConfigMap, whose files may hold what a live one does.
void mask_files(Json& object) {
    for (const auto& [name, text] : kube::at(object, "/data").items()) {
        const Json content = content_of(text);
        const Json shown = without_credentials(content, name);
        if (shown == content) continue;
        object["data"][name] = shown.is_structured() ? Json(kube::dump_yaml(shown)) : shown;
    }
}

/// Of a Deployment, whose variables may hold what a live one's do.
void mask_variables(Json& object) {
    const auto containers = "/spec/template/spec/containers"_json_pointer;
    if (!object.contains(containers)) return;
    for (Json& container : object[containers]) {
        if (!container.contains("env")) continue;
        for (Json& variable : container["env"]) {
            if (is_credential(kube::text_at(variable, "/name"), kube::text_at(variable, "/value")))
                variable["value"] = "***";
        }
    }
}

}  // namespace

std::vector<Json> render(const Values& values, const RenderInput& input) {
    const Names names{.ns = values.ns, .name = values.name};
    return {name_space(values),
            named(manifest("10-serviceaccount.yaml"), values, names.account()),
            claim(values, names),
            secret(values, names, input),
            config(values, names),
            policy(values, names, input),
            deployment(values, names, input)};
}

Json pod_labels(const Values& values) {
    Json made = labels(values);
    made["app.kubernetes.io/version"] = version_label(values.image);
    return made;
}

Json seeded_config() {
    const std::string text = kube::text_at(manifest("40-config.yaml"), "/data/config.yaml");
    return kube::parse_yaml(text, "config.yaml").at(0);
}

std::string config_yaml(const Values& values) {
    Json config = merged(seeded_config(), values.config);
    config["model"]["provider"] = values.provider;
    config["model"]["default"] = values.model;
    return kube::dump_yaml(config);
}

Json masked(Json object) {
    const std::string kind = kube::text_at(object, "/kind");
    if (kind == "ConfigMap") mask_files(object);
    if (kind == "Deployment") mask_variables(object);
    if (kind != "Secret") return object;
    for (const char* part : {"data", "stringData"}) {
        if (!object.contains(part) || !object[part].is_object()) continue;
        for (Json& value : object[part])
            value = "***";
    }
    if (!kube::at(object, "/metadata/annotations").is_object()) return object;
    Json& annotations = object["metadata"]["annotations"];
    for (const char* name : {"hermesctl/salt", "kubectl.kubernetes.io/last-applied-configuration"}) {
        if (annotations.contains(name)) annotations[name] = "***";
    }
    return object;
}

}  // namespace hermesctl::hermes
