// The table of commands: a name, one line about it, and the function that declares its flags.
#pragma once

#include "hermesctl/base/error.hpp"
#include "hermesctl/cli/cli.hpp"

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace hermesctl::cli {

class Session;
using Run = std::function<ExitCode(Session&)>;

struct Command {
    std::string_view name{};
    std::string_view summary{};
    /// Adds the command's flags and examples (App::footer) to its App. What it returns runs once all is
    /// parsed.
    Run (*declare)(CLI::App&) = nullptr;
    bool hidden = false;  // works, but is not shown in help, docs and completions
};

/// In the order in which help shows them.
std::span<const Command> commands();

Run declare_deploy(CLI::App&);
Run declare_status(CLI::App&);
Run declare_verify(CLI::App&);
Run declare_rotate_secret(CLI::App&);
Run declare_wait(CLI::App&);
Run declare_allow_user(CLI::App&);
Run declare_render(CLI::App&);
Run declare_diff(CLI::App&);
Run declare_restart(CLI::App&);
Run declare_stop(CLI::App&);
Run declare_start(CLI::App&);
Run declare_exec(CLI::App&);
Run declare_shell(CLI::App&);
Run declare_cp(CLI::App&);
Run declare_logs(CLI::App&);
Run declare_teardown(CLI::App&);
Run declare_list(CLI::App&);
Run declare_version(CLI::App&);
Run declare_completion(CLI::App&);
Run declare_man(CLI::App&);

}  // namespace hermesctl::cli
