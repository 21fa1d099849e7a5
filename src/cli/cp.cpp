// hermesctl cp: files and folders into and out of the agent's container.
#include "commands.hpp"
#include "errors.hpp"
#include "flags.hpp"
#include "hermesctl/hermes/copy.hpp"
#include "hermesctl/term/text.hpp"
#include "remote.hpp"
#include "requested.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

struct CopyFlags {
    std::string from{};
    std::string to{};
    bool root = false;
    bool dry_run = false;
};

/// ":path" or "NAME:path"; "./a:b" is a file here.
struct Side {
    bool inside = false;
    std::string name{};
    std::string path{};
};

Side side_of(const std::string& text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || text.substr(0, colon).find('/') != std::string::npos)
        return {false, "", text};
    Side side{true, text.substr(0, colon), text.substr(colon + 1)};
    if (side.path.empty()) throw Error(ExitCode::usage, fmt::format("\"{}\" names no path", text));
    return side;
}

void tell(Session& session, const hermes::Copied& copied, bool dry_run) {
    for (const std::string& name : copied.left_out) {
        session.story().on({.phase = "cp",
                            .subject = name,
                            .state = State::warning,
                            .detail = "left out: it is a link or no file"});
    }
    const std::string files = fmt::format("{} {}", copied.files, copied.files == 1 ? "file" : "files");
    kube::Json json{
        {"changed", !dry_run}, {"path", copied.path}, {"files", copied.files}, {"leftOut", copied.left_out}};
    if (!dry_run) return session.print_result(json, fmt::format("{} ({})\n", copied.path, files));
    json["inTheWay"] = copied.in_the_way;
    session.print_result(json, fmt::format("would copy {} to {}{}\n", files, copied.path,
                                           copied.in_the_way ? ", which is there: it asks before" : ""));
}

ExitCode copy(Session& session, const CopyFlags& flags) {
    const Side from = side_of(flags.from);
    const Side to = side_of(flags.to);
    if (flags.from == "-" || flags.to == "-") {
        throw Error(ExitCode::usage, "cp copies files and folders, not stdin and stdout",
                    "hermesctl exec -- cat FILE; or: hermesctl exec -- sh -c 'cat > FILE' < FILE");
    }
    if (from.inside == to.inside) {
        throw Error(ExitCode::usage, "one of the two paths must be in the container, and only one: \":path\"",
                    "hermesctl cp --help");
    }
    hermes::Names names = requested_names(session);
    const std::string& name = from.inside ? from.name : to.name;
    if (!name.empty()) names.name = name;
    hermes::Copied copied;
    const auto attempt = [&](bool replace) {
        return own_failures(session, [&] {
            const hermes::Target target = hermes::running_agent(session.client(), names);
            const hermes::CopyOptions options{
                .root = flags.root, .replace = replace, .dry_run = flags.dry_run, .sends = [&] {
                    session.print_partial({{"changed", nullptr}}, "");
                }};
            copied = from.inside ? hermes::copy_out(session.client(), target, from.path, to.path, options)
                                 : hermes::copy_in(session.client(), target, from.path, to.path, options);
            copied.path = term::printable(copied.path);  // told from inside the pod
            return 0;
        });
    };
    attempt(session.flags().yes);
    if (copied.in_the_way && !flags.dry_run) {
        session.print_partial({{"changed", false}}, "");
        const std::string question = fmt::format("{} is there; replace it?", copied.path);
        told_when_cut_off(false, [&] { session.confirm(question, true); });
        attempt(true);
    }
    tell(session, copied, flags.dry_run);
    return ExitCode::ok;
}

}  // namespace

Run declare_cp(CLI::App& app) {
    auto flags = std::make_shared<CopyFlags>();
    app.add_option(
           "SRC", flags->from,
           "file, or folder without the links in it; in the container as :path (below /opt/data unless "
           "absolute)")
        ->required()
        ->type_name("");
    app.add_option("DST", flags->to, "where to; a folder that exists gets it as SRC's name")
        ->required()
        ->type_name("");
    app.add_flag("--root", flags->root, "as the container's root instead of the agent's user");
    app.add_flag("--dry-run", flags->dry_run, "say what would be copied where and change nothing");
    app.footer(
        "hermesctl cp :config.yaml .\nhermesctl cp notes.md :workspace/\nhermesctl cp :logs ./hermes-logs");
    return [flags](Session& session) { return copy(session, *flags); };
}

}  // namespace hermesctl::cli
