// The end of deploy, wait, start and restart: wait until the bot answers, ask Telegram and the provider, say
// whom to write to.
#pragma once

#include "hermesctl/hermes/lease.hpp"
#include "hermesctl/hermes/lifelines.hpp"
#include "hermesctl/hermes/wait.hpp"
#include "session.hpp"

#include <functional>
#include <optional>

namespace hermesctl::cli {

struct Answers {
    std::string pod{};
    std::string bot{};         // "@cage_bot"; "" when it was not asked
    std::string trouble{};     // why it is mute though connected; only where that was no error
    bool key_checked = false;  // the provider was asked, and takes the key: only then it answers
    kube::Json json() const;
    std::string text() const;
};

using hermes::ModelChoice;

/// What it is set to use. Nothing, with a warning, where that cannot be read or is no provider we know: it
/// still may answer, only nobody asks the provider. Throws Error{failed} where there is no installation, and
/// where reading took all the time.
std::optional<ModelChoice> known_model(Session&, const hermes::Names&);
/// The same of what was read already.
std::optional<ModelChoice> known_model(Session&, const hermes::Names&, const kube::Outcome& deployment,
                                       const kube::Outcome& config);

/// `lease` may be null. `check`: ask Telegram and the provider too. Throws as wait_until_answers does, also
/// for what lifeline_trouble finds.
Answers wait_for_answers(Session&, const hermes::Names&, const ModelChoice&, bool check,
                         hermes::HeldLease* lease);
/// The same after a change of these keys: what concerns none of them is a warning. `each_round` is
/// called meanwhile.
Answers wait_for_answers(Session&, const hermes::Names&, const ModelChoice&, bool check,
                         const std::vector<std::string>& keys, const std::function<void()>& each_round);

/// Asks Telegram and the provider from the pod, again while their answer may be a passing one. `each_round`
/// is called meanwhile. Throws as check_lifelines does.
hermes::Lifelines ask_lifelines(Session&, const hermes::Names&, const std::string& pod, const ModelChoice&,
                                const std::function<void()>& each_round = {});

}  // namespace hermesctl::cli
