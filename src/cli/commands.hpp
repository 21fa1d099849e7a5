// The table of commands: a name, one line about it, and the function that declares its flags. One file a
// command.
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
    Run (*declare)(CLI::App&, const GlobalFlags&) = nullptr;
    bool hidden = false;  // works, but is not shown in help, docs and completions
};

/// In the order in which help shows them.
std::span<const Command> commands();

Run declare_deploy(CLI::App&, const GlobalFlags&);
Run declare_status(CLI::App&, const GlobalFlags&);
Run declare_verify(CLI::App&, const GlobalFlags&);
Run declare_rotate_secret(CLI::App&, const GlobalFlags&);
Run declare_wait(CLI::App&, const GlobalFlags&);
Run declare_allow_user(CLI::App&, const GlobalFlags&);
Run declare_render(CLI::App&, const GlobalFlags&);
Run declare_diff(CLI::App&, const GlobalFlags&);
Run declare_restart(CLI::App&, const GlobalFlags&);
Run declare_stop(CLI::App&, const GlobalFlags&);
Run declare_start(CLI::App&, const GlobalFlags&);
Run declare_exec(CLI::App&, const GlobalFlags&);
Run declare_shell(CLI::App&, const GlobalFlags&);
Run declare_cp(CLI::App&, const GlobalFlags&);
Run declare_logs(CLI::App&, const GlobalFlags&);
Run declare_teardown(CLI::App&, const GlobalFlags&);
Run declare_list(CLI::App&, const GlobalFlags&);
Run declare_version(CLI::App&, const GlobalFlags&);
Run declare_completion(CLI::App&, const GlobalFlags&);
Run declare_man(CLI::App&, const GlobalFlags&);

}  // namespace hermesctl::cli
