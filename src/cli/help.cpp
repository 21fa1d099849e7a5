// The help page of a command: what it does, how it is called, its flags, examples.
#include "describe.hpp"
#include "hermesctl/term/text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::cli {
namespace {

using Line = std::pair<std::string, std::string>;

constexpr int page_width = 80;

std::string section(const std::string& title, const std::vector<Line>& lines) {
    if (lines.empty()) return {};
    int width = 0;
    for (const auto& [left, right] : lines) {
        width = std::max(width, term::columns(left));
    }
    std::string out = fmt::format("\n{}:\n", title);
    for (const auto& [left, right] : lines) {
        std::string start = "  " + term::pad(left, width) + "  ";
        for (const std::string& piece :
             term::wrapped(right, page_width - std::min(width + 4, page_width - 20))) {
            out += start + piece + "\n";
            start.assign(static_cast<std::size_t>(width) + 4, ' ');
        }
    }
    return out;
}

std::vector<Line> flag_lines(const CLI::App& app) {
    std::vector<Line> lines;
    for (const Flag& flag : flags_of(app)) {
        lines.emplace_back(flag.heading(), flag.help + (flag.repeatable ? " (repeatable)" : ""));
    }
    return lines;
}

/// The root's flags in few words, for the page of a command.
std::string global_summary(const CLI::App& root) {
    std::vector<std::string> names;
    for (const Flag& flag : flags_of(root)) {
        names.push_back(flag.names.front());
    }
    std::string out = "\nflags of every command (see hermesctl --help):\n";
    for (const std::string& line : term::wrapped(fmt::format("{}", fmt::join(names, " ")), page_width - 2)) {
        out += "  " + line + "\n";
    }
    return out;
}

}  // namespace

std::string help_text(const CLI::App& command) {
    std::string out;
    for (const std::string& line : term::wrapped(command.get_description(), page_width)) {
        out += line + "\n";
    }
    out += fmt::format("\nusage: {}\n", usage_of(command));
    std::vector<Line> lines;
    for (const CLI::App* each : subcommands_of(command)) {
        lines.emplace_back(each->get_name(), each->get_description());
    }
    out += section("commands", lines);
    lines.clear();
    for (const Argument& argument : arguments_of(command)) {
        lines.emplace_back(argument.name, argument.help);
    }
    out += section("arguments", lines);
    const bool is_root = command.get_parent() == nullptr;
    out += section(is_root ? "flags of every command" : "flags", flag_lines(command));
    if (const std::string examples = command.get_footer(); !examples.empty()) {
        out += "\nexamples:\n";
        for (const std::string& line : CLI::detail::split(examples, '\n')) {
            out += "  " + line + "\n";
        }
    }
    if (is_root) return out + "\nhermesctl COMMAND --help shows the command's own flags and examples.\n";
    const CLI::App* root = &command;
    while (root->get_parent() != nullptr) {
        root = root->get_parent();
    }
    return out + global_summary(*root);
}

}  // namespace hermesctl::cli
