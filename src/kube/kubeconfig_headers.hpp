// Impersonation (client-go transport/round_trippers.go).
#pragma once

#include "hermesctl/net/http.hpp"
#include "kubeconfig_file.hpp"

#include <string>
#include <vector>

namespace hermesctl::kube {

/// Throws Error{usage} for a value that no header can hold.
std::vector<net::Header> impersonation_headers(const std::string& name, const Stanza& user);

}  // namespace hermesctl::kube
