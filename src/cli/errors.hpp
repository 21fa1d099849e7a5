// How an error is told: to a person on stderr, to a program as JSON on stdout.
#pragma once

#include "hermesctl/base/error.hpp"
#include "hermesctl/cli/cli.hpp"
#include "hermesctl/kube/object.hpp"

#include <ostream>
#include <string>
#include <string_view>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace hermesctl::cli {

/// The text with the flags of this run in each "hermesctl COMMAND" that lacks them, and in each of kubectl's
/// those that name the cluster: typed as it stands, it means the same cluster and instance. What a "deploy"
/// would change only until the next one of the file is said to be in that.
std::string completed_hint(std::string_view text, const GlobalFlags&);

/// Runs a command, or a part of it; an interrupt before it has begun to change anything says so.
template <typename Run>
auto told_when_cut_off(const bool& began, const Run& run) {
    try {
        return run();
    } catch (const Error& error) {
        if (error.code() != ExitCode::interrupted || began) throw;
        throw Error(ExitCode::interrupted, error.message() + "; nothing was changed");
    }
}

/// Throws Error{failed} where what was written to this stream is lost: a full disk, say.
void refuse_lost(std::ostream& out);

void print_error(const Error&, std::ostream& err, bool colour);
kube::Json error_json(const Error&);

/// What CLI11 found wrong, in our words; with "did you mean" for commands and flags.
Error usage_error(const CLI::ParseError&, const CLI::App& root);

}  // namespace hermesctl::cli
