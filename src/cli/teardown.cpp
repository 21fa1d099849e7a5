// hermesctl teardown: removes everything but the data, and says what stays.
#include "hermesctl/hermes/teardown.hpp"

#include "commands.hpp"
#include "errors.hpp"
#include "requested.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

struct TeardownFlags {
    bool delete_data = false;
    bool dry_run = false;
};

std::string plan_text(const hermes::Removal& removal, const hermes::Names& names) {
    std::string text;
    for (const kube::Ref& ref : removal.objects) {
        text += fmt::format("- remove  {}\n", title(ref));
    }
    if (removal.name_space) text += fmt::format("- remove  namespace/{}\n", names.ns);
    for (const std::string& kept : removal.stays) {
        text += fmt::format("= keep    {}\n", kept);
    }
    return text;
}

kube::Json to_json(const hermes::Removal& removal, const hermes::Names& names, bool changed) {
    kube::Json removed = kube::Json::array();
    for (const kube::Ref& ref : removal.objects) {
        removed.push_back(title(ref));
    }
    if (removal.name_space) removed.push_back("namespace/" + names.ns);
    return {{"changed", changed}, {"removed", removed}, {"kept", removal.stays}};
}

std::string kept_text(const hermes::Removal& removal) {
    std::string text;
    for (const std::string& kept : removal.stays) {
        text += fmt::format("kept: {}\n", kept);
    }
    if (removal.keeps_data) {
        text +=
            "to come back with the same memory: hermesctl deploy, which takes the token, the key and who may use "
            "the bot anew\n";
        text += "to remove the data too: hermesctl teardown --delete-data\n";
    }
    return text;
}

std::string farewell(const hermes::Removal& removal) {
    return "removed\n" + kept_text(removal) +
           "the bot and the key still exist: /deletebot at @BotFather, and the provider's console\n";
}

ExitCode teardown(Session& session, const TeardownFlags& flags) {
    const hermes::Names names = requested_names(session);
    session.announce(names.ns);
    const hermes::Live live = hermes::read_live(session.client(), names);
    const hermes::Removal removal = hermes::plan_removal(session.client(), live, names, flags.delete_data);
    if (removal.objects.empty() && !removal.name_space) {
        session.print_result(to_json(removal, names, false),
                             "there is nothing to remove\n" + (removal.keeps_data ? kept_text(removal) : ""));
        return ExitCode::ok;
    }
    if (flags.dry_run) {
        session.print_result(to_json(removal, names, false), plan_text(removal, names));
        return ExitCode::ok;
    }
    session.show_plan(plan_text(removal, names));
    const bool takes_data = std::ranges::find(removal.objects, names.claim()) != removal.objects.end();
    const std::string question =
        takes_data ? fmt::format("remove all this, and the data of {} for ever?", names.claim().name)
                   : "remove this?";
    told_when_cut_off(false, [&] { session.confirm(question, true); });
    hermes::HeldLease lease(session.client(), names, session.story());
    const hermes::Removal done = hermes::remove(session.client(), live, names, removal,
                                                session.flags().timeout, lease, session.story(), [&] {
                                                    session.print_partial({{"changed", true}}, "");
                                                });
    session.print_result(to_json(done, names, true), farewell(done));
    return ExitCode::ok;
}

}  // namespace

Run declare_teardown(CLI::App& app) {
    auto flags = std::make_shared<TeardownFlags>();
    app.add_flag("--delete-data", flags->delete_data,
                 "also the data volume, and the namespace if hermesctl made it");
    app.add_flag("--dry-run", flags->dry_run, "show what would go and change nothing");
    app.footer("hermesctl teardown\nhermesctl teardown --delete-data -y");
    return [flags](Session& session) { return teardown(session, *flags); };
}

}  // namespace hermesctl::cli
