// Who asks: the ways in which a kubeconfig's user can prove itself.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/kube/kubeconfig.hpp"
#include "hermesctl/net/curl.hpp"
#include "kubeconfig_file.hpp"

#include <functional>
#include <memory>
#include <string>

namespace hermesctl::kube {

/// The hint where a client certificate is not taken any more.
inline constexpr const char* new_client_certificate =
    "get this kubeconfig anew from the cluster (k3s makes new certificates at a restart, and writes "
    "/etc/rancher/k3s/k3s.yaml)";

using CredentialSource = std::function<net::Credentials(bool rejected)>;

/// A token in a file that someone else renews: read again once a minute, and after a rejection.
class TokenFile {
  public:
    /// `fallback` is used while the file cannot be read; if it is empty, the file must be readable now.
    TokenFile(std::string path, std::string fallback, Clock&);
    const std::string& get(bool rejected);

  private:
    /// Why it did not work; empty when it did.
    std::string read();

    std::string path_;
    std::string token_;
    Clock& clock_;
    Clock::Time read_at_{};
};

/// `plugin_cluster` is what a credential plugin is told of the cluster if it asks. Throws Error{usage} for
/// files that are missing or wrong. The clock and environment must outlive the source.
CredentialSource credentials_of(const std::string& name, const Stanza& user, const Json& plugin_cluster,
                                const KubeconfigRequest&, const Environment&, Clock&);

/// The PEM of FIELD or FIELD-data, "" when the stanza has neither; throws Error{usage} when it is not
/// `label`.
std::string pem_of(const std::string& title, const Stanza&, const std::string& field, std::string_view label);

}  // namespace hermesctl::kube
