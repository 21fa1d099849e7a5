// hermesctl man: the manual page, made from the same descriptions as the help.
#include "commands.hpp"
#include "describe.hpp"
#include "errors.hpp"
#include "session.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

/// Text as roff reads it: no line begins with a control character, dashes stay dashes.
std::string roff(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
    }
    return out;
}

std::string item(const std::string& heading, const std::string& text) {
    return fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(heading), roff(text));
}

std::string flag_items(const CLI::App& app) {
    std::string out;
    for (const Flag& flag : flags_of(app)) {
        out += item(CLI::detail::trim_copy(flag.heading()), flag.help);
    }
    return out;
}

std::string command_part(const CLI::App& command) {
    std::string out = fmt::format(".SS {}\n{}\n.PP\n\\fB{}\\fR\n", roff(full_name(command)),
                                  roff(command.get_description()), roff(usage_of(command)));
    for (const Argument& argument : arguments_of(command)) {
        out += item(argument.name, argument.help);
    }
    out += flag_items(command);
    if (const std::string examples = command.get_footer(); !examples.empty()) {
        out += fmt::format(".PP\nExamples:\n.PP\n.nf\n{}\n.fi\n", roff(examples));
    }
    for (const CLI::App* each : subcommands_of(command)) {
        out += command_part(*each);
    }
    return out;
}

constexpr std::string_view exit_codes =
    ".SH EXIT STATUS\n.nf\n0    done\n1    failed, or a check failed\n2    usage\n3    cluster unreachable\n"
    "4    denied\n5    time is up\n6    changes pending (diff)\n125  exec, shell, cp: our own failure\n"
    "130  interrupted\n.fi\n";

}  // namespace

std::string man_page(const CLI::App& root, const std::string& version) {
    std::string out = fmt::format(".TH HERMESCTL 1 \"\" \"hermesctl {}\"\n.SH NAME\nhermesctl \\- {}\n",
                                  version, "deploy a caged Hermes Agent to Kubernetes");
    out += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR\n.SH DESCRIPTION\n{}\n.SH COMMANDS\n", roff(usage_of(root)),
                       roff(root.get_description()));
    for (const CLI::App* command : subcommands_of(root)) {
        out += command_part(*command);
    }
    out += ".SH FLAGS OF EVERY COMMAND\n" + flag_items(root);
    return out.append(exit_codes);
}

Run declare_man(CLI::App& app) {
    const CLI::App* root = app.get_parent();
    return [root](Session& session) {
        session.context().out << man_page(*root, session.context().version);
        refuse_lost(session.context().out);
        return ExitCode::ok;
    };
}

}  // namespace hermesctl::cli
