// What deploy must be allowed to do; asked only after a refusal, so that everything missing is listed at
// once.
#pragma once

#include "hermesctl/hermes/live.hpp"
#include "hermesctl/kube/client.hpp"

namespace hermesctl::hermes {

/// "denied" with every permission that the account lacks ("patch deployments.apps in hermes"), from
/// SelfSubjectAccessReviews; `refusal` as it is when they cannot be asked or find nothing.
Error explained(kube::Client&, const Names&, const Error& refusal);

}  // namespace hermesctl::hermes
