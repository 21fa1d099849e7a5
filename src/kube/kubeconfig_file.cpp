#include "kubeconfig_file.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "kubeconfig_fields.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

void read_named(const FieldReader& reader, const std::string& list, const std::string& kind,
                const std::string& file, std::map<std::string, Stanza>& out) {
    for (std::size_t i = 0; i < reader.list_size(list); ++i) {
        const std::string item = fmt::format("{}/{}", list, i);
        const std::string name = reader.text(item + "/name");
        const bool fresh = out.emplace(name, Stanza{reader.stanza(item + "/" + kind, kind), file}).second;
        if (!fresh) reader.refuse(item, fmt::format("the {} \"{}\" is there twice", kind, name));
    }
}

/// The files of KUBECONFIG, each once, in their order.
std::vector<std::string> listed_files(const std::string& list) {
    std::vector<std::string> files;
    for (const std::string_view file : words_of(list, ":")) {
        if (std::find(files.begin(), files.end(), file) == files.end()) files.emplace_back(file);
    }
    return files;
}

std::vector<std::string> default_files(const Environment& environment) {
    if (const std::string list = value_of(environment, "KUBECONFIG"); !list.empty())
        return listed_files(list);
    const std::string home = value_of(environment, "HOME");
    return home.empty() ? std::vector<std::string>{} : std::vector<std::string>{home + "/.kube/config"};
}

std::optional<std::string> read(const std::string& file) {
    try {
        return read_file(file);
    } catch (const Error& error) {
        throw Error(ExitCode::usage, "kubeconfig: " + error.message(),
                    file.starts_with("/etc/rancher/k3s/") ? kubeconfig_hint(file) : "");
    }
}

/// The first file that defines something wins, stanza by stanza.
void merge(Kubeconfig& all, Kubeconfig one) {
    all.clusters.merge(one.clusters);
    all.users.merge(one.users);
    all.contexts.merge(one.contexts);
    if (all.current_context.empty()) all.current_context = one.current_context;
}

}  // namespace

Kubeconfig parse_kubeconfig(std::string_view text, const std::string& file) {
    const auto documents = parse_documents(text, file);
    Kubeconfig config;
    if (documents.empty()) return config;
    const Document& document = documents.front();  // client-go, too, reads only the first
    const FieldReader reader(document, file);
    if (!document.value.is_object()) reader.refuse("", "this is not a kubeconfig: no mapping at the top");
    const std::string kind = reader.text("/kind");
    const std::string version = reader.text("/apiVersion");
    if (!kind.empty() && kind != "Config")
        reader.refuse("/kind", fmt::format("this is a {}, not a kubeconfig", kind));
    if (!version.empty() && version != "v1") {
        reader.refuse("/apiVersion", fmt::format("kubeconfig version {} is not known, only v1", version));
    }
    read_named(reader, "/clusters", "cluster", file, config.clusters);
    read_named(reader, "/users", "user", file, config.users);
    read_named(reader, "/contexts", "context", file, config.contexts);
    config.current_context = reader.text("/current-context");
    return config;
}

Kubeconfig read_kubeconfig(const std::string& flag, const Environment& environment) {
    Kubeconfig all;
    for (const std::string& file : flag.empty() ? default_files(environment) : std::vector{flag}) {
        const auto text = read(file);
        if (!text && !flag.empty()) {
            throw Error(ExitCode::usage, fmt::format("there is no kubeconfig {}", file), kubeconfig_hint());
        }
        (text ? all.files : all.missing).push_back(file);
        if (text) merge(all, parse_kubeconfig(*text, file));
    }
    return all;
}

std::string kubeconfig_hint(const std::string& k3s) {
    if (std::ifstream(k3s).is_open()) return fmt::format("k3s is on this machine: add --kubeconfig {}", k3s);
    std::error_code code;
    if (std::filesystem::exists(k3s, code) || code == std::errc::permission_denied) {
        return fmt::format(
            "only root may read that of k3s: sudo install -m 600 -o \"$USER\" {} ~/k3s.yaml, "
            "then add --kubeconfig ~/k3s.yaml "
            "(or start k3s with --write-kubeconfig-group and --write-kubeconfig-mode 640)",
            k3s);
    }
    return fmt::format("add --kubeconfig FILE or export KUBECONFIG=FILE (on a k3s server it is {})", k3s);
}

}  // namespace hermesctl::kube
