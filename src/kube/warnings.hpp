// The server's warnings (RFC 7234 `Warning: 299 - "text"`), as apimachinery's ParseWarningHeaders reads them.
#pragma once

#include "hermesctl/net/http.hpp"

#include <string>
#include <vector>

namespace hermesctl::kube {

/// The texts of all code 299 warnings of an answer, in their order. What is malformed ends its header line.
std::vector<std::string> warnings_of(const net::Response&);

}  // namespace hermesctl::kube
