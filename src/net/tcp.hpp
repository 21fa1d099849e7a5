// What the kernel knows of a connection.
#pragma once

#include <chrono>

namespace hermesctl::net {

/// For how long the other end's kernel has acknowledged nothing although it should have: bytes, or probes of
/// a window that it had closed. 0: it owes nothing. A program that does not read is no reason: its kernel
/// answers.
std::chrono::milliseconds unacknowledged(int fd);

}  // namespace hermesctl::net
