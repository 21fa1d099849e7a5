// The end of deploy: a quick look at whether the cage holds.
#pragma once

#include "hermesctl/hermes/report.hpp"
#include "session.hpp"

#include <string>

namespace hermesctl::cli {

struct CageCheck {
    bool leaks = false;
    kube::Json json{};
    std::string text{};
};

/// One line for a cage that holds, else the rows that do not pass.
CageCheck summary_of(const hermes::Report&, const term::Terminal&);

/// What `verify --quick` finds. That it could not look is said, and is neither a leak nor a pass.
CageCheck check_cage(Session&, const hermes::Names&);

}  // namespace hermesctl::cli
