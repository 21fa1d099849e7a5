// The people around the bot beside the Secret's list: whom something else lets in, who was refused, and what
// they are called. Told from inside the pod, by manifests/people.py and the gateway's log.
#pragma once

#include "hermesctl/base/report.hpp"
#include "hermesctl/hermes/allowlist.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/hermes/target.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hermesctl::hermes {

/// One of Hermes' other lists and switches, as it is in force.
struct Admission {
    std::string name{};   // "GATEWAY_ALLOWED_USERS", "telegram.allow_from"
    std::string where{};  // "/opt/data/.env", "the gateway's environment"
    UserIds ids{};
    bool everybody = false;
    bool admits(UserId) const;
    /// "GATEWAY_ALLOWED_USERS in /opt/data/.env".
    std::string text() const;
};

using Called = std::map<UserId, std::string>;

struct People {
    bool gateway = false;               // the environment of a live gateway was read
    UserIds started_with{};             // the list in it
    bool started_for_all = false;       // with "*" among them
    std::optional<Admission> shadow{};  // a list in a file, which Hermes takes in place of the Secret's
    std::vector<Admission> grants{};    // what lets people in beside it
    Called paired{};                    // by `hermes pairing approve`
    Called asking{};                    // they have a pairing code that nobody has approved
    Called names{};                     // as Telegram knows them
    std::string zone{};                 // of the times in the pod's logs: "+0100"
    std::vector<std::string> unread{};  // files that may not be read: what they say is not known
    /// Files that were changed after the gateway's start: what it has read in them before, it keeps.
    std::vector<std::string> changed{};
    /// What somebody is called; "" where nothing tells.
    std::string name_of(UserId) const;
};

/// Nothing for a text that is not people.py's. What it holds may have been chosen by an agent or a stranger:
/// names are scrubbed, and short.
std::optional<People> parse_people(std::string_view text);

/// Asks in the pod. Throws ApiError (denied), Error{failed} when there is no answer to be had.
People ask_people(kube::Client&, const Target&, const UserIds& whose_names);

/// What takes it away.
std::string way_out_of(const Admission&);

/// What still lets somebody in who is not on the Secret's list, each with what ends it: {"why", "hint"}.
std::vector<std::pair<std::string, std::string>> still_admitted(const People&, UserId);
/// Why somebody on the Secret's list gets no answer all the same; "" when nothing stands in the way.
std::string kept_out_by(const People&, UserId);

/// Takes the pairing away, in the pod; `each_round` is called meanwhile. Throws as ask_people.
void revoke_pairing(kube::Client&, const Target&, UserId, const std::function<void()>& each_round = {});

struct Refused {
    UserId id = 0;
    std::string name{};  // "" where the log does not tell
    std::string last{};  // as the log writes times, without a zone
    int times = 0;
};
/// Whom a line of the gateway's log tells of; nothing for other lines.
std::optional<Refused> refused_in(std::string_view line);
/// Who wrote to the bot since the live gateway started and was refused, the last one first. Throws as
/// read_log.
std::vector<Refused> refused_users(kube::Client&, const Names&, Reporter&);

}  // namespace hermesctl::hermes
