// The end of deploy, wait, start and restart: wait until the bot answers, ask Telegram and the provider, say
// whom to write to.
#pragma once

#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/lease.hpp"
#include "hermesctl/hermes/wait.hpp"
#include "session.hpp"

namespace hermesctl::cli {

struct Answers {
    std::string pod{};
    std::string bot{};  // "@cage_bot"; "" when it was not asked
    kube::Json json() const;
    std::string text() const;
};

struct ModelChoice {
    std::string provider{};
    std::string model{};
};

/// `lease` may be null. `check`: ask Telegram and the provider too. Throws Error as wait_until_answers does,
/// and Error{failed} when the provider refuses the key.
Answers wait_for_answers(Session&, const hermes::Names&, const ModelChoice&, bool check,
                         hermes::HeldLease* lease);

}  // namespace hermesctl::cli
