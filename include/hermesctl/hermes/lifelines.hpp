// The two things without which a connected bot stays mute: Telegram does not refuse its token (it is asked
// past a proxy of SOCKS), and the provider that the live config.yaml names takes its key. Asked from
// inside the pod by manifests/lifelines.py, judged here.
#pragma once

#include "hermesctl/hermes/allowlist.hpp"
#include "hermesctl/hermes/diagnosis.hpp"
#include "hermesctl/hermes/shadow.hpp"
#include "hermesctl/kube/client.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

/// What the installation is meant to use.
struct ModelChoice {
    std::string provider{};
    std::string model{};
};

struct Lifelines {
    std::string bot{};   // "@cage_bot"
    int bot_status = 0;  // HTTP; 0: no answer
    std::string bot_reason{};
    bool webhook = false;  // another program's: it takes the updates away from polling
    int model_status = 0;  // -1: it was not asked
    std::string model_reason{};
    std::string model_key{};      // the variable whose value was used; "" if none is set
    std::string live_provider{};  // of the live config.yaml; "" if it names none
    std::string live_model{};
    bool managed = false;            // that provider is of /etc/hermes/config.yaml, which wins
    std::vector<Shadow> shadowed{};  // variables that a file of Hermes' sets otherwise than the container
    std::vector<OpenToAll> open{};   // by such a file
    bool key_accepted() const { return model_status / 100 == 2; }
};

/// Nothing for a text that is not lifelines.py's.
std::optional<Lifelines> parse_lifelines(std::string_view text);

/// Asks from inside the pod; `each_round` is called meanwhile. Throws ApiError (denied), Error{failed} when
/// there is no answer to be had.
Lifelines check_lifelines(kube::Client&, const std::string& ns, const std::string& pod, const ModelChoice&,
                          const std::function<void()>& each_round = {});

/// Why the bot does not answer as it should though its gateway is connected. Patience::none: a person has to
/// mend it; minute: it may be gone with the next try.
std::optional<Trouble> lifeline_trouble(const Lifelines&, const ModelChoice&);

/// Whether new values of these keys can have made it, or one of a wait, so that the old ones may mend it: the
/// bot token that Telegram refuses it or another program has the bot, the provider's that this one refuses
/// it, a proxy or an address that somebody is not reached, any key that the gateway does not start or stay
/// up, but for those that say who may use the bot. A pull, a node, a volume, an empty account: no key.
bool made_by(const Trouble&, const ModelChoice&, const std::vector<std::string>& keys);

/// Whether with it a change of these keys is not proved to work: what they made, and what leaves open whether
/// the provider takes its key.
bool concerns(const Trouble&, const ModelChoice&, const std::vector<std::string>& keys);

/// What a person should know though the bot answers.
std::vector<Event> lifeline_notes(const Lifelines&, const ModelChoice&);

}  // namespace hermesctl::hermes
