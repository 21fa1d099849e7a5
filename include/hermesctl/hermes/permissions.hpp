// What a command must be allowed to do; asked only after a refusal, so that everything missing is listed at
// once.
#pragma once

#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

#include <vector>

namespace hermesctl::hermes {

/// What a command does with an installation. `keys`: shows what the Secret holds; `pending`: shows who was
/// refused; `enter`: runs something in its container; `console`: reads what that prints; `read`: looks at all
/// of it; `compute`: what its policies allow; `verify`: proves that; `run`: lets it start again. Each needs
/// other rights.
enum class Work {
    keys,
    pending,
    enter,
    console,
    wait,
    read,
    compute,
    verify,
    render,
    diff,
    stop,
    run,
    rotate,
    deploy,
    remove,
    remove_data
};

/// The refusal, then every permission that the account lacks for this work ("patch deployments.apps in
/// namespace hermes") and what it would be good to have, from SelfSubjectAccessReviews; the refusal as it is
/// when they cannot be asked or find nothing.
Error explained(kube::Client&, const std::vector<Names>&, Work, const kube::ApiError& refusal);

}  // namespace hermesctl::hermes
