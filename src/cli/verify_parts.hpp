// What verify looks at, for verify and the end of deploy.
#pragma once

#include "hermesctl/hermes/report.hpp"
#include "session.hpp"

#include <string>
#include <vector>

namespace hermesctl::cli {

/// The objects of files, "-" among them for stdin. Throws Error{usage} when one is not there, is no YAML or
/// has a policy that the API server would refuse, and when none has a NetworkPolicy.
std::vector<kube::Json> policy_objects(Session&, const std::vector<std::string>& files);
/// "stdin, b.yaml"
std::string source_names(const std::vector<std::string>& files);
struct VerifyOptions {
    hermes::Scope scope = hermes::Scope::full;
    std::vector<std::string> lan_targets{};  // beside network.mustNotReach
};
/// The rows of a live installation, fit to be shown, with whose they are. Throws Error{failed} when there is
/// none.
hermes::Report verify_installation(Session&, const hermes::Names&, const VerifyOptions&);

/// Rows fit to be shown, their hints with the flags of this run.
hermes::Checks told(hermes::Checks, const GlobalFlags&);

}  // namespace hermesctl::cli
