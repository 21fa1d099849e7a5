#include "describe.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::cli {
namespace {

bool is_shown(const CLI::App& app, const CLI::Option& option) {
    return !option.get_group().empty() && &option != app.get_help_ptr();
}

std::vector<std::string> choices_of(const std::string& value) {
    if (value.find('|') == std::string::npos) return {};
    return CLI::detail::split(value, '|');
}

}  // namespace

std::string Flag::heading() const {
    const std::string list = fmt::format("{}", fmt::join(names, ", "));
    const std::string indent = names.front().starts_with("--") ? "    " : "";
    return indent + list + (value.empty() ? "" : " " + value);
}

std::vector<std::string> Flag::choices() const {
    return choices_of(value);
}

std::vector<Flag> flags_of(const CLI::App& app) {
    std::vector<Flag> flags;
    for (const CLI::Option* option : app.get_options()) {
        if (!option->nonpositional() || !is_shown(app, *option)) continue;
        Flag flag;
        for (const std::string& name : option->get_snames()) {
            flag.names.push_back("-" + name);
        }
        for (const std::string& name : option->get_lnames()) {
            flag.names.push_back("--" + name);
        }
        const std::string kind = option->get_type_name();  // CLI11 appends what its validators say
        flag.value = option->get_items_expected_max() == 0 ? "" : kind.substr(0, kind.find(':'));
        flag.help = option->get_description();
        flag.repeatable =
            !flag.value.empty() && option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
        flags.push_back(std::move(flag));
    }
    return flags;
}

std::vector<Argument> arguments_of(const CLI::App& app) {
    std::vector<Argument> arguments;
    for (const CLI::Option* option : app.get_options()) {
        if (!option->get_positional() || !is_shown(app, *option)) continue;
        arguments.push_back({option->get_name(true), option->get_description(), option->get_required(),
                             option->get_items_expected_max() > 1, choices_of(option->get_type_name())});
    }
    return arguments;
}

std::vector<const CLI::App*> subcommands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); });
}

std::string full_name(const CLI::App& app) {
    if (app.get_parent() == nullptr) return app.get_name();
    return full_name(*app.get_parent()) + " " + app.get_name();
}

std::string usage_of(const CLI::App& app) {
    std::string usage = full_name(app);
    if (!subcommands_of(app).empty()) usage += " COMMAND";
    usage += " [flags]";
    for (const Argument& argument : arguments_of(app)) {
        const std::string word = argument.name + (argument.many ? "..." : "");
        usage += argument.required ? " " + word : " [" + word + "]";
    }
    return usage;
}

const CLI::App& parsed_command(const CLI::App& root) {
    const CLI::App* command = &root;
    while (!command->get_subcommands().empty()) {
        command = command->get_subcommands().front();
    }
    return *command;
}

}  // namespace hermesctl::cli
