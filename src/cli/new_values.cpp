#include "new_values.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "requested.hpp"

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using kube::Json;

Error wrong(const std::string& what, const std::string& hint = {}) {
    return {ExitCode::usage, what, hint};
}

/// Who may use the bot is not a value to be overwritten.
void refuse_users(const std::string& key) {
    if (!hermes::decides_who_gets_in(key)) return;
    throw wrong(key == hermes::users_key ? key + " is the list of those who may use the bot"
                                         : key + " decides who may use the bot, whoever is on its list",
                "hermesctl allow-user ID adds to the list, --remove ID takes away from it");
}

/// A list for groups, or of another platform, is nobody else's to set; but everybody is not let in by it.
void refuse_everybody(const std::string& key, const std::string& value) {
    const bool lists = key.ends_with("_ALLOWED_USERS") || key.ends_with("_ALLOWED_CHATS");
    if (lists && value.find('*') != std::string::npos)
        throw wrong(key + ": '*' would let everybody talk to the bot; name ids");
}

/// The key of "KEY" or "KEY=SOURCE", checked, with its source.
std::pair<std::string, Json> source_of(const std::string& argument) {
    const bool bare = argument.find('=') == std::string::npos;
    Json setting = hermes::secret_setting(bare ? argument + "=-" : argument, true);
    const auto only = setting.begin();
    refuse_users(only.key());
    return {only.key(), bare ? Json::object() : only.value()};
}

/// Who gives no source is asked, and at a terminal who names stdin; without one a single value may come from
/// there.
Json with_stdin(const Session& session, Json sources) {
    std::vector<std::string> asked;
    std::vector<std::string> piped;
    for (auto& [key, source] : sources.items()) {
        if (session.terminal().input && source.contains("stdin")) source = Json::object();
        if (source.is_object() && source.empty()) asked.push_back(key);
        if (source.contains("stdin")) piped.push_back(key);
    }
    if (!session.terminal().input && asked.size() == 1 && piped.empty()) {
        sources[asked.front()] = {{"stdin", true}};
    } else if (!session.terminal().input && !asked.empty()) {
        throw wrong(fmt::format("there is no terminal to ask for {}", fmt::join(asked, ", ")),
                    "give each its source: KEY=@FILE, KEY=env:NAME or KEY=cmd:PROGRAM");
    }
    if (piped.size() > 1)
        throw wrong(fmt::format("stdin can hold one value, not those of {}", fmt::join(piped, ", ")));
    return sources;
}

std::string ask(Session& session, const hermes::Wish& wish, const std::string& key) {
    std::string value = wish.ask(fmt::format("the new {}", key), true);
    remember_secret(value);
    session.story().hide();
    return value;
}

}  // namespace

Json sources_of(const WantedKeys& wanted) {
    Json sources = Json::object();
    const auto add = [&](const std::string& key, Json source) {
        if (sources.contains(key)) throw wrong(key + " is named twice");
        sources[key] = std::move(source);
    };
    for (const auto* list : {&wanted.keys, &wanted.secrets}) {
        for (const std::string& argument : *list) {
            auto [key, source] = source_of(argument);
            // KEY and --secret KEY=SOURCE say the same thing together.
            if (list == &wanted.secrets && sources.contains(key) && sources[key].empty()) sources.erase(key);
            add(key, std::move(source));
        }
    }
    for (const std::string& key : wanted.remove) {
        hermes::secret_setting(key + "=-", true);
        if (key == hermes::users_key) refuse_users(key);  // without another one fewer get in
        add(key, nullptr);
    }
    return sources;
}

hermes::SecretChanges read_values(Session& session, const Json& wanted) {
    const Json sources = with_stdin(session, wanted);
    const hermes::Wish wish = wish_of(session, Json::object(), {});
    hermes::remember_variables(sources, wish.readers.environment);
    const hermes::SecretReaders readers{wish.readers.in, wish.readers.environment, {}};
    hermes::SecretChanges changes;
    for (const auto& [key, source] : sources.items()) {
        if (source.is_null()) {
            changes[key] = std::nullopt;
            continue;
        }
        const std::string value =
            source.empty() ? ask(session, wish, key) : hermes::read_secret(key, source, readers);
        const std::string complaint = hermes::complaint_about(key, value);
        if (!complaint.empty()) throw wrong(fmt::format("{}: the new value {}", key, complaint));
        refuse_everybody(key, value);
        if (const std::string odd = hermes::oddity_of(key, value); !odd.empty())
            session.story().on({"plan", key, State::warning, "its value " + odd});
        changes[key] = value;
    }
    return changes;
}

}  // namespace hermesctl::cli
