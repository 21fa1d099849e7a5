// What the command line has, read back from CLI11: for help, the manual page, completions and "did you mean".
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hermesctl::cli {

struct Flag {
    std::vector<std::string> names{};  // "-n", "--namespace"
    std::string value{};               // "NAME", "FILE", "text|json"; empty: takes none
    std::string help{};
    bool repeatable = false;
    /// "-n, --namespace NAME"
    std::string heading() const;
    /// The words of "text|json"; empty for other values.
    std::vector<std::string> choices() const;
};

struct Argument {
    std::string name{};
    std::string help{};
    bool required = false;
    bool many = false;
    std::vector<std::string> choices{};
};

/// Without -h, --help, and without hidden ones.
std::vector<Flag> flags_of(const CLI::App&);
std::vector<Argument> arguments_of(const CLI::App&);
/// Without hidden ones, in the order of the table.
std::vector<const CLI::App*> subcommands_of(const CLI::App&);
/// "hermesctl completion"
std::string full_name(const CLI::App&);
/// "hermesctl completion SHELL [flags]"
std::string usage_of(const CLI::App&);
/// The innermost command that the parser has come to; the root before any.
const CLI::App& parsed_command(const CLI::App& root);

/// Whole pages.
std::string help_text(const CLI::App& command);
std::string man_page(const CLI::App& root, const std::string& version);

}  // namespace hermesctl::cli
