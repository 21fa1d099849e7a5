// Reads what manifests/people.py says, and judges it.
#include "hermesctl/hermes/people.hpp"

#include "hermes/inspection_parts.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/secrets.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;
using namespace std::chrono_literals;

constexpr std::size_t longest_name = 100;
constexpr std::string_view from_config = "telegram.allow_from";

Called called_in(const Json& names) {
    Called called;
    if (!names.is_object()) return called;
    for (const auto& [key, name] : names.items()) {
        UserId id = 0;
        const auto [end, failure] = std::from_chars(key.data(), key.data() + key.size(), id);
        if (failure != std::errc{} || end != key.data() + key.size() || !name.is_string()) continue;
        called[id] = scrub(name.get<std::string>()).substr(0, longest_name);
    }
    return called;
}

Admission grant_in(const Json& said) {
    return {.name = text_at(said, "/name"),
            .where = text_at(said, "/where"),
            .ids = ids_in(at(said, "/ids")),
            .everybody = kube::bool_at(said, "/everybody")};
}

std::vector<std::string> paths_in(const Json& list) {
    std::vector<std::string> paths;
    for (const Json& path : list) {
        if (path.is_string()) paths.push_back(path);
    }
    return paths;
}

bool is_for_chats(const Admission& grant) {
    return grant.name == "TELEGRAM_GROUP_ALLOWED_CHATS";
}

}  // namespace

std::string way_out_of(const Admission& grant) {
    if (grant.where.starts_with('/')) return take_out_of(grant.where, grant.name);
    return fmt::format("take {} out of the Secret or the Deployment, then hermesctl restart", grant.name);
}

bool Admission::admits(UserId id) const {
    return everybody || std::find(ids.begin(), ids.end(), id) != ids.end();
}

std::string Admission::text() const {
    return fmt::format("{} in {}", name, where);
}

std::string People::name_of(UserId id) const {
    for (const Called* known : {&names, &paired, &asking}) {
        const auto found = known->find(id);
        if (found != known->end() && !found->second.empty()) return found->second;
    }
    return "";
}

std::optional<People> parse_people(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!at(json, "/list").is_object() || !at(json, "/grants").is_array()) return std::nullopt;
    People people{.gateway = kube::bool_at(json, "/gateway"),
                  .started_with = ids_in(at(json, "/list/ids")),
                  .started_for_all = kube::bool_at(json, "/list/everybody"),
                  .paired = called_in(at(json, "/paired")),
                  .asking = called_in(at(json, "/asking")),
                  .names = called_in(at(json, "/names")),
                  .zone = text_at(json, "/zone"),
                  .unread = paths_in(at(json, "/unread")),
                  .changed = paths_in(at(json, "/changed"))};
    for (const Json& said : at(json, "/grants")) {
        if (text_at(said, "/name") == users_key) {
            people.shadow = grant_in(said);
        } else {
            people.grants.push_back(grant_in(said));
        }
    }
    return people;
}

People ask_people(kube::Client& client, const Target& target, const UserIds& whose_names) {
    const auto command = python_command(reading_script("people.py"), {Json(whose_names).dump()});
    const kube::ExecOutput output = run_in_agent(client, in_agent(target.ns, target.pod, command), "", 60s);
    if (auto people = parse_people(output.out)) return *people;
    throw Error(ExitCode::failed,
                "who else may use the bot could not be asked in the pod: " +
                    complaint_of(output.exit_code, output.err),
                python_hint(target.ns, target.pod));
}

std::vector<std::pair<std::string, std::string>> still_admitted(const People& people, UserId id) {
    std::vector<std::pair<std::string, std::string>> found;
    if (people.shadow && people.shadow->admits(id)) {
        found.emplace_back(people.shadow->text() + " stands in for the Secret's list and lets that one in",
                           way_out_of(*people.shadow));
    }
    const UserIds& started = people.started_with;
    if (!people.shadow && std::find(started.begin(), started.end(), id) != started.end())
        found.emplace_back("the running gateway started with a list that names that one",
                           "hermesctl restart");
    if (people.paired.contains(id)) {
        found.emplace_back("Hermes' pairing lets that one in",
                           fmt::format("hermesctl exec -- hermes pairing revoke telegram {}", id));
    }
    for (const Admission& grant : people.grants) {
        if (!grant.admits(id) || is_for_chats(grant)) continue;
        found.emplace_back(grant.text() + (grant.everybody ? " lets everybody in" : " names that one"),
                           way_out_of(grant));
    }
    for (const std::string& path : people.unread)
        found.emplace_back(path + " cannot be read, and may let anybody in", show_file(path));
    for (const std::string& path : people.changed)
        found.emplace_back(
            path + " was changed after the gateway's start: whom it let in before is not known",
            "hermesctl restart");
    return found;
}

std::string kept_out_by(const People& people, UserId id) {
    if (people.shadow && !people.shadow->admits(id))
        return people.shadow->text() + " stands in for the Secret's list, and does not name that one";
    for (const Admission& grant : people.grants) {
        if (grant.name == from_config && !grant.admits(id))
            return grant.text() + " comes before the Secret's list, and does not name that one";
    }
    return "";
}

void revoke_pairing(kube::Client& client, const Target& target, UserId id,
                    const std::function<void()>& each_round) {
    // Without the list in its environment: Hermes would write what is left of it into its .env, where it
    // shadows the Secret's from then on.
    const auto command = command_as(target, As::agent,
                                    {"/usr/bin/env", "-u", std::string(users_key), "/opt/hermes/bin/hermes",
                                     "pairing", "revoke", "telegram", std::to_string(id)});
    const kube::ExecOutput done =
        run_in_agent(client, in_agent(target.ns, target.pod, command), "", 120s, each_round);
    if (done.exit_code == 0) return;
    throw Error(ExitCode::failed,
                fmt::format("the pairing of {} could not be revoked: {}", id,
                            scrub(done.err.substr(0, 1000)).substr(0, 300)),
                fmt::format("hermesctl exec -- hermes pairing revoke telegram {}", id));
}

}  // namespace hermesctl::hermes
