#include "hermesctl/hermes/allowlist.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "words.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::optional<UserId> id_of(std::string_view word) {
    if (!complaint_about_user(word).empty()) return std::nullopt;
    UserId id = 0;
    std::from_chars(word.data(), word.data() + word.size(), id);
    return id;
}

bool lets_all_in(const std::string& key, const std::string& value) {
    return opens_to_all(key, value) || (says_who_gets_in(key) && user_list(value).everybody);
}

std::string unset_command(const Names& names, const std::vector<std::string>& keys) {
    return fmt::format("kubectl -n {} set env deployment/{} {}-", names.ns, names.name,
                       fmt::join(keys, "- "));
}

bool is_among(const UserIds& ids, UserId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

bool UserList::has(UserId id) const {
    return is_among(ids, id);
}

UserList user_list(std::string text) {
    UserList list;
    for (const std::string_view entry : split(text, ",")) {
        const auto words = words_of(entry);
        list.plain = list.plain && words.size() < 2;
        for (const std::string_view word : words) {
            const auto id = id_of(word);
            list.plain = list.plain && id;
            list.everybody = list.everybody || word == "*";
            if (!id && word != "*") ++list.odd;
            if (id && !list.has(*id)) list.ids.push_back(*id);
        }
    }
    list.text = std::move(text);
    return list;
}

bool opens_to_all(std::string_view name, std::string_view set) {
    const std::string value = lower(trimmed(set));
    const bool off = value.empty() || value == "0" || value == "no" || value == "off" || value == "false";
    return name.ends_with("_ALLOW_ALL_USERS") && !off;
}

std::string OpenToAll::text() const {
    return fmt::format("{} in {} lets everybody in{}; {} ends that", key, where,
                       key.starts_with("TELEGRAM_GROUP_") ? ", in groups only" : "", way_out);
}

std::string text_of(const std::vector<OpenToAll>& openings) {
    std::vector<std::string> texts;
    for (const OpenToAll& one : openings)
        texts.push_back(one.text());
    return fmt::format("{}", fmt::join(texts, "; "));
}

std::string way_out_of(const Json& variables, const Names& names) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : variables.items())
        if (decides_who_gets_in(key)) keys.push_back(key);
    return keys.empty() ? "" : unset_command(names, keys);
}

std::vector<OpenToAll> what_opens_to_all(const Json& secret, const Json& deployment, const Names& names) {
    std::vector<OpenToAll> found;
    for (const auto& [key, value] : secret_values(secret)) {
        if (!lets_all_in(key, value)) continue;
        found.push_back({key, title(names.secret()),
                         key == users_key ? "hermesctl allow-user --replace ID..."
                                          : "hermesctl rotate-secret --remove " + key});
    }
    const Json& containers = kube::at(deployment, "/spec/template/spec/containers");
    for (const Json& variable : kube::at(kube::with_name(containers, container_name), "/env")) {
        const std::string key = kube::text_at(variable, "/name");
        if (!lets_all_in(key, kube::text_at(variable, "/value"))) continue;
        found.push_back({key, title(names.deployment()), unset_command(names, {key})});
    }
    return found;
}

std::string users_text(const UserIds& ids) {
    return fmt::format("{}", fmt::join(ids, ","));
}

UserIds users_of(std::string_view text) {
    UserIds ids;
    for (const std::string_view word : words_of(text, ", \t\r\n")) {
        const auto id = id_of(word);
        if (!id) throw Error(ExitCode::usage, complaint_about_user(word));
        if (!is_among(ids, *id)) ids.push_back(*id);
    }
    return ids;
}

UserIds ids_in(const Json& list) {
    UserIds ids;
    for (const Json& id : list) {
        if (id.is_number_integer()) ids.push_back(id.get<UserId>());
    }
    return ids;
}

UserList users_in(const Json& secret) {
    const std::string encoded = kube::text_at(secret, fmt::format("/data/{}", users_key));
    return user_list(base64_decode(encoded).value_or(""));
}

std::string with_users(const UserList& list, const UserIds& more) {
    std::string text = list.plain ? list.text : users_text(list.ids);
    text.erase(text.find_last_not_of(blanks) + 1);
    const UserIds lacking = missing_from(list.ids, more);
    if (lacking.empty()) return list.plain ? list.text : text;
    const bool ready = text.empty() || text.ends_with(',');
    return text + (ready ? "" : ",") + users_text(lacking);
}

std::string without_users(const UserList& list, const UserIds& fewer) {
    if (!list.plain) return users_text(missing_from(fewer, list.ids));
    std::vector<std::string_view> stay = split(list.text, ",");
    std::erase_if(stay, [&](std::string_view entry) {
        const auto id = id_of(trimmed(entry));
        return id && is_among(fewer, *id);
    });
    const std::string text = fmt::format("{}", fmt::join(stay, ","));
    return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
}

UserIds missing_from(const UserIds& others, const UserIds& ids) {
    UserIds missing;
    std::copy_if(ids.begin(), ids.end(), std::back_inserter(missing),
                 [&](UserId id) { return !is_among(others, id) && !is_among(missing, id); });
    return missing;
}

std::optional<UserId> named_owner(const Json& secret) {
    const std::string pointer =
        "/metadata/annotations/" + kube::escape_pointer(std::string(owner_annotation));
    const auto owner = id_of(kube::text_at(secret, pointer));
    return owner && users_in(secret).has(*owner) ? owner : std::nullopt;
}

std::optional<UserId> owner_of(const Json& secret) {
    if (const auto named = named_owner(secret)) return named;
    const UserList list = users_in(secret);
    return list.ids.empty() ? std::nullopt : std::optional(list.ids.front());
}

}  // namespace hermesctl::hermes
