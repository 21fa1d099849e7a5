// The addresses behind a host name, as this machine knows them.
#pragma once

#include <string>
#include <vector>

namespace hermesctl::net {

/// Each once, in the system's order; none when the name stands for nothing. Blocks: for a name that was
/// resolved a moment ago.
std::vector<std::string> addresses_of(const std::string& host);

}  // namespace hermesctl::net
