// The config.yaml that the agent runs with. It lies on the volume and is the agent's own: the ConfigMap only
// seeds a volume without one. So a change of it is made here, over pods/exec, and only when it was asked for.
#pragma once

#include "hermesctl/hermes/compose.hpp"
#include "hermesctl/hermes/target.hpp"

#include <functional>
#include <string>
#include <vector>

namespace hermesctl::hermes {

enum class ConfigMode { keep, merge, replace };

struct ConfigChange {
    Target target{};
    std::string text{};  // the new file; "" when the live one is as it should be
    std::vector<std::string> fields{};
    std::string before{};  // fingerprint of the file that was read
    std::string stamp{};   // the old file stays as config.yaml.before-STAMP
    std::string mark{};    // on the volume and on the pod template: the pod rolls once for each change
    bool loses_comments = false;
};

/// Reads the live file and marks the Deployment in `made`, so that the pod rolls if the file changes.
/// `merge`: what `wish` (flags and file) names of model and config; `replace`: what the ConfigMap has. Throws
/// Error{usage} when there is nothing to merge, Error{failed} when the agent does not run.
ConfigChange plan_config(kube::Client&, Composition& made, ConfigMode, const Json& wish);

/// Puts it in the place of the file that was read; `each_round` is called meanwhile. Throws Error{failed}
/// when that has changed since.
void write_config(kube::Client&, const ConfigChange&, const std::function<void()>& each_round = {});

/// What the ConfigMap names and the live file has otherwise: "terminal.backend: local -> ssh". Throws
/// Error{failed} when one of them cannot be read.
std::vector<std::string> config_drift(kube::Client&, const Target&, const Json& config_map);

/// Its part of what is shown before the question; "" when nothing changes.
std::string config_text(const ConfigChange&);

}  // namespace hermesctl::hermes
