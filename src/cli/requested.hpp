// What was asked for: a file's documents and the flags over them, as settings in the shape of hermes.yaml.
#pragma once

#include "hermesctl/hermes/compose.hpp"
#include "session.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hermesctl::cli {

/// The flags of deploy, diff and render.
struct DeployFlags {
    std::optional<std::string> provider{};  // "" was given, too
    std::optional<std::string> model{};
    std::vector<std::string> allow_users{};
    std::optional<std::string> image{};
    std::optional<std::string> storage_size{};
    std::optional<std::string> storage_class{};
    std::vector<std::string> secrets{};
    bool dry_run = false;
    bool no_wait = false;
    bool no_check = false;
    bool force_conflicts = false;
    bool gate = false;
    bool no_gate = false;
    bool hardened = false;
    bool no_hardened = false;
    bool replace_users = false;
    std::string config = "keep";
    std::chrono::milliseconds drain{60'000};
};

/// The ones that say what the installation is; the rest are deploy's own.
void add_setting_flags(CLI::App&, DeployFlags&);

/// One settings object for each document of -f that --name and --namespace allow; one without -f.
/// Throws Error{usage} for a file that is not there or wrong, and for secrets on the command line.
std::vector<hermes::Json> requested(Session&, const DeployFlags&);

/// What -f (or nothing) says of the one installation that the global flags mean, and which that is.
hermes::Json requested_settings(Session&);
hermes::Names requested_names(Session&);

/// "bob in namespace bots"
std::string called(const hermes::Names&);
/// The line over what is said of one of several instances; "" where there is but one.
std::string heading(const Session&, const hermes::Names&);

/// What a file (or stdin, for "-") holds. Throws Error{usage} when there is no such file.
std::string text_of_file(Session&, const std::string& file);
/// What an error calls it.
std::string source_name(const std::string& file);

/// For hermes::compose: asks at a terminal, reads stdin, files, environment and programs.
hermes::Wish wish_of(Session&, hermes::Json settings, const DeployFlags&);

}  // namespace hermesctl::cli
