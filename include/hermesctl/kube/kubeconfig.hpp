// Which cluster, as whom: kubeconfig files as client-go reads them (tools/clientcmd), credential plugins,
// in-cluster.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/net/curl.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace hermesctl::kube {

struct KubeconfigRequest {
    std::string file{};        // --kubeconfig; exactly this file
    std::string context{};     // --context
    bool interactive = false;  // whether a credential plugin may talk to the terminal
    /// A credential plugin gets no more time than this, and no more than its own limit.
    std::chrono::milliseconds timeout{600'000};
    /// Where a pod finds who it is; used when no kubeconfig says anything.
    std::string service_account = "/var/run/secrets/kubernetes.io/serviceaccount";
};

struct Connection {
    net::Endpoint endpoint{};
    std::string context{};  // "" in-cluster
    std::string server{};   // as shown to people
};

/// Throws Error{usage} for files and contexts that are missing or wrong (saying which file). The endpoint's
/// credentials throw Error{denied} when a credential plugin fails (with its installHint), or a rejected
/// client certificate has expired. Environment read: KUBECONFIG, HOME, KUBERNETES_SERVICE_*, *_PROXY. The
/// clock and environment must outlive the endpoint.
Connection load_connection(const KubeconfigRequest&, const Environment&, Clock&);

}  // namespace hermesctl::kube
