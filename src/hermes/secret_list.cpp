#include "hermesctl/hermes/secret_list.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/inspection.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/target.hpp"
#include "rotation_record.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

constexpr std::size_t fingerprint_digits = 8;

struct Change {
    Clock::Wall time{};
    bool exact = false;
};

/// A manager's time is that of its last change, of whatever it has; so of a key alone where it has no other,
/// or has changed nothing since it made the object. A key of two managers is as old as the older one says.
Change change_of(const Json& secret, const std::string& key) {
    const Clock::Wall born = parse_rfc3339(text_at(secret, "/metadata/creationTimestamp"));
    std::optional<Change> found;
    for (const Json& entry : at(secret, "/metadata/managedFields")) {
        const Json& data = at(entry, "/fieldsV1/f:data");
        if (!data.is_object() || !data.contains("f:" + key)) continue;
        const Clock::Wall time = parse_rfc3339(text_at(entry, "/time"));
        std::size_t owned = 0;
        for (const auto& [field, nothing] : data.items())
            owned += field.starts_with("f:") ? 1 : 0;
        if (!found || time < found->time) found = Change{time, owned == 1 || time == born};
    }
    return found.value_or(Change{born, false});
}

std::string fingerprint(const std::string& salt, const std::string& value) {
    return salt.empty() ? "" : hmac_sha256_hex(salt, "fingerprint\n" + value).substr(0, fingerprint_digits);
}

void add(std::vector<std::string>& users, std::string user) {
    if (std::ranges::find(users, user) == users.end()) users.push_back(std::move(user));
}

void add_container(std::vector<std::string>& users, const Json& container, const std::string& secret,
                   const std::string& key) {
    for (const Json& whole : at(container, "/envFrom")) {
        if (text_at(whole, "/secretRef/name") != secret) continue;
        const std::string prefix = text_at(whole, "/prefix");
        add(users, prefix.empty() ? "environment" : fmt::format("environment as {}{}", prefix, key));
    }
    for (const Json& entry : at(container, "/env")) {
        if (text_at(entry, "/valueFrom/secretKeyRef/name") != secret ||
            text_at(entry, "/valueFrom/secretKeyRef/key") != key)
            continue;
        const std::string name = text_at(entry, "/name");
        add(users, name == key ? "environment" : "environment as " + name);
    }
}

void add_pod(std::vector<std::string>& users, const Json& spec, const std::string& secret,
             const std::string& key) {
    for (const char* list : {"/containers", "/initContainers"}) {
        for (const Json& container : at(spec, list))
            add_container(users, container, secret, key);
    }
    for (const Json& volume : at(spec, "/volumes")) {
        if (text_at(volume, "/secret/secretName") == secret) add(users, "volume " + text_at(volume, "/name"));
    }
}

/// What the agent's own config.yaml says of it.
void add_agent(std::vector<std::string>& users, const Json& configs, const std::string& key) {
    for (const auto& [path, said] : configs.items()) {
        const std::string provider = text_at(said, "/provider");
        if (!provider.empty() && provider_of_key(key) == provider) add(users, "model provider " + provider);
        const Json& references = at(said, "/references");
        if (!references.contains(key)) continue;
        for (const Json& place : references[key]) {
            if (place.is_string())
                add(users, fmt::format("{}: {}", path.substr(path.rfind('/') + 1), place.get<std::string>()));
        }
    }
}

Inside inside_of(kube::Client& client, const kube::Round& round, const Names& names, const Json& keys) {
    if (round.of(names.deployment()).not_found())
        return {.why = "there is no " + title(names.deployment()), .hint = "hermesctl deploy"};
    try {
        const Target target = agent_of(round, names);
        if (!target.running) return {.why = "no agent runs: " + target.why, .hint = target.hint};
        return look_inside(client, names.ns, target.pod, keys);
    } catch (const kube::ApiError& error) {
        return {.why = error.message(), .hint = error.hint()};
    }
}

void add_shadows(SecretList& list, const Inside& inside) {
    const Shadows shadows = shadows_of(inside);
    list.unseen = shadows.why;
    list.hint = shadows.hint;
    for (SecretKey& one : list.keys) {
        if (shadows.known) one.shadowed_by = "";
        // The managed file, which is read last, wins.
        for (const Shadow& shadow : shadows.all) {
            if (shadow.key == one.key && one.shadowed_by != managed_env_file) one.shadowed_by = shadow.file;
        }
    }
}

}  // namespace

SecretList list_secret(kube::Client& client, const Names& names) {
    kube::Round round(client);
    round.want(names.secret());
    want_agent(round, names);
    round.run();
    if (round.of(names.secret()).not_found()) throw missing(names.secret());
    const Json& secret = round.of(names.secret()).value();
    const auto& deployment = round.of(names.deployment()).object;
    const auto values = secret_values(secret);
    const std::string salt = salt_of(secret);
    Json keys = Json::array();
    for (const auto& [key, value] : values)
        keys.push_back(key);
    const Inside inside = inside_of(client, round, names, keys);
    SecretList list{.salted = !salt.empty()};
    for (const auto& [key, value] : values) {
        const Change change = change_of(secret, key);
        SecretKey one{.key = key,
                      .changed = change.time,
                      .exact = change.exact,
                      .length = value.size(),
                      .fingerprint = fingerprint(salt, value)};
        if (deployment)
            add_pod(one.used_by, at(*deployment, "/spec/template/spec"), names.secret().name, key);
        if (key.starts_with("TELEGRAM_")) add(one.used_by, "Telegram");
        add_agent(one.used_by, at(inside.said, "/configs"), key);
        list.keys.push_back(std::move(one));
    }
    add_shadows(list, inside);
    return list;
}

Json to_json(const SecretList& list) {
    Json keys = Json::array();
    for (const SecretKey& one : list.keys) {
        const Json shadowed = one.shadowed_by ? Json(*one.shadowed_by) : Json(nullptr);
        keys.push_back({{"key", one.key},
                        {"changed", rfc3339(one.changed)},
                        {"exact", one.exact},
                        {"length", one.length},
                        {"fingerprint", one.fingerprint},
                        {"used_by", one.used_by},
                        {"shadowed_by", shadowed}});
    }
    return {{"keys", keys}, {"unseen", list.unseen}, {"hint", list.hint}, {"salted", list.salted}};
}

}  // namespace hermesctl::hermes
