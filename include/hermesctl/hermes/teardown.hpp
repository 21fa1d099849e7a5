// Removing an installation: the agent first, its cage only after the last pod is gone, its data only when
// asked.
#pragma once

#include "hermesctl/hermes/lease.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <functional>
#include <string>
#include <vector>

namespace hermesctl::hermes {

struct Removal {
    std::vector<kube::Ref> objects{};  // in the order of removal
    std::vector<std::string> stays{};  // "persistentvolumeclaim/hermes-data (5Gi)": what is kept, and why
    bool keeps_data = false;           // there is data, and it stays
    bool name_space = false;           // the namespace goes too
};

/// What teardown would remove. Throws Error{failed} when an object belongs to somebody else
/// (not managed by hermesctl, or of another instance).
Removal plan_removal(kube::Client&, const Live&, const Names&, bool delete_data);

/// Carries it out and waits until everything is gone; a namespace that hangs is explained. What was removed
/// and what stays: a namespace into which something has come meanwhile does. The lease ends before the
/// namespace does. `changed` is called for each object that was removed.
Removal remove(kube::Client&, const Live&, const Names&, Removal, Clock::Duration timeout, HeldLease&,
               Reporter&, const std::function<void()>& changed = {});

}  // namespace hermesctl::hermes
