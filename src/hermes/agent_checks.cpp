// Rows about the agent: where its commands run, who may talk to it, and where its secrets lie.
#include "hermes/inspection_parts.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/allowlist.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/shadow.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::bool_at;
using kube::text_at;

constexpr Heading backend{"agent-backend", "agent", "commands run in the pod (terminal backend local)"};
constexpr Heading allowlist{"agent-allowlist", "agent", "the bot answers its users and nobody else"};
constexpr Heading allow_all{"agent-allow-all", "agent", "no variable opens the bot to everybody"};
constexpr Heading image{"agent-image", "agent", "which image runs is known"};

constexpr std::string_view of_gateway = "the gateway's environment";

/// A set of variables as inspect.py tells of it.
struct Source {
    std::string title{};
    const Json* said = nullptr;
};

/// The later ones win over the earlier ones. The gateway's own is what it started with.
std::vector<Source> sources_of(const Premises& premises) {
    std::vector<Source> sources{{"the container's environment", &at(premises.inside, "/container")}};
    for (const Json& gateway : at(premises.inside, "/gateways"))
        sources.push_back({std::string(of_gateway), &gateway});
    const Json& files = at(premises.inside, "/env_files");
    for (const std::string_view path : {env_file_path, managed_env_file})
        sources.push_back({std::string(path), &at(files, "/" + kube::escape_pointer(path))});
    return sources;
}

std::string out_of_secret(const std::string& name) {
    return "hermesctl rotate-secret --remove " + name;
}

std::string mend_source(const Premises& premises, const std::string& title, const std::string& name) {
    if (title.starts_with('/')) return take_out_of(title, name);
    const Json& secrets = premises.secret.items;
    if (!secrets.empty() && at(secrets.front(), "/data").contains(name) && name != users_key)
        return out_of_secret(name);
    return fmt::format("kubectl -n {} edit deployment {} (or secret {}), and take {} out", premises.names.ns,
                       premises.names.name, premises.names.secret().name, name);
}

/// The gateway started with something that nobody can see.
void note_gateways(const Premises& premises, Findings& findings) {
    const Json& gateways = at(premises.inside, "/gateways");
    if (gateways.empty()) findings.unknown("no gateway process runs", "hermesctl status");
    for (const Json& gateway : gateways) {
        if (text_at(gateway, "/environ") != "read")
            findings.unknown("the gateway's environment cannot be read", "hermesctl status");
    }
}

Check check_backend(const Premises& premises) {
    Findings findings;
    std::string named;
    if (looked_inside(premises, findings)) {
        const Json& configs = at(premises.inside, "/configs");
        note_unread(configs, findings);
        for (const auto& [path, said] : configs.items()) {
            const std::string found = text_at(said, "/backend");
            if (!found.empty() && found != "local") {
                findings.fail(
                    fmt::format("{} has terminal.backend {}", path, found),
                    "hermesctl exec -- hermes config set terminal.backend local, then hermesctl restart");
            } else if (bool_at(said, "/unclear")) {
                findings.unknown(
                    fmt::format("the terminal section of {} has a form that is not read here", path),
                    "hermesctl exec -- hermes config set terminal.backend local");
            } else if (!found.empty()) {
                named = path;
            }
        }
        for (const Source& source : sources_of(premises)) {
            const std::string found = text_at(*source.said, "/backend");
            if (!found.empty() && found != "local")
                findings.fail(fmt::format("TERMINAL_ENV is {} in {}", found, source.title),
                              mend_source(premises, source.title, "TERMINAL_ENV"));
        }
        note_unread(at(premises.inside, "/env_files"), findings);
        note_gateways(premises, findings);
    }
    return findings.row(backend,
                        named.empty() ? "none is named, and local is Hermes' own" : "local in " + named);
}

/// Why the Secret's list is none; "" when it is good or cannot be read.
std::string complaint_about_list(const Premises& premises) {
    if (!premises.secret.known()) return "";
    if (premises.secret.items.empty()) return title(premises.names.secret()) + " is not there";
    const auto values = secret_values(premises.secret.items.front());
    const auto found = values.find(std::string(users_key));
    if (found == values.end()) return fmt::format("the Secret has no {}", users_key);
    const UserList list = user_list(found->second);
    if (list.everybody) return fmt::format("{} in the Secret lets everybody in (*)", users_key);
    // What is wrong with it may be quoted, and be anything.
    const bool good = list.plain && !list.ids.empty();
    return good ? "" : fmt::format("{} in the Secret is no list of numeric ids", users_key);
}

/// A gateway reads its list once: what was changed in the Secret since it does not have.
void judge_started_with(const Premises& premises, const Json& users, Findings& findings) {
    if (premises.secret.items.empty()) return;
    const UserIds wanted = users_in(premises.secret.items.front()).ids;
    const UserIds started = ids_in(at(users, "/ids"));
    const UserIds still = missing_from(wanted, started);
    const UserIds not_yet = missing_from(started, wanted);
    std::string what;
    if (!still.empty()) what += fmt::format("; still in: {}", fmt::join(still, ", "));
    if (!not_yet.empty()) what += fmt::format("; not yet in: {}", fmt::join(not_yet, ", "));
    if (what.empty()) return;
    findings.warn("the running gateway was started with another list than the Secret holds" + what,
                  "hermesctl restart");
}

void judge_live_list(const Premises& premises, Findings& findings, const std::string& remedy) {
    const Json* users = nullptr;
    std::string where;
    for (const Source& source : sources_of(premises)) {
        for (const Json& name : at(*source.said, "/wildcards")) {
            if (!name.is_string()) continue;
            findings.fail(
                fmt::format("{} in {} lets everybody in (*)", name.get<std::string>(), source.title),
                mend_source(premises, source.title, name));
        }
        if (const Json& list = at(*source.said, "/users"); list.is_object())
            users = &list, where = source.title;
    }
    for (const auto& [path, said] : at(premises.inside, "/configs").items()) {
        if (bool_at(said, "/open"))
            findings.fail(fmt::format("allow_from in {} lets everybody in (*)", path), take_out_of(path, ""));
    }
    if (users == nullptr || kube::int_at(*users, "/count") == 0) {
        findings.fail(fmt::format("{} is empty in the pod", users_key), remedy);
    } else if (kube::int_at(*users, "/odd") > 0) {
        findings.fail(fmt::format("{} in {} has entries that are no numeric ids", users_key, where), remedy);
    } else if (where == of_gateway) {
        judge_started_with(premises, *users, findings);
    }
}

Check check_allowlist(const Premises& premises) {
    Findings findings;
    const std::string remedy = "hermesctl allow-user --replace ID... (numeric; @userinfobot tells it)";
    const bool gone = premises.secret.known() && premises.secret.items.empty();
    if (const std::string complaint = complaint_about_list(premises); !complaint.empty())
        findings.fail(complaint, gone ? "hermesctl deploy makes it anew" : remedy);
    if (looked_inside(premises, findings)) {
        judge_live_list(premises, findings, remedy);
        note_unread(at(premises.inside, "/env_files"), findings);
        note_unread(at(premises.inside, "/configs"), findings);
        note_gateways(premises, findings);
    }
    std::int64_t count = 0;
    for (const Source& source : sources_of(premises)) {
        if (at(*source.said, "/users").is_object()) count = kube::int_at(*source.said, "/users/count");
    }
    return findings.row(allowlist, fmt::format("{} numeric {}", count, count == 1 ? "id" : "ids"));
}

std::string is_set(const std::string& name, const std::string& where) {
    return fmt::format("{} is set in {}", name, where);
}

/// As it is declared: in the Secret, and in the pod.
void judge_declared(const Premises& premises, Findings& findings) {
    const kube::Ref secret = premises.names.secret();
    if (!premises.secret.items.empty()) {
        for (const auto& [name, value] : secret_values(premises.secret.items.front())) {
            if (!opens_to_all(name, value)) continue;
            findings.fail(is_set(name, title(secret)), out_of_secret(name));
        }
    }
    for (const Subject& subject : subjects_of(premises)) {
        for (const Container& container : containers_of(subject)) {
            for (const Json& entry : at(*container.spec, "/env")) {
                const std::string name = text_at(entry, "/name");
                if (opens_to_all(name, text_at(entry, "/value")))
                    findings.fail(is_set(name, container.title), take_out(premises, subject));
            }
        }
    }
}

Check check_allow_all(const Premises& premises) {
    Findings findings;
    judge_declared(premises, findings);
    if (looked_inside(premises, findings)) {
        for (const Source& source : sources_of(premises)) {
            for (const Json& name : at(*source.said, "/allow_all")) {
                if (!name.is_string()) continue;
                findings.fail(is_set(name, source.title), mend_source(premises, source.title, name));
            }
        }
        note_unread(at(premises.inside, "/env_files"), findings);
        note_gateways(premises, findings);
    }
    return findings.row(allow_all, "not in the Secret, the pod, .env or the gateway's environment");
}

/// "docker.io/x/y@sha256:..." as the container runs; "" where the runtime does not say.
std::string running_image(const Premises& premises) {
    for (const Json& pod : premises.pods.items) {
        if (text_at(pod, "/metadata/name") == premises.pod)
            return text_at(kube::with_name(at(pod, "/status/containerStatuses"), container_name), "/imageID");
    }
    return "";
}

Check check_image(const Premises& premises) {
    Findings findings;
    const Json& containers = at(*newest_subject(premises).pod, "/spec/containers");
    const std::string wanted = text_at(kube::with_name(containers, container_name), "/image");
    const std::string running = running_image(premises);
    const std::size_t digest = running.find("sha256:");
    const bool pinned = wanted.find("@sha256:") != std::string::npos;
    if (!pinned && digest == std::string::npos)
        findings.unknown(fmt::format("{} is a tag, and which image runs is not known", wanted),
                         premises.inside_hint);
    Check check = findings.row(
        image, pinned ? wanted + " (pinned)"
                      : fmt::format("{} (a tag); {} runs", wanted,
                                    digest == std::string::npos ? "" : running.substr(digest, 19)));
    check.decisive = false;
    const bool named = running.find("@sha256:") != std::string::npos;
    if (check.verdict == Verdict::pass && !pinned && named)
        check.hint = "to keep this one: hermesctl deploy --image " + running;
    return check;
}

}  // namespace

Checks agent_checks(const Premises& premises) {
    return {check_backend(premises), check_allowlist(premises), check_allow_all(premises),
            check_secrets(premises), check_env_file(premises),  check_image(premises)};
}

}  // namespace hermesctl::hermes
