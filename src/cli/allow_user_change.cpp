#include "allow_user_change.hpp"

#include "hermesctl/hermes/secrets.hpp"

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::People;
using hermes::UserId;
using hermes::UserIds;
using hermes::UserList;
using kube::Json;

std::optional<UserId> named_owner(const std::string& word) {
    if (word.empty()) return std::nullopt;
    const UserIds ids = hermes::users_of(word);
    if (ids.size() != 1) throw Error(ExitCode::usage, "--owner names one user");
    return ids.front();
}

std::string new_text(const UserList& list, const UserIds& ids, const AllowFlags& flags) {
    if (flags.remove && list.everybody) {
        throw refused("the list lets everybody in (*), so that nobody can be taken off it",
                      "hermesctl allow-user --replace ID... says who may stay");
    }
    if (flags.remove) return hermes::without_users(list, ids);
    if (flags.replace) {
        const bool same = list.plain && hermes::missing_from(list.ids, ids).empty() &&
                          hermes::missing_from(ids, list.ids).empty();
        return same ? list.text : hermes::users_text(ids);
    }
    if (list.everybody && !ids.empty()) {
        throw refused("the list lets everybody in (*), and who is added is in already",
                      "hermesctl allow-user --replace ID... says who may stay");
    }
    return ids.empty() ? list.text : hermes::with_users(list, ids);
}

/// Nobody locks all out, nor the owner by accident.
void guard(Change& change, const AllowFlags& flags) {
    if (change.after.ids.empty()) {
        throw refused("the list would be empty, and nobody could talk to the bot",
                      "hermesctl stop silences it; to hand it over, let the next one in before: "
                      "hermesctl allow-user ID");
    }
    const auto wanted = named_owner(flags.owner);
    change.owner_named = wanted.has_value();
    if (wanted && !change.after.has(*wanted)) {
        throw refused(fmt::format("{} may not use the bot, so that one cannot own it", *wanted),
                      fmt::format("hermesctl allow-user {} --owner {}", *wanted, *wanted));
    }
    const bool goes = change.old_owner && !change.after.has(*change.old_owner);
    if (goes && !wanted && !flags.force) {
        throw refused(fmt::format("{} owns the bot, and would lose access to it", *change.old_owner),
                      "make another one the owner (--owner ID), or say --force");
    }
    change.owner = wanted ? wanted : goes ? std::optional(change.after.ids.front()) : change.old_owner;
    if (!change.owner) change.owner = change.after.ids.front();
}

}  // namespace

Error refused(const std::string& why, const std::string& hint) {
    return {ExitCode::failed, why, hint};
}

Change plan_change(const Json& secret, const UserIds& ids, const AllowFlags& flags) {
    Change change{.before = hermes::users_in(secret),
                  .old_owner = hermes::owner_of(secret),
                  .noted = hermes::named_owner(secret).has_value()};
    change.after = hermes::user_list(new_text(change.before, ids, flags));
    change.come = hermes::missing_from(change.before.ids, change.after.ids);
    change.go = hermes::missing_from(change.after.ids, change.before.ids);
    guard(change, flags);
    return change;
}

std::string change_text(const Change& change, const std::optional<People>& people, bool restarts) {
    std::string text;
    const auto line = [&](const std::string& what) { text += fmt::format("            {}\n", what); };
    if (change.list() || change.moves_owner()) text += "~ change  who may use the bot\n";
    for (const UserId id : change.come)
        line(fmt::format("+ {} may use the bot", called(people, id)));
    for (const UserId id : change.go)
        line(fmt::format("- {} loses access", called(people, id)));
    if (change.before.everybody) line("- everybody (*) loses access");
    if (change.before.odd > 0 && change.list())
        line(fmt::format("- {} of its entries are no ids", change.before.odd));
    if (change.moves_owner()) line(fmt::format("{} is the owner", called(people, *change.owner)));
    for (const UserId id : change.revoke)
        text += fmt::format("- revoke  Hermes' pairing of {}\n", called(people, id));
    if (restarts) text += "~ restart the agent, which reads the list when it starts\n";
    return text;
}

Json change_json(const Change& change) {
    return {{"users", change.after.ids},
            {"added", change.come},
            {"removed", change.go},
            {"revoked", change.revoke},
            {"owner", change.owner ? Json(*change.owner) : Json()}};
}

}  // namespace hermesctl::cli
