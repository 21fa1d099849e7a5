// Carries a plan out, in an order in which no pod ever exists before its account, claim or policy.
#pragma once

#include "hermesctl/hermes/plan.hpp"

#include <functional>
#include <string>

namespace hermesctl::hermes {

struct InstallOptions {
    std::function<void()> after_namespace{};          // the lease can be taken once it is there
    std::function<void()> before_deployment{};        // only if it changes
    std::function<void(const kube::Ref&)> changed{};  // each object, at once: what comes next may fail
};

/// Applies what the plan changes: the namespace; account, claim, secret, config and policy in parallel; then
/// the Deployment, and only if all of those went well (a partly failed deploy leaves the old pod running).
/// Throws the first error, with the names of what was applied before it in its trail; an object from which
/// the plan takes fields, and that somebody has changed since, is one.
void install(kube::Client&, const Plan&, const InstallOptions&, Reporter&);

}  // namespace hermesctl::hermes
