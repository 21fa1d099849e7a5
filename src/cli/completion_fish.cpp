// Completion for fish: one `complete` line for each command and flag.
#include "completion.hpp"
#include "describe.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::cli {
namespace {

std::string in_quotes(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return "'" + out + "'";
}

std::string flag_lines(const CLI::App& app, const std::string& condition) {
    std::string out;
    for (const Flag& flag : flags_of(app)) {
        out += "complete -c hermesctl" + condition;
        for (const std::string& name : flag.names) {
            const bool is_long = name.starts_with("--");
            out += fmt::format(" {} {}", is_long ? "-l" : "-s", name.substr(is_long ? 2 : 1));
        }
        if (!flag.value.empty()) out += flag.value == "FILE" ? " -r -F" : " -x";
        if (!flag.choices().empty()) out += fmt::format(" -a '{}'", fmt::join(flag.choices(), " "));
        out += fmt::format(" -d {}\n", in_quotes(flag.help));
    }
    return out;
}

void add_command(const CLI::App& command, const std::vector<std::string>& path, std::string& out) {
    // Inside this command, and inside none of its subcommands yet.
    std::string inside;
    for (const std::string& word : path) {
        inside += fmt::format("{}__fish_seen_subcommand_from {}", inside.empty() ? "" : "; and ", word);
    }
    std::vector<std::string> names;
    for (const CLI::App* each : subcommands_of(command)) {
        names.push_back(each->get_name());
    }
    if (path.empty()) {
        inside = "__fish_use_subcommand";
    } else if (!names.empty()) {
        inside += fmt::format("; and not __fish_seen_subcommand_from {}", fmt::join(names, " "));
    }
    for (const CLI::App* each : subcommands_of(command)) {
        out += fmt::format("complete -c hermesctl -n {} -f -a {} -d {}\n", in_quotes(inside),
                           each->get_name(), in_quotes(each->get_description()));
    }
    for (const Argument& argument : arguments_of(command)) {
        if (argument.choices.empty()) continue;
        out += fmt::format("complete -c hermesctl -n {} -f -a '{}'\n", in_quotes(inside),
                           fmt::join(argument.choices, " "));
    }
    out += flag_lines(command, path.empty() ? "" : " -n " + in_quotes(inside));
    for (const CLI::App* each : subcommands_of(command)) {
        std::vector<std::string> deeper = path;
        deeper.push_back(each->get_name());
        add_command(*each, deeper, out);
    }
}

}  // namespace

std::string fish_completion(const CLI::App& root) {
    std::string out = "# fish completion for hermesctl\n";
    add_command(root, {}, out);
    return out;
}

}  // namespace hermesctl::cli
