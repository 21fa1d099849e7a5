// The rows of verify beside the network: what the guide's checklist asks of the account, the host, the ways
// in and the agent. The rows are pure functions of what was read.
#pragma once

#include "hermesctl/hermes/check.hpp"
#include "hermesctl/hermes/target.hpp"
#include "hermesctl/kube/round.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

/// What a read gave.
struct Reading {
    std::vector<Json> items{};  // of a collection; at most one for a single object
    std::string failure{};      // why it could not be read: then nothing is known of it
    bool absent = false;        // this cluster has no such API
    bool known() const { return failure.empty(); }
};

struct Premises {
    Names names{};
    Json deployment{};
    Reading pods{};     // the instance's, less those that have ended or are on their way out
    std::string pod{};  // the newest; "" if there is none
    Reading name_space{};
    Reading secret{};
    std::map<std::string, Reading> other_secrets{};  // that the pods are given beside it, by name
    Reading config{};
    Reading role_bindings{};  // of all namespaces
    Reading cluster_role_bindings{};
    Reading cluster_roles{};
    Reading services{};  // of the namespace, as the rest
    Reading slices{};
    Reading ingresses{};
    std::vector<Reading> routes{};  // of the Gateway API and of Traefik
    Json inside{};                  // what inspect.py says; null: see `no_inside`
    std::string no_inside{};        // why it could not be asked
    std::string inside_hint{};
};

void want_inspection(kube::Round&, const Names&);
/// Once the round has run, all but the inside of the pod. What may not be read is noted. Throws ApiError when
/// it cannot be told whether there is such an installation. Takes what it needs out of the round, which runs
/// once more where pods are given other Secrets than the instance's.
Premises premises_of(kube::Round&, const Names&, const Target& agent);

/// What inspect.py says in a pod, or why it could not be asked.
struct Inside {
    Json said{};
    std::string why{};
    std::string hint{};
};
/// `keys`: a list of the names that the Secret has. Throws Error{interrupted}.
Inside look_inside(kube::Client&, const std::string& ns, const std::string& pod, const Json& keys);
/// The same into the premises, where an agent runs.
void look_inside(kube::Client&, Premises&);

/// What inspect.py printed, each text in it scrubbed, short and printable: an agent may have chosen it.
/// Nothing for a text that is not inspect.py's.
std::optional<Json> parse_inside(std::string_view text);

Checks identity_checks(const Premises&);
Checks host_checks(const Premises&);
Checks exposure_checks(const Premises&);  // of group policy
Checks agent_checks(const Premises&);

/// All of them.
Checks inspect(const Premises&);

}  // namespace hermesctl::hermes
