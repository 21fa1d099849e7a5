// hermesctl exec: a command in the agent's container.
#include "commands.hpp"
#include "flags.hpp"
#include "remote.hpp"

#include <CLI/CLI.hpp>

namespace hermesctl::cli {
namespace {

struct ExecFlags {
    std::vector<std::string> words{};
    bool root = false;
    bool input = false;
    bool tty = false;
};

ExitCode exec(Session& session, const ExecFlags& flags, const std::vector<std::string>& words) {
    // Keys that are typed while it runs are meant for the next prompt.
    const bool input = flags.input || !session.terminal().input;
    const Lent lent = flags.tty ? Lent::terminal : input ? Lent::input : Lent::output;
    return run_remote(session, flags.root, lent, words);
}

}  // namespace

Run declare_exec(CLI::App& app) {
    auto flags = std::make_shared<ExecFlags>();
    app.add_flag("--root", flags->root, "as the container's root instead of the agent's user");
    app.add_flag("-i,--stdin", flags->input, "pass on stdin even if it is a terminal (else it always is)");
    app.add_flag("-t,--tty", flags->tty, "with a terminal, for programs that ask or draw");
    // An open-ended list of CLI11 would cut words like [a-z] into pieces; a minimum that is never reached
    // takes as many words, each as it is.
    constexpr int endless = 1 << 20;
    CLI::Option* words =
        app.add_option("CMD", flags->words,
                       "the command and its arguments, all from its first word on; it ends with hermesctl")
            ->required()
            ->type_name("")
            ->expected(endless)
            ->allow_extra_args(false)
            ->take_all();
    app.positionals_at_end();  // as docker exec and ssh: `exec head -n 5 FILE` needs no --
    app.footer(
        "hermesctl exec hermes status\n"
        "hermesctl exec -- cat /opt/data/config.yaml > config.yaml\n"
        "hermesctl exec -- sh -c 'cat > /opt/data/notes.md' < notes.md\n"
        "hermesctl exec -t -- hermes setup");
    return [flags, words](Session& session) { return exec(session, *flags, words->results()); };
}

}  // namespace hermesctl::cli
