// One context as a configuration of its own: what `kubectl config view --minify --flatten --raw -o json`
// prints.
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/kube/kubeconfig.hpp"
#include "kubeconfig_file.hpp"

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

Json extension_list(const Json& by_name) {
    Json list = Json::array();
    for (const auto& item : by_name.items())
        list.push_back({{"name", item.key()}, {"extension", item.value()}});
    return list;
}

/// The file behind FIELD moves into FIELD-data.
void embed(Json& stanza, const std::string& field, const std::string& file) {
    const std::string path = text_at(stanza, "/" + field);
    if (path.empty()) return;
    if (stanza.contains(field + "-data")) {
        throw Error(ExitCode::usage, fmt::format("{}: both {} and {}-data", file, field, field));
    }
    const auto content = read_file(path);
    if (!content) throw Error(ExitCode::usage, fmt::format("{}: {} {} does not exist", file, field, path));
    stanza.erase(field);
    if (!content->empty()) stanza[field + "-data"] = base64_encode(*content);
}

Json flat(const Stanza& stanza, std::initializer_list<const char*> files) {
    Json value = stanza.value;
    for (const char* field : files)
        embed(value, field, stanza.file);
    if (value.contains("extensions")) value["extensions"] = extension_list(value["extensions"]);
    return value;
}

const Stanza* find(const std::map<std::string, Stanza>& stanzas, const std::string& name, const char* kind) {
    if (name.empty()) return nullptr;
    const auto found = stanzas.find(name);
    if (found == stanzas.end())
        throw Error(ExitCode::usage, fmt::format("there is no {} \"{}\"", kind, name));
    return &found->second;
}

}  // namespace

Json flattened_config(const KubeconfigRequest& request, const Environment& environment) {
    const Kubeconfig config = read_kubeconfig(request.file, environment);
    const std::string name = request.context.empty() ? config.current_context : request.context;
    const Stanza* context = find(config.contexts, name, "context");
    if (context == nullptr) throw Error(ExitCode::usage, "no current-context");
    const std::string cluster_name = text_at(context->value, "/cluster");
    const std::string user_name = text_at(context->value, "/user");
    Json out{{"kind", "Config"},        {"apiVersion", "v1"},
             {"current-context", name}, {"preferences", Json::object()},
             {"clusters", nullptr},     {"users", nullptr}};
    Json flat_context = flat(*context, {});
    for (const char* field : {"cluster", "user"})
        flat_context.emplace(field, "");
    out["contexts"] = Json::array({{{"name", name}, {"context", flat_context}}});
    if (const Stanza* cluster = find(config.clusters, cluster_name, "cluster")) {
        Json value = flat(*cluster, {"certificate-authority"});
        value.emplace("server", "");
        out["clusters"] = Json::array({{{"name", cluster_name}, {"cluster", value}}});
    }
    if (const Stanza* user = find(config.users, user_name, "user")) {
        const Json value = flat(*user, {"client-certificate", "client-key"});
        out["users"] = Json::array({{{"name", user_name}, {"user", value}}});
    }
    if (config.colors) out["preferences"]["colors"] = true;
    if (!config.preference_extensions.empty()) {
        out["preferences"]["extensions"] = extension_list(config.preference_extensions);
    }
    if (!config.extensions.empty()) out["extensions"] = extension_list(config.extensions);
    return out;
}

}  // namespace hermesctl::kube
