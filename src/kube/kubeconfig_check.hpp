// What client-go refuses in a kubeconfig's stanzas (tools/clientcmd/validation.go, transport/transport.go),
// and a little more: what could only fail later, with a worse message.
#pragma once

#include "kubeconfig_file.hpp"

#include <string>
#include <string_view>

namespace hermesctl::kube {

/// Each throws Error{usage} that names the stanza and its file.
void check_cluster(const std::string& name, const Stanza&);
void check_user(const std::string& name, const Stanza&);

/// Whether this is PEM with at least one block whose label ends in `label` ("CERTIFICATE").
bool is_pem(std::string_view pem, std::string_view label);

/// Whether it holds what no HTTP header may.
bool has_control_characters(std::string_view);

}  // namespace hermesctl::kube
