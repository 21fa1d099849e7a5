// kubeconfig files as they are on disk: which ones, their stanzas with checked types, and how several become
// one.
#pragma once

#include "hermesctl/base/process.hpp"
#include "hermesctl/kube/object.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::kube {

/// A cluster, user or context. Known fields only, of the right type, empty ones left out, paths absolute.
struct Stanza {
    Json value = Json::object();
    std::string file{};
};

struct Kubeconfig {
    std::map<std::string, Stanza> clusters{};
    std::map<std::string, Stanza> users{};
    std::map<std::string, Stanza> contexts{};
    std::string current_context{};
    std::vector<std::string> files{};  // that were read
    std::vector<std::string> missing{};
};

/// One file's content; `file` is its name, for messages and for relative paths.
Kubeconfig parse_kubeconfig(std::string_view text, const std::string& file);

/// Exactly `flag` if it is set, else the files of KUBECONFIG, else ~/.kube/config. Missing ones of a list are
/// skipped; throws Error{usage} for a missing `flag` and for what cannot be read.
Kubeconfig read_kubeconfig(const std::string& flag, const Environment&);

/// What to type for a person who has no kubeconfig; `k3s` is k3s' own one.
std::string kubeconfig_hint(const std::string& k3s = "/etc/rancher/k3s/k3s.yaml");

}  // namespace hermesctl::kube
