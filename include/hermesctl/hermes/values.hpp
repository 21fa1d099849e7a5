// What an installation should be. Settings are JSON in the shape of hermes.yaml, whatever they come from
// (flags, a file, the live objects), so that they merge: defaults < live < file < flags. Values is the typed,
// checked result.
#pragma once

#include "hermesctl/kube/object.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

using kube::Json;

struct Resources {
    std::map<std::string, std::string> requests{
        {"memory", "512Mi"}, {"cpu", "250m"}, {"ephemeral-storage", "1Gi"}};
    std::map<std::string, std::string> limits{{"memory", "2Gi"}, {"cpu", "2"}, {"ephemeral-storage", "8Gi"}};
};

struct Network {
    std::vector<std::string> must_not_reach{};  // "192.168.1.206:30002", for verify
    std::vector<std::string> except{};          // CIDRs that stay closed
    std::vector<std::string>
        allow{};  // "192.168.1.10/32:8080" or "nas.example:443": opened, as narrow as stated
    std::vector<std::string> dns{};    // further DNS servers
    std::vector<std::string> nat64{};  // prefixes (/96) behind which public IPv4 is opened
    bool ipv6 = false;
    bool gate = true;  // an init container holds the agent until the policy is in force
};

struct Pod {
    std::map<std::string, std::string> env{};
    std::map<std::string, std::string> node_selector{};
    Json tolerations = Json::array();
    std::vector<std::string> image_pull_secrets{};
    std::string runtime_class{};
    bool hardened = false;  // without root, see hardening.hpp
};

struct Values {
    std::string name = "hermes";
    std::string ns = "hermes";
    std::string image = "docker.io/nousresearch/hermes-agent:latest";
    std::string provider = "minimax";
    std::string model = "MiniMax-M2.7";
    std::vector<std::int64_t> allowed_users{};
    std::optional<std::int64_t> owner{};
    std::string storage_size = "5Gi";
    std::optional<std::string> storage_class{};
    Resources resources{};
    Network network{};
    Pod pod{};
    Json config = Json::object();   // merged into config.yaml
    Json secrets = Json::object();  // KEY -> {file|env|cmd|stdin}, see secrets.hpp
};

/// The settings of each document of a hermes.yaml. Throws Error{usage} with "FILE:LINE:COLUMN: why" for
/// unknown keys, wrong types, usernames for ids, a bad image name, quantity or CIDR, and, where they are to
/// be `sent`, a credential.
std::vector<Json> settings_of_file(std::string_view text, std::string_view source, bool sent = true);

/// `over` on top of `base`: objects merge, lists and scalars replace; a secret takes the place of a variable
/// of the pod.
Json merged(Json base, const Json& over);

/// Throws Error{usage} that names every problem at once; what is left out is none.
void check_settings(const Json& settings, const std::string& hint = {});

/// Checks and types; throws Error{usage} that names every problem at once. `hint` is what to type then.
Values values_of(const Json& settings, const std::string& hint = {});

}  // namespace hermesctl::hermes
