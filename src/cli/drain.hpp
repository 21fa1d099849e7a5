// Lets a busy agent finish its turn before a command restarts it.
#pragma once

#include "hermesctl/hermes/lease.hpp"
#include "session.hpp"

#include <chrono>

namespace hermesctl::cli {

/// Returns when the agent is idle, when `at_most` has passed (with a warning), or when it cannot be asked.
void drain(Session&, const hermes::Names&, std::chrono::milliseconds at_most, hermes::HeldLease* lease);

}  // namespace hermesctl::cli
