// Turns what CLI11 objects to into the contract's error, with the nearest command or flag.
#include "describe.hpp"
#include "errors.hpp"
#include "hermesctl/base/nearest.hpp"
#include "hermesctl/hermes/allowlist.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

std::string hint_at(std::string_view word, const std::vector<std::string>& names) {
    return did_you_mean(word, std::vector<std::string_view>(names.begin(), names.end()));
}

std::vector<std::string> flag_names(const CLI::App& root, const CLI::App& command) {
    std::vector<std::string> names{"--help"};
    for (const CLI::App* app : {&command, &root}) {
        for (const Flag& flag : flags_of(*app)) {
            names.insert(names.end(), flag.names.begin(), flag.names.end());
        }
    }
    return names;
}

/// A group's id looks like a flag.
std::string about_user(const CLI::App& command, const std::string& word) {
    const bool number = word.size() > 1 && word[0] == '-' && word[1] >= '0' && word[1] <= '9';
    if (!number || command.get_name() != "allow-user") return "";
    try {
        hermes::users_of(word);
        return "";
    } catch (const Error& error) {
        return error.message();
    }
}

std::string unexpected(const CLI::App& root, const CLI::App& command) {
    std::string word;
    for (const std::string& left : root.remaining(true)) {
        if (left == "--") continue;
        if (word.empty() || (left.starts_with("-") && !word.starts_with("-"))) word = left;
    }
    if (const std::string about = about_user(command, word); !about.empty()) return about;
    if (word.starts_with("-")) {
        const std::string name = word.substr(0, word.find('='));
        return fmt::format("there is no flag {}{}", name, hint_at(name, flag_names(root, command)));
    }
    if (subcommands_of(command).empty()) return fmt::format("unexpected argument \"{}\"", word);
    std::vector<std::string> names;
    for (const CLI::App* each : subcommands_of(command)) {
        names.push_back(each->get_name());
    }
    return fmt::format("there is no command \"{}\"{}", word, hint_at(word, names));
}

std::string lower_first(std::string text) {
    if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a') text[0] ^= ' ';
    return text;
}

}  // namespace

Error usage_error(const CLI::ParseError& problem, const CLI::App& root) {
    const CLI::App& command = parsed_command(root);
    std::string message = lower_first(problem.what());
    if (dynamic_cast<const CLI::ExtrasError*>(&problem) != nullptr) {
        message = unexpected(root, command);
    } else if (dynamic_cast<const CLI::ArgumentMismatch*>(&problem) != nullptr) {
        if (message.ends_with(" missing")) message = message.substr(0, message.find(':')) + " needs a value";
    }
    return {ExitCode::usage, message, full_name(command) + " --help"};
}

}  // namespace hermesctl::cli
