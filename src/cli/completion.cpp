// hermesctl completion SHELL
#include "completion.hpp"

#include "commands.hpp"
#include "errors.hpp"
#include "flags.hpp"
#include "session.hpp"

#include <CLI/CLI.hpp>

namespace hermesctl::cli {

Run declare_completion(CLI::App& app) {
    auto shell = std::make_shared<std::string>();
    add_choice(app, "SHELL", *shell, {"bash", "zsh", "fish"}, "bash, zsh or fish")->required();
    app.footer(
        "source <(hermesctl completion bash)\n"
        "hermesctl completion zsh > \"${fpath[1]}/_hermesctl\"\n"
        "hermesctl completion fish > ~/.config/fish/completions/hermesctl.fish");
    const CLI::App* root = app.get_parent();
    return [root, shell](Session& session) {
        session.refuse_json("the script is printed as it is");
        std::ostream& out = session.context().out;
        if (*shell == "bash") out << bash_completion(*root);
        if (*shell == "zsh") out << zsh_completion(*root);
        if (*shell == "fish") out << fish_completion(*root);
        refuse_lost(out);
        return ExitCode::ok;
    };
}

}  // namespace hermesctl::cli
