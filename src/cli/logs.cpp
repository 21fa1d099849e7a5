// hermesctl logs: what the agent has written, and goes on writing.
#include "hermesctl/hermes/logs.hpp"

#include "commands.hpp"
#include "flags.hpp"
#include "hermesctl/term/text.hpp"
#include "requested.hpp"
#include "stream_exec.hpp"

#include <CLI/CLI.hpp>

namespace hermesctl::cli {
namespace {

constexpr int default_lines = 200;

std::string shown(const Session& session, const hermes::LogRequest& request, const std::string& line) {
    if (session.flags().json()) {
        const kube::Json json{{"source", request.source}, {"line", line}};
        return json.dump(-1, ' ', false, kube::Json::error_handler_t::replace) + "\n";
    }
    // What a stranger wrote to the bot must not command the terminal of who reads about it.
    return (session.terminal().out_is_terminal ? term::printable(line) : line) + "\n";
}

ExitCode logs(Session& session, const hermes::LogRequest& request) {
    const hermes::Names names = requested_names(session);
    const auto print = [&](const std::string& line) {
        try {
            return write_all(Streams{}.out, shown(session, request, line));
        } catch (const Error& error) {
            if (error.code() == ExitCode::interrupted) throw;
            throw error.with_code(ExitCode::failed);  // ours: nothing of the pod's that may pass
        }
    };
    try {
        hermes::read_log(session.client(), names, request, print, session.story());
    } catch (const Error& error) {
        // Ctrl-C is how a log that is followed ends: nothing went wrong, nothing is to be done again.
        if (request.follow && error.code() == ExitCode::interrupted) return ExitCode::interrupted;
        throw;
    }
    return ExitCode::ok;
}

}  // namespace

Run declare_logs(CLI::App& app) {
    auto request = std::make_shared<hermes::LogRequest>();
    add_choice(app, "--source", request->source, {"gateway", "agent", "errors", "console"},
               "which log (gateway); console is what the container prints");
    app.add_flag("-f,--follow", request->follow, "go on as it grows, also across restarts, until Ctrl-C");
    app.add_flag("--since-boot", request->since_boot, "only what the gateway has written since it started");
    CLI::Option* lines =
        app.add_option("--lines,--tail", request->lines, "how many lines to begin with (200)")
            ->type_name("N")
            ->take_last()
            ->check(CLI::Range(0, 1'000'000'000).name(""));
    app.footer(
        "hermesctl logs\nhermesctl logs -f --since-boot\nhermesctl logs --source errors --lines 20\n"
        "hermesctl logs -o json   (an object for each line)");
    const CLI::Option* timeout = app.get_parent()->get_option("--timeout");
    return [request, lines, timeout](Session& session) {
        if (request->follow && !timeout->empty())
            throw Error(ExitCode::usage, "--follow goes on until Ctrl-C, and has no --timeout",
                        "timeout 10m hermesctl logs -f ends it after that time");
        // The console has no mark of a start in it: it begins with its container.
        if (request->since_boot && request->source == "console")
            throw Error(ExitCode::usage, "--since-boot is not for --source console",
                        "hermesctl logs --source console, which begins with the container");
        if (lines->empty() && !request->since_boot) request->lines = default_lines;
        return logs(session, *request);
    };
}

}  // namespace hermesctl::cli
