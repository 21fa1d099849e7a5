// hermesctl verify: the isolation report, for people, programs, CI systems and for keeping.
#include "commands.hpp"
#include "flags.hpp"
#include "hermesctl/hermes/policy_checks.hpp"
#include "report_delivery.hpp"
#include "report_text.hpp"
#include "requested.hpp"
#include "verify_parts.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

using hermes::Checks;
using hermes::Json;
using hermes::Scope;

struct VerifyFlags {
    bool quick = false;
    bool computed = false;
    std::vector<std::string> lan_targets{};
    std::vector<std::string> policy_files{};  // each -f in turn, which means policies with --static
    ReportFiles files{};
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

hermes::Report verify_files(Session& session, const std::vector<std::string>& files) {
    GlobalFlags flags = session.flags();
    const std::string ns = flags.ns.empty() ? "default" : flags.ns;
    const auto objects = policy_objects(session, files);
    Checks rows = hermes::policy_checks_of(objects, ns);
    flags.file.clear();
    return {.scope = Scope::computed,
            .instance = source_names(files),
            .when = rfc3339(session.clock().wall()),
            .checks = told(std::move(rows), flags),
            .allowed = safe_to_show(hermes::allowed_of(objects, ns))};
}

ExitCode verify(Session& session, const VerifyFlags& flags) {
    check_flags(flags);
    const Scope scope = flags.computed ? Scope::computed : flags.quick ? Scope::quick : Scope::full;
    const hermes::Report report =
        flags.computed && !flags.policy_files.empty()
            ? verify_files(session, flags.policy_files)
            : verify_installation(session, requested_names(session),
                                  {.scope = scope, .lan_targets = flags.lan_targets});
    return deliver(session, report, flags.files);
}

}  // namespace

Run declare_verify(CLI::App& app) {
    auto flags = std::make_shared<VerifyFlags>();
    app.add_flag("--quick", flags->quick,
                 "probe from the pod alone, without an uncaged twin to compare with: two seconds");
    app.add_flag("--static", flags->computed,
                 "compute what the policies allow and send nothing; with -f (repeatable) of policies in "
                 "files, without a cluster");
    add_list(app, "--lan-target", flags->lan_targets, "TARGET",
             "HOST:PORT of a listener that the agent must not reach, beside network.mustNotReach");
    add_text(app, "--junit", flags->files.junit, "FILE", "write the report as JUnit XML, for a CI");
    add_text(app, "--report", flags->files.page, "FILE",
             "write the report as one HTML page, to read and to keep");
    app.footer(
        "hermesctl verify   (exit 0 only if the cage is proved to hold)\n"
        "hermesctl verify --lan-target 192.168.1.206:30002 --report cage.html\n"
        "hermesctl verify --static -f policies.yaml   (a chart's policies, say; exit 1 on a leak)\n"
        "hermesctl verify --quick -o json");
    const CLI::Option* file = app.get_parent()->get_option("--file");
    return [flags, file](Session& session) {
        flags->policy_files = file->results();
        return verify(session, *flags);
    };
}

}  // namespace hermesctl::cli
