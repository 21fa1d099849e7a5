// Ctrl-C, SIGTERM, SIGQUIT and a lost terminal as a flag that loops ask and a descriptor that wakes a poll.
// The first one is caught once and ends the work in an orderly way; a second one kills the process, unless it
// is one more SIGHUP.
#pragma once

namespace hermesctl {

/// Installs the handlers; SIGPIPE is ignored from then on, and SIGCHLD is not. SIGHUP and SIGQUIT stay
/// ignored where they are. Called once, by main.
void catch_interrupts();

bool interrupted() noexcept;
/// Readable once interrupted; -1 before catch_interrupts().
int interrupt_fd() noexcept;
/// Throws Error{interrupted} and forgets the interrupt, so that clean-up may use the network.
void throw_if_interrupted();

/// True once after each change of the terminal's size (SIGWINCH).
bool take_window_change() noexcept;

}  // namespace hermesctl
