// Lets a busy agent finish its turn before a command restarts it.
#pragma once

#include "hermesctl/hermes/lease.hpp"
#include "session.hpp"

#include <chrono>

namespace hermesctl::cli {

/// Returns when the agent is idle or not there, and, with a warning, when `at_most` has passed or it may not
/// be asked.
void drain(Session&, const hermes::Names&, std::chrono::milliseconds at_most, hermes::HeldLease* lease);

}  // namespace hermesctl::cli
