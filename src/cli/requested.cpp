#include "requested.hpp"

#include "flags.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/hermes/allowlist.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Json;

/// `sent`: to the cluster, where others may read them.
std::vector<Json> documents(Session& session, bool sent) {
    const std::string& file = session.flags().file;
    if (file.empty()) return {Json::object()};
    return hermes::settings_of_file(text_of_file(session, file), source_name(file), sent);
}

/// A flag of deploy and its place in hermes.yaml.
struct Counterpart {
    const char* flag;
    const char* pointer;
    std::optional<std::string> DeployFlags::*value;
};
constexpr std::array counterparts{
    Counterpart{"--provider", "/model/provider", &DeployFlags::provider},
    Counterpart{"--model", "/model/default", &DeployFlags::model},
    Counterpart{"--image", "/image", &DeployFlags::image},
    Counterpart{"--storage-size", "/storage/size", &DeployFlags::storage_size},
    Counterpart{"--storage-class", "/storage/class", &DeployFlags::storage_class}};

/// One that sets its place to true or to false.
struct Switch {
    const char* flag;
    const char* pointer;
    bool DeployFlags::*given;
    bool sets;
};
constexpr std::array switches{Switch{"--gate", "/network/gate", &DeployFlags::gate, true},
                              Switch{"--no-gate", "/network/gate", &DeployFlags::no_gate, false},
                              Switch{"--hardened", "/pod/hardened", &DeployFlags::hardened, true},
                              Switch{"--no-hardened", "/pod/hardened", &DeployFlags::no_hardened, false}};

Json flag_settings(const DeployFlags& flags) {
    Json settings = Json::object();
    for (const Counterpart& one : counterparts) {
        if (const auto& value = flags.*one.value) settings[Json::json_pointer(one.pointer)] = *value;
    }
    for (const Switch& one : switches) {
        if (flags.*one.given) settings[Json::json_pointer(one.pointer)] = one.sets;
    }
    for (const std::string& user : flags.allow_users) {
        const auto ids = hermes::users_of(user);
        if (ids.empty())  // "$UNSET" of a script
            throw Error(ExitCode::usage, "--allow-user names nobody", "--allow-user ID (a number)");
        for (const std::int64_t id : ids)
            settings["telegram"]["allowedUsers"].push_back(id);
    }
    for (const std::string& secret : flags.secrets) {
        Json named = hermes::secret_setting(secret);
        for (Json& source : named) {
            // Relative to where one is; only a file's own paths are relative to the file.
            if (source.contains("file"))
                source["file"] = std::filesystem::absolute(source["file"].get<std::string>()).string();
        }
        settings["secrets"].update(named);
    }
    return settings;
}

/// The flags of deploy that the next deploy of this document would undo: it says something there, and of a
/// switch the contrary.
std::vector<std::string> flags_in(const Json& document) {
    std::vector<std::string> flags;
    for (const Counterpart& one : counterparts) {
        if (!kube::at(document, one.pointer).is_null()) flags.emplace_back(one.flag);
    }
    for (const Switch& one : switches) {
        if (kube::at(document, one.pointer) == Json(!one.sets)) flags.emplace_back(one.flag);
    }
    for (const auto& [key, source] : kube::at(document, "/secrets").items())
        flags.push_back("--secret " + key);
    return flags;
}

/// --namespace and --name choose among a file's documents; for a single one they override it.
std::vector<Json> chosen(std::vector<Json> all, const GlobalFlags& flags) {
    if (all.size() == 1) {
        if (!flags.ns.empty()) all[0]["namespace"] = flags.ns;
        if (!flags.name.empty()) all[0]["name"] = flags.name;
        return all;
    }
    std::erase_if(all, [&](const Json& one) {
        const hermes::Names names = hermes::names_of(one);
        return (!flags.ns.empty() && names.ns != flags.ns) ||
               (!flags.name.empty() && names.name != flags.name);
    });
    if (all.empty()) throw Error(ExitCode::usage, fmt::format("{} has no such instance", flags.file));
    return all;
}

}  // namespace

void add_setting_flags(CLI::App& app, DeployFlags& flags) {
    add_text(app, "--provider", flags.provider, "NAME", "model provider (minimax)");
    add_text(app, "--model", flags.model, "NAME", "model of that provider (MiniMax-M2.7)");
    add_list(app, "--allow-user", flags.allow_users, "ID",
             "numeric Telegram id of a person who may use the bot");
    app.add_flag("--replace-users", flags.replace_users, "who is not named may no longer use the bot");
    add_text(app, "--image", flags.image, "IMAGE", "image of the Hermes agent");
    add_text(app, "--storage-size", flags.storage_size, "SIZE", "size of the data volume (5Gi)");
    add_text(app, "--storage-class", flags.storage_class, "CLASS", "storage class (the cluster's default)");
    auto* gate = app.add_flag("--gate", flags.gate, "hold the agent until the cage is closed (the default)");
    app.add_flag("--no-gate", flags.no_gate, "let the agent start before it is known that the cage holds")
        ->excludes(gate);
    auto* hardened =
        app.add_flag("--hardened", flags.hardened,
                     "without root, with a read-only root file system: for images that start so");
    app.add_flag("--no-hardened", flags.no_hardened,
                 "with the start as root that the official image needs (the default)")
        ->excludes(hardened);
    add_list(app, "--secret", flags.secrets, "KEY=SOURCE",
             "a secret: KEY=- (stdin), @FILE, env:NAME or cmd:PROGRAM");
}

std::vector<Json> requested(Session& session, const DeployFlags& flags) {
    const Json over = flag_settings(flags);
    std::vector<Json> all = documents(session, true);
    // Before the first program starts, be it another instance's or the kubeconfig's.
    const auto remember = [&](const Json& settings) {
        hermes::remember_variables(kube::at(settings, "/secrets"), session.context().environment);
    };
    std::ranges::for_each(all, remember);
    remember(over);
    all = chosen(std::move(all), session.flags());
    if (all.size() > 1 && !over.empty()) {
        throw Error(ExitCode::usage,
                    fmt::format("{} has {} instances, so these flags need --name and --namespace",
                                session.flags().file, all.size()));
    }
    for (Json& settings : all) {
        std::vector<std::string> in_file = flags_in(settings);
        settings = hermes::merged(std::move(settings), over);
        hermes::check_settings(settings);
        if (flags.replace_users && kube::at(settings, "/telegram/allowedUsers").empty()) {
            throw Error(ExitCode::usage, "--replace-users: nobody is named who may use the bot then",
                        "name them: --allow-user ID, or telegram.allowedUsers in a file");
        }
        session.works_on(hermes::names_of(settings), std::move(in_file));
    }
    return all;
}

Json requested_settings(Session& session) {
    const std::vector<Json> all = chosen(documents(session, false), session.flags());
    if (all.size() > 1) {
        throw Error(ExitCode::usage,
                    fmt::format("{} has {} instances; choose one with --name and --namespace",
                                session.flags().file, all.size()));
    }
    const hermes::Names names = hermes::names_of(all.front());
    session.works_on(names, flags_in(all.front()));
    session.turns_to(names);
    return all.front();
}

hermes::Names requested_names(Session& session) {
    return hermes::names_of(requested_settings(session));
}

std::string called(const hermes::Names& names) {
    return fmt::format("{} in namespace {}", names.name, names.ns);
}

std::string heading(const Session& session, const hermes::Names& names) {
    return session.several() ? called(names) + ":\n" : "";
}

std::string source_name(const std::string& file) {
    return file == "-" ? "stdin" : file;
}

std::string text_of_file(Session& session, const std::string& file) {
    if (file == "-") {
        std::ostringstream stream;
        stream << session.context().in.rdbuf();
        throw_if_interrupted();  // which had ended the input
        return stream.str();
    }
    auto found = read_file(file);
    if (!found)
        throw Error(ExitCode::usage, fmt::format("{} does not exist", file), "check the path; - is stdin");
    return std::move(*found);
}

hermes::Wish wish_of(Session& session, Json settings, const DeployFlags& flags) {
    const std::string& file = session.flags().file;
    const std::string folder =
        file.empty() || file == "-" ? "" : std::filesystem::path(file).parent_path().string();
    hermes::Wish wish{.settings = std::move(settings),
                      .server = session.connection().server,
                      .resolve = session.resolve(),
                      .readers = {session.context().in, session.context().environment, folder},
                      .replace_users = flags.replace_users};
    if (session.terminal().input) {
        const std::string whose = session.several() ? called(hermes::names_of(wish.settings)) + ": " : "";
        wish.ask = [&session, whose](const std::string& question, bool hidden) {
            session.story().hide();
            const std::string whole = fmt::format("{}{}: ", whose, question);
            return hidden ? term::ask_secret(whole) : term::ask_line(whole);
        };
    }
    return wish;
}

}  // namespace hermesctl::cli
