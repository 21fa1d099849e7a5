// hermesctl allow-user in two parts: who may use the bot is shown here, and changed there.
#pragma once

#include "hermesctl/hermes/people.hpp"
#include "session.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace hermesctl::cli {

struct AllowFlags {
    std::vector<std::string> users{};
    std::string owner{};
    bool remove = false;
    bool replace = false;
    bool list = false;
    bool pending = false;
    bool force = false;
    bool dry_run = false;
    bool no_restart = false;
    std::chrono::milliseconds drain{60'000};
};

/// The live Secret. Throws Error{failed} when it is not there.
kube::Json users_secret(Session&, const hermes::Names&);

/// What the inside of the pod tells; nothing, with a warning that says why, when it cannot be asked.
std::optional<hermes::People> people_inside(Session&, const hermes::Names&,
                                            const hermes::UserIds& whose_names);

/// "222 (Bob)"; only the id where nobody knows the name. Fit for a terminal.
std::string called(const std::optional<hermes::People>&, hermes::UserId);

/// What lets people in beside the list, or keeps them out, whatever is changed in that: a line each, and for
/// a program. `revoked`: whose pairing goes with the change.
std::string others_text(const std::optional<hermes::People>&, const hermes::UserList&,
                        const hermes::UserIds& revoked);
kube::Json others_json(const std::optional<hermes::People>&);

/// --list and --pending.
ExitCode list_users(Session&, const hermes::Names&);
ExitCode list_pending(Session&, const hermes::Names&);

}  // namespace hermesctl::cli
