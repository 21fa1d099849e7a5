// From what was asked for and what is live to the objects of an installation: what deploy, diff and render
// share.
#pragma once

#include "hermesctl/hermes/allowlist.hpp"
#include "hermesctl/hermes/cluster.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/values.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace hermesctl::hermes {

/// What was read and typed for a wish. Handed to another one of the same instance, it is not read or asked
/// for again: a program runs once, and what came from stdin is gone.
struct Given {
    std::map<std::string, std::string> secrets{};
    UserIds users{};
};

struct Wish {
    Json settings = Json::object();  // of flags and file, in the shape of hermes.yaml
    std::string server{};            // the kubeconfig's URL: the cage keeps it out of reach
    Resolve resolve{};               // of the name that the API server is called by
    SecretReaders readers;
    /// Asks a person; empty where there is none. `hidden`: without echo.
    std::function<std::string(const std::string& question, bool hidden)> ask{};
    bool ask_later = false;  // what a person would be asked for is left open: see Composition
    /// Finishes or undoes a half-done rotation (rotation.hpp), before anything is planned. Empty: that there
    /// is one is only said.
    std::function<void()> recover{};
    bool policy_alone = false;   // its explanation: neither who may use the bot nor a secret is needed
    bool replace_users = false;  // who may use the bot and is not named loses access
    Given given{};
};

struct Composition {
    Names names{};
    Values values{};
    Live live{};
    std::vector<Json> objects{};
    UserIds kept_users{};        // they may use the bot now, and what was asked for does not name them
    bool stopped = false;        // 0 replicas, and it stays so
    bool pods_refused = false;   // its namespace lets in hardened pods alone, and this is none
    std::size_t neighbours = 0;  // pods of others, where it is to be a new one among them
    bool incomplete = false;     // something is to be asked for yet: there are no objects
    ClusterFacts cluster{};      // what the policy was made of
    Given given{};
};

/// Names of the installation that these settings mean ("hermes" in "hermes" where they are silent).
Names names_of(const Json& settings);

/// Reads the cluster, asks for what is missing, renders. Nobody's named values are kept as they are live.
/// Throws Error{usage} that lists everything that is missing or wrong at once, before anything is changed.
Composition compose(kube::Client&, const Wish&, Reporter&);

}  // namespace hermesctl::hermes
