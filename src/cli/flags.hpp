// Kinds of flags that CLI11 does not have, and the flags of every command.
#pragma once

#include "hermesctl/cli/cli.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace hermesctl::cli {

void add_global_flags(CLI::App&, GlobalFlags&);

/// One value; given twice, the last one counts. `value` is what help calls it ("NAME", "FILE").
CLI::Option* add_text(CLI::App&, const std::string& names, std::string& target, const std::string& value,
                      const std::string& help);
/// The same, where "" is not the same as none.
CLI::Option* add_text(CLI::App&, const std::string& names, std::optional<std::string>& target,
                      const std::string& value, const std::string& help);
/// Repeatable, one value each time.
CLI::Option* add_list(CLI::App&, const std::string& names, std::vector<std::string>& target,
                      const std::string& value, const std::string& help);
/// One of a few words; help shows them as "text|json".
CLI::Option* add_choice(CLI::App&, const std::string& names, std::string& target,
                        const std::vector<std::string>& choices, const std::string& help);
/// "90s", "10m", "1h30m", "500ms".
CLI::Option* add_duration(CLI::App&, const std::string& names, std::chrono::milliseconds& target,
                          const std::string& help);

/// Throws Error{usage} for what is not a duration.
std::chrono::milliseconds parse_duration(std::string_view);

}  // namespace hermesctl::cli
