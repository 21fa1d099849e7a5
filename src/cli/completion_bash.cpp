// Completion for bash: one function that finds the command among the words and offers what may follow.
#include "completion.hpp"
#include "describe.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::cli {
namespace {

std::vector<std::string> names_of(const std::vector<Flag>& flags) {
    std::vector<std::string> names;
    for (const Flag& flag : flags) {
        names.insert(names.end(), flag.names.begin(), flag.names.end());
    }
    return names;
}

/// case branches "-n|--namespace) <action> ;;" for the flags that take a value.
std::string value_cases(const std::vector<Flag>& flags, const std::string& prefix) {
    std::string out;
    for (const Flag& flag : flags) {
        if (flag.value.empty()) continue;
        std::string action = "return";
        if (flag.value == "FILE") action = "COMPREPLY=($(compgen -f -- \"$current\")); return";
        if (!flag.choices().empty()) {
            action = fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$current\")); return",
                                 fmt::join(flag.choices(), " "));
        }
        std::vector<std::string> patterns;
        for (const std::string& name : flag.names) {
            patterns.push_back(prefix + name);
        }
        out += fmt::format("        {}) {} ;;\n", fmt::join(patterns, "|"), action);
    }
    return out;
}

/// The words that may follow a command: subcommands, choices of its first argument, flags.
std::vector<std::string> words_of(const CLI::App& command) {
    std::vector<std::string> words;
    for (const CLI::App* each : subcommands_of(command)) {
        words.push_back(each->get_name());
    }
    for (const Argument& argument : arguments_of(command)) {
        words.insert(words.end(), argument.choices.begin(), argument.choices.end());
    }
    const std::vector<std::string> flags = names_of(flags_of(command));
    words.insert(words.end(), flags.begin(), flags.end());
    return words;
}

void visit(const CLI::App& command, const std::string& path, std::string& values, std::string& words) {
    for (const CLI::App* each : subcommands_of(command)) {
        const std::string name = path.empty() ? each->get_name() : path + "_" + each->get_name();
        values += value_cases(flags_of(*each), name + ":");
        words += fmt::format("        {}) words='{}' ;;\n", name, fmt::join(words_of(*each), " "));
        visit(*each, name, values, words);
    }
}

/// Names of all value flags, to step over their values while looking for the command.
std::string steps_of(const CLI::App& command) {
    std::string out;
    for (const Flag& flag : flags_of(command)) {
        if (!flag.value.empty()) out += fmt::format("|{}", fmt::join(flag.names, "|"));
    }
    return out;
}

constexpr std::string_view script = R"(# bash completion for hermesctl
_hermesctl() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command= word words i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${{COMP_WORDS[i]}}
        case $word in
        --) compopt -o default; return ;;
        {steps}) ((i++)) ;;
        -*) ;;
        *) case " {paths} " in *" ${{command:+${{command}}_}}$word "*) command=${{command:+${{command}}_}}$word ;; esac ;;
        esac
    done
    case $command:$previous in
{own}    esac
    case $previous in
{global}    esac
    case $command in
        '') words='{root}' ;;
{words}    esac
    COMPREPLY=($(compgen -W "$words {flags}" -- "$current"))
}}
complete -o bashdefault -F _hermesctl hermesctl
)";

void collect_paths(const CLI::App& command, const std::string& path, std::vector<std::string>& paths) {
    for (const CLI::App* each : subcommands_of(command)) {
        paths.push_back(path.empty() ? each->get_name() : path + "_" + each->get_name());
        collect_paths(*each, paths.back(), paths);
    }
}

}  // namespace

std::string bash_completion(const CLI::App& root) {
    std::string values;
    std::string words;
    visit(root, "", values, words);
    std::vector<std::string> paths;
    collect_paths(root, "", paths);
    std::vector<std::string> commands;
    for (const CLI::App* each : subcommands_of(root)) {
        commands.push_back(each->get_name());
    }
    return fmt::format(script, fmt::arg("steps", steps_of(root).substr(1)), fmt::arg("own", values),
                       fmt::arg("paths", fmt::join(paths, " ")),
                       fmt::arg("global", value_cases(flags_of(root), "")),
                       fmt::arg("root", fmt::join(commands, " ")), fmt::arg("words", words),
                       fmt::arg("flags", fmt::join(names_of(flags_of(root)), " ")));
}

}  // namespace hermesctl::cli
