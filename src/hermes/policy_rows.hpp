// Rows of group policy with files of their own.
#pragma once

#include "hermesctl/hermes/policy_checks.hpp"

namespace hermesctl::hermes {

/// UDP and TCP 53.
const Ports& dns_ports();

/// A NetworkPolicy of Kubernetes itself.
bool is_policy(const Json& object);

/// The first of them, and how many more there are.
std::string some_of(const std::vector<std::string>& all, std::string_view between = "; ",
                    std::size_t most_shown = 4);

/// Rules that name a port instead of its number, which not every enforcer reads as the API does.
Check check_port_names(const Reach&);

}  // namespace hermesctl::hermes
