// New values tried with who takes them, and what a person has to know of it before the Secret changes.
#pragma once

#include "hermesctl/hermes/rotation.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/trial.hpp"
#include "session.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hermesctl::cli {

struct Tried {
    kube::Json json = kube::Json::array();
    std::vector<std::string> doubts{};        // what could not be tried
    std::map<std::string, std::string> by{};  // KEY -> who took it
    std::string other_bot_than{};             // "@old_bot": the new token is of another bot
    std::string mistake{};                    // what needs a yes: that, or that nothing could be tried
    std::optional<Error> refusal{};           // one is refused; nothing has been changed for them
    std::vector<std::string> all_doubts() const;
};

/// Whether a value of this name is somebody's to take: a credential, or a key of a provider.
bool somebody_takes(const std::string& key);

/// What is new to the agent with this change.
hermes::SecretValues new_values(const hermes::RotationPlan&);

/// Tries them. A refusal is for the caller to throw, who tells in JSON what else was found.
Tried try_new_values(Session&, const hermes::Names&, const hermes::SecretValues&,
                     const std::function<void()>& each_round = {},
                     hermes::TrialPlace = hermes::TrialPlace::anywhere);

/// What nobody is asked about, and why: told, and noted for the JSON.
Tried left_untried(Session&, const hermes::Names&, const hermes::SecretValues&, const std::string& why);

/// try_new_values, where no pod may be seen from which they could be.
Tried untried_values(Session&, const hermes::SecretValues&);

/// Whether who takes it surely refuses this value.
bool is_refused(Session&, const hermes::Names&, const std::string& key, const std::string& value,
                const std::function<void()>& each_round);

}  // namespace hermesctl::cli
