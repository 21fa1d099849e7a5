// hermesctl shell: a shell in the agent's container.
#include "commands.hpp"
#include "remote.hpp"

#include <CLI/CLI.hpp>

namespace hermesctl::cli {

Run declare_shell(CLI::App& app) {
    auto root = std::make_shared<bool>(false);
    app.add_flag("--root", *root, "as the container's root instead of the agent's user");
    app.footer("hermesctl shell\nhermesctl shell --root");
    return [root](Session& session) {
        // By absolute path: beside the agent, a name is whatever it has put into PATH.
        return run_remote(session, *root, Lent::terminal,
                          {"/bin/sh", "-c", "if [ -x /bin/bash ]; then exec /bin/bash; fi; exec /bin/sh"});
    };
}

}  // namespace hermesctl::cli
