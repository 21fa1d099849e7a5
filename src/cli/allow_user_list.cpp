// hermesctl allow-user --list and --pending: who may use the bot, by what, and who tried in vain.
#include "allow_user.hpp"
#include "errors.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/term/table.hpp"
#include "hermesctl/term/text.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::cli {
namespace {

using hermes::Admission;
using hermes::People;
using hermes::UserId;
using hermes::UserIds;
using kube::Json;

struct Listing {
    hermes::UserList list{};
    std::vector<hermes::OpenToAll> openings{};
    std::optional<UserId> owner{};
    std::optional<People> people{};
    std::string name_of(UserId id) const { return people ? term::printable(people->name_of(id)) : ""; }
    /// Not those to groups alone. Null when nobody could tell: without the Deployment nobody is asked in the
    /// pod.
    Json everybody() const {
        const auto opens = [](const Admission& grant) {
            return grant.everybody && hermes::decides_who_gets_in(grant.name);
        };
        if (std::ranges::any_of(openings, hermes::decides_who_gets_in, &hermes::OpenToAll::key)) return true;
        if (!people) return nullptr;
        const bool shadow_opens = people->shadow && opens(*people->shadow);
        if (shadow_opens || std::ranges::any_of(people->grants, opens)) return true;
        if (people->started_for_all && !people->shadow) return true;
        return people->unread.empty() && people->changed.empty() ? Json(false) : Json();
    }
    /// An opening of the Secret or the Deployment is in the gateway's environment, too.
    bool told(const Admission& grant) const {
        return grant.everybody && !grant.where.starts_with('/') &&
               std::ranges::find(openings, grant.name, &hermes::OpenToAll::key) != openings.end();
    }
    /// Null when nobody could tell.
    Json in_force() const {
        if (!people || !people->gateway) return nullptr;
        return people->started_for_all == list.everybody &&
               hermes::missing_from(people->started_with, list.ids).empty() &&
               hermes::missing_from(list.ids, people->started_with).empty();
    }
};

UserIds only_paired(const std::optional<People>& people, const UserIds& listed) {
    UserIds ids;
    if (!people) return ids;
    for (const auto& [id, name] : people->paired)
        ids.push_back(id);
    return hermes::missing_from(listed, ids);
}

std::string in_words(const UserIds& ids) {
    return ids.empty() ? "nobody" : fmt::format("{}", fmt::join(ids, ", "));
}

std::string grant_text(const Admission& grant, const hermes::UserList& list) {
    const std::string whom = grant.everybody ? "everybody" : in_words(grant.ids);
    if (grant.name == "telegram.allow_from")
        return fmt::format("{} comes before the list: an answer gets only who is in it, too: {}",
                           grant.text(), whom);
    if (grant.name.starts_with("TELEGRAM_GROUP_"))
        return fmt::format(
            "{} lets in, in groups only: {}", grant.text(),
            grant.ids.empty() && !grant.everybody ? "who writes in those that it names" : whom);
    const UserIds more = hermes::missing_from(list.ids, grant.ids);
    return fmt::format("{} lets in {}", grant.text(),
                       grant.everybody ? "everybody, whoever is on the list"
                       : more.empty()  ? "nobody else"
                                       : in_words(more) + ", too");
}

/// What decides beside the list, or in its place.
std::vector<std::string> beside(const People& people, const hermes::UserList& list) {
    std::vector<std::string> notes;
    if (const auto& shadow = people.shadow) {
        notes.push_back(fmt::format("{} stands in for the list: by it {} may use the bot", shadow->text(),
                                    shadow->everybody ? "everybody" : in_words(shadow->ids)));
    }
    for (const Admission& grant : people.grants)
        notes.push_back(grant_text(grant, list));
    for (const std::string& path : people.unread)
        notes.push_back(path + " cannot be read; what it says is not known");
    for (const std::string& path : people.changed)
        notes.push_back(path +
                        " was changed after the gateway's start: what was taken out of it stays in force "
                        "until hermesctl restart");
    return notes;
}

/// What a person should know beside the table, a line each.
std::vector<std::string> notes_of(const Listing& shown) {
    std::vector<std::string> notes;
    for (const hermes::OpenToAll& one : shown.openings)
        notes.push_back(one.text());
    if (!shown.list.plain && shown.list.odd > 0)
        notes.push_back(
            fmt::format("{} of the list's entries are no ids, and let nobody in", shown.list.odd));
    if (!shown.people) return notes;
    People others = *shown.people;
    std::erase_if(others.grants, [&](const Admission& grant) { return shown.told(grant); });
    std::ranges::move(beside(others, shown.list), std::back_inserter(notes));
    if (shown.in_force() == false) {
        notes.push_back(
            fmt::format("the gateway started with another list ({}): hermesctl restart brings this one "
                        "in force",
                        shown.people->started_for_all ? "everybody" : in_words(shown.people->started_with)));
    }
    return notes;
}

std::string to_text(const Listing& shown) {
    std::vector<std::vector<std::string>> rows;
    for (const UserId id : shown.list.ids) {
        rows.push_back({std::to_string(id), shown.name_of(id),
                        id == shown.owner ? "on the list, the owner" : "on the list"});
    }
    for (const UserId id : only_paired(shown.people, shown.list.ids))
        rows.push_back({std::to_string(id), shown.name_of(id), "paired with Hermes, not on the list"});
    std::string text = term::table({"USER", "NAME", "HOW"}, rows);
    for (const std::string& note : notes_of(shown))
        text += note + "\n";
    return text;
}

Json to_json(const Listing& shown) {
    Json users = Json::array();
    const auto add = [&](UserId id, const char* by) {
        users.push_back(
            {{"id", id}, {"name", shown.name_of(id)}, {"by", by}, {"owner", Json(id == shown.owner)}});
    };
    for (const UserId id : shown.list.ids)
        add(id, "list");
    for (const UserId id : only_paired(shown.people, shown.list.ids))
        add(id, "pairing");
    Json json = others_json(shown.people);
    json.update({{"users", users},
                 {"everybody", shown.everybody()},
                 {"odd", shown.list.odd},
                 {"inForce", shown.in_force()}});
    return json;
}

}  // namespace

kube::Json users_secret(Session& session, const hermes::Names& names) {
    auto secret = session.client().get(names.secret());
    if (secret) return std::move(*secret);
    throw hermes::missing(names.secret());
}

std::optional<People> people_inside(Session& session, const hermes::Names& names,
                                    const UserIds& whose_names) {
    std::string why;
    try {
        const hermes::Target target = hermes::find_agent(session.client(), names);
        if (target.running) return hermes::ask_people(session.client(), target, whose_names);
        why = target.why;
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted || error.code() == ExitCode::unreachable) throw;
        why = error.message();
    }
    session.story().on({"users", "others", State::warning,
                        "whom else Hermes lets in could not be asked in the pod: " + why});
    return std::nullopt;
}

kube::Json others_json(const std::optional<People>& people) {
    Json json{{"others", Json::array()}, {"paired", only_paired(people, {})}, {"shadowedBy", Json()},
              {"unread", Json::array()}, {"changedFiles", Json::array()},     {"asked", people.has_value()}};
    if (!people) return json;
    for (const Admission& grant : people->grants) {
        json["others"].push_back({{"name", grant.name},
                                  {"where", grant.where},
                                  {"ids", grant.ids},
                                  {"everybody", grant.everybody}});
    }
    if (people->shadow) json["shadowedBy"] = people->shadow->where;
    json["unread"] = people->unread;
    json["changedFiles"] = people->changed;
    return json;
}

std::string others_text(const std::optional<People>& people, const hermes::UserList& list,
                        const UserIds& revoked) {
    std::string text;
    if (!people) return text;
    for (const std::string& line : beside(*people, list))
        text += line + "\n";
    for (const UserId id : hermes::missing_from(revoked, only_paired(people, list.ids)))
        text += fmt::format("Hermes' pairing lets in {}, too\n", called(people, id));
    return text;
}

std::string called(const std::optional<People>& people, UserId id) {
    const std::string name = people ? term::printable(people->name_of(id)) : "";
    return name.empty() ? std::to_string(id) : fmt::format("{} ({})", id, name);
}

ExitCode list_users(Session& session, const hermes::Names& names) {
    const Json secret = users_secret(session, names);
    const kube::Outcome deployment = session.client().look(names.deployment());
    Listing shown{.list = hermes::users_in(secret),
                  .openings = hermes::what_opens_to_all(secret, deployment.object.value_or(Json()), names),
                  .owner = hermes::owner_of(secret)};
    shown.people = people_inside(session, names, shown.list.ids);
    session.print_result(to_json(shown), to_text(shown));
    return ExitCode::ok;
}

ExitCode list_pending(Session& session, const hermes::Names& names) {
    const hermes::UserList list = hermes::users_in(users_secret(session, names));
    std::vector<hermes::Refused> refused;
    for (hermes::Refused& one : hermes::refused_users(session.client(), names, session.story())) {
        if (!list.has(one.id)) refused.push_back(std::move(one));
    }
    UserIds ids;
    for (const hermes::Refused& one : refused)
        ids.push_back(one.id);
    const auto people = people_inside(session, names, ids);
    const std::string zone = people && !people->zone.empty() ? " " + people->zone : "";
    Json all = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const hermes::Refused& one : refused) {
        std::string name = people ? people->name_of(one.id) : "";
        if (name.empty()) name = one.name;
        const std::string command =
            completed_hint(fmt::format("hermesctl allow-user {}", one.id), session.typed_flags());
        rows.push_back({std::to_string(one.id), term::printable(name), one.last + zone,
                        std::to_string(one.times), command});
        all.push_back({{"id", one.id},
                       {"name", name},
                       {"last", one.last + zone},
                       {"times", one.times},
                       {"command", command}});
    }
    session.print_exact({{"pending", all}},
                        rows.empty()
                            ? "nobody has been refused since the gateway started\n"
                            : term::table({"USER", "NAME", "LAST TRIED", "TIMES", "LET IN WITH"}, rows));
    return ExitCode::ok;
}

}  // namespace hermesctl::cli
