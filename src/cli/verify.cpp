// hermesctl verify: the isolation report, for people, programs, CI systems and for keeping.
#include "commands.hpp"
#include "flags.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "report_text.hpp"
#include "requested.hpp"
#include "verify_parts.hpp"

#include <algorithm>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Json;
using hermes::Scope;
using kube::text_at;

struct VerifyFlags {
    bool quick = false;
    bool computed = false;
    std::vector<std::string> lan_targets{};
    std::string junit{};
    std::string page{};
};

/// What hermes.yaml takes as network.mustNotReach, and nothing else.
void check_target(const std::string& target) {
    try {
        hermes::check_settings({{"network", {{"mustNotReach", Json::array({target})}}}});
    } catch (const Error&) {
        throw Error(ExitCode::usage, fmt::format("--lan-target: '{}' must be HOST:PORT", target),
                    "one looks like 192.168.1.206:30002 or [fd00::1]:443");
    }
}

void check_flags(const VerifyFlags& flags) {
    if (flags.quick && flags.computed)
        throw Error(ExitCode::usage, "--quick and --static exclude each other", "hermesctl verify --help");
    if (flags.computed && !flags.lan_targets.empty())
        throw Error(ExitCode::usage, "--static sends nothing, so there is no use for --lan-target",
                    "hermesctl verify --help");
    for (const std::string& target : flags.lan_targets)
        check_target(target);
}

/// What a file holds, lists of objects taken apart.
void collect(const Json& object, std::vector<Json>& objects) {
    const Json& items = kube::at(object, "/items");
    if (!text_at(object, "/kind").ends_with("List") || !items.is_array()) return objects.push_back(object);
    for (const Json& item : items)
        collect(item, objects);
}

std::vector<Json> objects_of_file(Session& session) {
    const std::string source = session.flags().file == "-" ? "stdin" : session.flags().file;
    std::vector<Json> objects;
    for (const Json& document : kube::parse_yaml(text_of_file(session), source))
        collect(document, objects);
    const bool some = std::ranges::any_of(
        objects, [](const Json& object) { return text_at(object, "/kind") == "NetworkPolicy"; });
    if (!some)
        throw Error(ExitCode::usage, fmt::format("{} has no NetworkPolicy", source),
                    "verify --static -f takes the policies' YAML, as kubectl apply does");
    return objects;
}

/// Policies of a file: the flag -f means them here, and no hermes.yaml.
hermes::Report verify_file(Session& session) {
    GlobalFlags flags = session.flags();
    const std::vector<Json> objects = objects_of_file(session);
    flags.file.clear();
    Json settings = Json::object();
    if (!flags.ns.empty()) settings["namespace"] = flags.ns;
    if (!flags.name.empty()) settings["name"] = flags.name;
    const hermes::Names names = hermes::names_of(settings);
    return {.scope = Scope::computed,
            .ns = names.ns,
            .instance = names.name,
            .when = rfc3339(session.clock().wall()),
            .checks = told(policy_rows(objects, names), flags)};
}

/// Both are tried; the first failure is told.
void keep(Session& session, const hermes::Report& report, const VerifyFlags& flags) {
    std::optional<Error> failure;
    const auto write = [&](const std::string& path, const std::string& text) {
        try {
            write_file(path, text);
            session.story().on({"report", path, State::done, "written"});
        } catch (const Error& error) {
            if (!failure) failure = error;
        }
    };
    if (!flags.junit.empty()) write(flags.junit, hermes::junit_of(report));
    if (!flags.page.empty()) write(flags.page, hermes::html_of(report));
    if (failure) throw Error(*failure);
}

ExitCode verify(Session& session, const VerifyFlags& flags) {
    check_flags(flags);
    const Scope scope = flags.computed ? Scope::computed : flags.quick ? Scope::quick : Scope::full;
    const hermes::Report report =
        flags.computed && !session.flags().file.empty()
            ? verify_file(session)
            : verify_installation(session, requested_names(session),
                                  {.scope = scope, .lan_targets = flags.lan_targets});
    session.print_exact(to_json(report), report_text(report, session.terminal()));
    keep(session, report, flags);
    return hermes::passed(report) ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

Run declare_verify(CLI::App& app, const GlobalFlags&) {
    auto flags = std::make_shared<VerifyFlags>();
    app.add_flag("--quick", flags->quick,
                 "probe from the pod alone, without an uncaged twin to compare with: two seconds");
    app.add_flag("--static", flags->computed,
                 "compute what the policies allow and send nothing; with -f of a file's policies, without a "
                 "cluster");
    add_list(app, "--lan-target", flags->lan_targets, "TARGET",
             "HOST:PORT of a listener that the agent must not reach, beside network.mustNotReach");
    add_text(app, "--junit", flags->junit, "FILE", "write the report as JUnit XML, for a CI");
    add_text(app, "--report", flags->page, "FILE", "write the report as one HTML page, to read and to keep");
    app.footer(
        "hermesctl verify   (exit 0 only if the cage is proved to hold)\n"
        "hermesctl verify --lan-target 192.168.1.206:30002 --report cage.html\n"
        "hermesctl verify --static -f policies.yaml   (a chart's policies, say; exit 1 on a leak)\n"
        "hermesctl verify --quick -o json");
    return [flags](Session& session) { return verify(session, *flags); };
}

}  // namespace hermesctl::cli
