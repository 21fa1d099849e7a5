// The command line: parse, pick, run. Everything that a command gets from outside is in Context.
#pragma once

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/base/report.hpp"
#include "hermesctl/kube/kubeconfig.hpp"
#include "hermesctl/net/http.hpp"
#include "hermesctl/term/terminal.hpp"

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace hermesctl::cli {

/// The flags that every command has.
struct GlobalFlags {
    std::string kubeconfig{};
    std::string context{};
    std::string ns{};    // empty: the default, "hermes"
    std::string name{};  // empty: the default, "hermes"
    std::string file{};  // hermes.yaml; "-" is stdin
    std::string output = "text";
    std::chrono::milliseconds timeout{600'000};
    bool yes = false;
    bool quiet = false;
    bool verbose = false;
    bool no_colour = false;
    /// Of what is typed later (Session::typed_flags): the flags of deploy that `file` would undo.
    std::vector<std::string> in_file{};
    bool json() const { return output == "json"; }
};

/// The outside world, built by main; tests pass their own.
struct Context {
    std::function<std::unique_ptr<net::Transport>(const net::Endpoint&, Clock&)> connect{};
    Clock& clock;
    std::ostream& out;  // the result
    std::ostream& err;  // the story
    std::istream& in;
    Environment environment{};
    std::function<term::Terminal(bool no_colour)> detect_terminal{};
    std::string version{};
    std::string commit{};
    /// The addresses of a host name. Without it no name is known.
    std::function<std::vector<std::string>(const std::string& name)> resolve{};
};

/// Parses and runs; prints an Error in the contract's form (with -o json also as JSON) and returns its code.
ExitCode run(int argc, const char* const* argv, Context&);

}  // namespace hermesctl::cli
