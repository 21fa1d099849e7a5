// Rows about where the agent's secrets lie: in the Secret, and nowhere else.
#include "credentials.hpp"
#include "hermes/inspection_parts.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/shadow.hpp"
#include "settings_check.hpp"

#include <set>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

constexpr Heading secrets{"agent-secrets", "agent", "secrets lie in the Secret alone"};
constexpr Heading env_file{"agent-env-file", "agent", "Hermes' own .env does not shadow the Secret"};

void judge_config_map(const Premises& premises, Findings& findings) {
    const Reading& config = premises.config;
    if (!config.known())
        findings.unknown(config.failure, fmt::format("grant get on {} in namespace {}",
                                                     title(premises.names.config()), premises.names.ns));
    if (config.items.empty()) return;
    const auto known = credentials_of(premises.secret);
    for (const auto& [key, text] : at(config.items.front(), "/data").items()) {
        for (const std::string& pointer : credentials_in(content_of(text), "", known)) {
            findings.fail(
                fmt::format("{} of {} holds a credential{}", key, title(premises.names.config()),
                            pointer.empty() ? "" : " at " + dotted(pointer)),
                fmt::format("kubectl -n {} edit configmap {}: put it into the Secret, and ${{NAME}} in "
                            "its place",
                            premises.names.ns, premises.names.config().name));
        }
    }
}

void judge_pod_variables(const Premises& premises, Findings& findings) {
    const auto known = credentials_of(premises.secret);
    for (const Subject& subject : subjects_of(premises)) {
        for (const Container& container : containers_of(subject)) {
            for (const Json& entry : at(*container.spec, "/env")) {
                const std::string name = text_at(entry, "/name");
                if (!credentials_in(at(entry, "/value"), name, known).empty())
                    findings.fail(
                        fmt::format("variable {} of {} is a credential in plain text", name, container.title),
                        fmt::format("hermesctl deploy --secret {}=-, and {}", name,
                                    take_out(premises, subject)));
            }
        }
    }
}

/// What the pod takes from Secrets other than its own; "*" stands for whole Secrets, whose names are not
/// known.
std::set<std::string> from_other_secrets(const Premises& premises) {
    std::set<std::string> names;
    for (const Subject& subject : subjects_of(premises)) {
        for (const Container& container : containers_of(subject)) {
            for (const Json& entry : at(*container.spec, "/env")) {
                if (at(entry, "/valueFrom/secretKeyRef").is_object()) names.insert(text_at(entry, "/name"));
            }
            for (const Json& whole : at(*container.spec, "/envFrom")) {
                const std::string secret = text_at(whole, "/secretRef/name");
                if (!secret.empty() && secret != premises.names.secret().name) names.insert("*");
            }
        }
    }
    return names;
}

constexpr std::string_view data_folder = "/opt/data";

/// Of what the agent says only such a name is put into a command.
bool is_copy(std::string_view path) {
    const std::string start = fmt::format("{}.before-", env_file_path);
    return path.starts_with(start) &&
           path.find_first_not_of("0123456789TZ-", start.size()) == std::string_view::npos;
}

/// Those of Hermes' own .env.
void judge_copies(const Premises& premises, Findings& findings) {
    for (const auto& [path, keys] : at(premises.inside, "/left").items()) {
        const bool unread = keys.is_null();
        if (unread && path == data_folder)
            findings.warn(fmt::format("whether --unshadow left copies in {} is not known", path),
                          show_file(path));
        if (!is_copy(path)) continue;
        if (unread)
            findings.warn(fmt::format("{}, a copy that --unshadow left, was not looked into", path),
                          show_file(path));
        for (const Json& key : keys) {
            if (!key.is_string()) continue;
            findings.warn(
                fmt::format("{}, a copy that --unshadow left, holds {}", path, key.get<std::string>()),
                fmt::format("once the bot answers: hermesctl exec -- rm {}", path));
        }
    }
}

void judge_variables(const Premises& premises, Findings& findings) {
    const auto others = from_other_secrets(premises);
    if (others.contains("*") || !premises.secret.known()) return;
    const Json& plain = at(premises.inside, "/plain");
    if (premises.secret.items.empty() && !plain.empty())
        return findings.unknown(fmt::format("{} is not there: which of the container's variables are its is "
                                            "not known",
                                            title(premises.names.secret())),
                                "hermesctl deploy makes it anew");
    for (const Json& name : plain) {
        if (!name.is_string() || others.contains(name.get<std::string>())) continue;
        const auto key = name.get<std::string>();
        findings.fail(
            fmt::format("variable {} of the container is a credential from outside of the Secret", key),
            fmt::format("hermesctl deploy --secret {}=-", is_variable_name(key) ? key : "KEY"));
    }
}

void judge_inside(const Premises& premises, Findings& findings) {
    const Json& configs = at(premises.inside, "/configs");
    for (const auto& [path, said] : configs.items()) {
        for (const char* list : {"/credentials", "/copies"}) {
            for (const Json& one : at(said, list)) {
                if (!one.is_string()) continue;
                const std::string what =
                    std::string_view(list) == "/copies" ? "the value of " : "a credential at ";
                findings.fail(
                    fmt::format("{} holds {}{}", path, what, one.get<std::string>()),
                    "put it into the Secret (hermesctl deploy --secret NAME=-), and ${NAME} in its place");
            }
        }
    }
    note_unread(configs, findings);
    judge_copies(premises, findings);
    judge_variables(premises, findings);
}

}  // namespace

Check check_secrets(const Premises& premises) {
    Findings findings;
    if (!premises.secret.known())
        findings.unknown(premises.secret.failure,
                         fmt::format("grant get on {} in namespace {}", title(premises.names.secret()),
                                     premises.names.ns));
    judge_config_map(premises, findings);
    judge_pod_variables(premises, findings);
    if (looked_inside(premises, findings)) judge_inside(premises, findings);
    return findings.row(secrets, "none in the ConfigMap, config.yaml or the container's variables");
}

Check check_env_file(const Premises& premises) {
    Findings findings;
    if (!premises.secret.known())
        findings.unknown(premises.secret.failure,
                         fmt::format("grant get on {} in namespace {}", title(premises.names.secret()),
                                     premises.names.ns));
    if (looked_inside(premises, findings)) {
        const Json& files = at(premises.inside, "/env_files");
        note_unread(files, findings);
        for (const auto& [path, said] : files.items()) {
            for (const auto& [key, same] : at(said, "/shadows").items()) {
                findings.fail(
                    fmt::format("{} in {} wins over the Secret{}", key, path,
                                same == Json(true) ? " (the same value, until one of them changes)" : ""),
                    take_out_of(path, key));
            }
        }
    }
    return findings.row(env_file, "no key of the Secret is in it");
}

}  // namespace hermesctl::hermes
