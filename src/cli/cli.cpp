#include "hermesctl/cli/cli.hpp"

#include "commands.hpp"
#include "describe.hpp"
#include "errors.hpp"
#include "flags.hpp"
#include "hermesctl/hermes/permissions.hpp"
#include "logging.hpp"
#include "session.hpp"

#include <map>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

constexpr const char* purpose =
    "hermesctl deploys a caged Hermes Agent to Kubernetes and proves that it answers.";

struct CommandLine {
    GlobalFlags flags{};
    CLI::App app{purpose, "hermesctl"};
    std::map<const CLI::App*, Run> runs{};
};

void declare(CommandLine& line) {
    line.app.set_help_flag("-h,--help", "help")->group("");
    line.app.add_flag("--version")->description("the version")->group("");
    // At most one, so that an argument which is called like a command stays an argument.
    line.app.require_subcommand(0, 1);
    add_global_flags(line.app, line.flags);
    for (const Command& command : commands()) {
        CLI::App* app = line.app.add_subcommand(std::string(command.name), std::string(command.summary));
        app->fallthrough();  // global flags may stand after the command, too
        if (command.hidden) app->group("");
        line.runs[app] = command.declare(*app);
    }
}

/// What is to run; nothing when a page of help was printed instead.
struct Chosen {
    const CLI::App* command = nullptr;
    const Run* run = nullptr;
};

/// Parsing stores values only at its end: after an error the raw ones, too, tell what was asked for.
bool is_given_as(const CLI::App& app, const char* flag, std::string_view value) {
    const auto& values = app.get_option(flag)->results();
    return !values.empty() && values.back() == value;
}

bool wants_json(const CommandLine& line) {
    return is_given_as(line.app, "--output", "json");
}

/// What was not changed, as far as is known; but nobody knows. Of several instances that is the last one.
void open_changes(kube::Json& value) {
    if (!value.is_structured()) return;
    for (const auto& [key, item] : value.items()) {
        if (key == "changed" && item == false) item = nullptr;
        open_changes(key == "instances" && !item.empty() ? item.back() : item);
    }
}

/// The document of a command that can change something says whether it did; null where nobody knows, as the
/// answer to a write did not come.
kube::Json with_changed(kube::Json done, const CLI::App& command, bool lost) {
    const CLI::Option* dry_run = command.get_option_no_throw("--dry-run");
    if (dry_run == nullptr) return done;
    if (!done.contains("changed")) done["changed"] = false;
    if (lost) open_changes(done);
    return done;
}

/// `done` is what stands beside the error in a program's one document.
ExitCode report(const Error& told, const GlobalFlags& flags, Context& context, bool json, bool colour,
                kube::Json done) {
    const Error error = told.with_hint(completed_hint(told.hint(), flags));
    print_error(error, context.err, colour);
    done.update(error_json(error));
    if (json) context.out << json_text(std::move(done)) << std::flush;
    return error.code();
}

hermes::Work work_of(const CLI::App& command) {
    using hermes::Work;
    const std::string& name = command.get_name();
    const auto given = [&](const char* flag) { return command.count(flag) > 0; };
    if (name == "deploy") return Work::deploy;
    if (name == "diff") return Work::diff;
    if (name == "render") return Work::render;
    if (name == "wait") return Work::wait;
    if (name == "stop") return Work::stop;
    if (name == "start" || name == "restart") return Work::run;
    if (name == "verify") return given("--static") ? Work::compute : Work::verify;
    if (name == "logs") return is_given_as(command, "--source", "console") ? Work::console : Work::enter;
    if (name == "allow-user" && given("--pending")) return Work::pending;
    if (name == "rotate-secret" || name == "allow-user") return given("--list") ? Work::keys : Work::rotate;
    if (name == "teardown") return given("--delete-data") ? Work::remove_data : Work::remove;
    return Work::read;
}

/// A refusal with everything else that this command would be refused.
Error explained(Session& session, const CLI::App& command, const kube::ApiError& refusal) {
    const bool denied = refusal.http() == 403 && refusal.code() == ExitCode::denied;
    if (denied && command.get_name() == "list" && session.flags().ns.empty())
        return refusal.with_hint("hermesctl list -n NAMESPACE looks into one alone");
    return session.explained(work_of(command), refusal);
}

ExitCode execute(const Chosen& chosen, Session& session) {
    Context& context = session.context();
    const auto fail = [&](const Error& error) {
        session.story().finish();
        return report(error, session.typed_flags(), context, session.flags().json(),
                      session.terminal().colour,
                      with_changed(session.take_partial(), *chosen.command, session.has_lost_write()));
    };
    try {
        const ExitCode code = (*chosen.run)(session);
        session.story().finish();
        return code;
    } catch (const kube::ApiError& error) {
        return fail(explained(session, *chosen.command, error));
    } catch (const Error& error) {
        return fail(error);
    } catch (const std::exception& bug) {
        return fail({ExitCode::failed, fmt::format("this is a bug in hermesctl: {}", bug.what()),
                     "repeat the command with -v and report what it says"});
    }
}

/// Policies add to each other; two hermes.yaml do not, and none is dropped without a word.
void refuse_second_file(const CLI::App& app) {
    const CLI::App* verify = app.get_subcommand("verify");
    const bool several = verify->parsed() && verify->count("--static") > 0;
    const std::size_t given = app.get_option("--file")->results().size();
    if (given > 1 && !several)
        throw Error(ExitCode::usage, fmt::format("-f is given {} times", given),
                    "a hermes.yaml may hold several instances; only verify --static takes several files");
}

Chosen parse(CommandLine& line, int argc, const char* const* argv, Context& context) {
    try {
        line.app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        context.out << help_text(parsed_command(line.app));
        refuse_lost(context.out);
        return {};
    } catch (const CLI::ParseError& problem) {
        throw usage_error(problem, line.app);
    }
    refuse_second_file(line.app);
    const CLI::App* command = &line.app;
    if (line.app.count("--version") > 0) {
        command = line.app.get_subcommand("version");
    } else if (!line.app.get_subcommands().empty()) {
        command = line.app.get_subcommands().front();
    }
    const auto found = line.runs.find(command);
    if (found != line.runs.end()) return {command, &found->second};
    context.out << help_text(line.app);
    refuse_lost(context.out);
    return {};
}

}  // namespace

ExitCode run(int argc, const char* const* argv, Context& context) {
    CommandLine line;
    Chosen chosen;
    declare(line);
    try {
        chosen = parse(line, argc, argv, context);
    } catch (const Error& error) {
        const bool colour = context.detect_terminal(line.app.count("--no-color") > 0).colour;
        return report(error, line.flags, context, wants_json(line), colour,
                      with_changed(kube::Json::object(), parsed_command(line.app), false));
    }
    if (chosen.run == nullptr) return ExitCode::ok;
    Session session(context, line.flags);
    const Logging logging(line.flags.verbose, session.story());
    return execute(chosen, session);
}

}  // namespace hermesctl::cli
