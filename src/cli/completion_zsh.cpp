// Completion for zsh, over _arguments.
#include "completion.hpp"
#include "describe.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::cli {
namespace {

/// Text inside '...' and inside _arguments' [brackets].
std::string in_quotes(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else if (c == '[' || c == ']' || c == ':') {
            out += fmt::format("\\{}", c);
        } else {
            out += c;
        }
    }
    return out;
}

std::string action_of(const std::string& value, const std::vector<std::string>& choices) {
    if (!choices.empty()) return fmt::format("({})", fmt::join(choices, " "));
    return value == "FILE" ? "_files" : "";
}

std::string flag_specs(const CLI::App& app) {
    std::string out;
    for (const Flag& flag : flags_of(app)) {
        const std::string value = flag.value.empty() ? ""
                                                     : fmt::format(":{}:{}", in_quotes(flag.value),
                                                                   action_of(flag.value, flag.choices()));
        for (const std::string& name : flag.names) {
            const std::string others =
                flag.repeatable ? "*" : fmt::format("({})", fmt::join(flag.names, " "));
            out += fmt::format(" \\\n            '{}{}[{}]{}'", others, name, in_quotes(flag.help), value);
        }
    }
    return out;
}

std::string argument_specs(const CLI::App& command) {
    std::string out;
    for (const Argument& argument : arguments_of(command)) {
        out += fmt::format(" \\\n            '{}:{}:{}'", argument.many ? "*" : "", in_quotes(argument.name),
                           argument.choices.empty() ? "_files" : action_of("", argument.choices));
    }
    return out;
}

/// A function for a command; one with subcommands calls theirs.
void add_function(const CLI::App& command, const std::string& name, std::string& out) {
    std::string list;
    std::string cases;
    for (const CLI::App* each : subcommands_of(command)) {
        const std::string own = name + "_" + each->get_name();
        list +=
            fmt::format(" \\\n                '{}:{}'", each->get_name(), in_quotes(each->get_description()));
        cases += fmt::format("            {}) {} ;;\n", each->get_name(), own);
        add_function(*each, own, out);
    }
    const std::string globals = name == "_hermesctl" ? "" : " \"${global[@]}\"";
    if (cases.empty()) {
        out += fmt::format("{}() {{\n    _arguments{}{}{}\n}}\n", name, globals, flag_specs(command),
                           argument_specs(command));
        return;
    }
    out += fmt::format(
        "{0}() {{\n    local state line\n    local -a commands{1}\n    _arguments -C{2} "
        "'1:command:->command' '*::argument:->argument'\n    case $state in\n"
        "        command)\n            commands=({3})\n            _describe command commands ;;\n"
        "        argument)\n            case $words[1] in\n{4}            esac ;;\n    esac\n}}\n",
        name, name == "_hermesctl" ? fmt::format(" global\n    global=({})", flag_specs(command)) : "",
        " \"${global[@]}\"" + (name == "_hermesctl" ? "" : flag_specs(command)), list, cases);
}

}  // namespace

std::string zsh_completion(const CLI::App& root) {
    std::string functions;
    add_function(root, "_hermesctl", functions);
    return "#compdef hermesctl\n" + functions +
           R"(if [ "$funcstack[1]" = _hermesctl ]; then _hermesctl "$@"; else compdef _hermesctl hermesctl; fi)"
           "\n";
}

}  // namespace hermesctl::cli
