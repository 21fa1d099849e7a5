#include "commands.hpp"

#include <array>

namespace hermesctl::cli {

std::span<const Command> commands() {
    static constexpr std::array rows{
        Command{"deploy", "put an agent into the cluster and wait until it answers", declare_deploy},
        Command{"status", "is it answering, and if not, why", declare_status},
        Command{"verify", "prove that the cage holds", declare_verify},
        Command{"rotate-secret", "change secrets: tried first, proved after", declare_rotate_secret},
        Command{"allow-user", "who may use the bot: let people in, and put them out", declare_allow_user},
        Command{"wait", "wait until it answers", declare_wait},
        Command{"render", "print the objects as YAML", declare_render},
        Command{"diff", "show what deploy would change", declare_diff},
        Command{"restart", "restart the agent and wait until it answers", declare_restart},
        Command{"stop", "stop the agent (the kill switch)", declare_stop},
        Command{"start", "start a stopped agent", declare_start},
        Command{"exec", "run a command in the agent's container", declare_exec},
        Command{"shell", "open a shell in the agent's container", declare_shell},
        Command{"cp", "copy files to and from the agent's container", declare_cp},
        Command{"logs", "show the agent's logs", declare_logs},
        Command{"teardown", "remove the installation, but not its data", declare_teardown},
        Command{"list", "show all instances in the cluster", declare_list},
        Command{"version", "show the version", declare_version},
        Command{"completion", "print a completion script for a shell", declare_completion},
        Command{"man", "print the manual page", declare_man, true},
    };
    return rows;
}

}  // namespace hermesctl::cli
