// hermesctl version
#include "commands.hpp"
#include "hermesctl/net/curl.hpp"
#include "session.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hermesctl::cli {

Run declare_version(CLI::App& app) {
    app.footer("hermesctl version\nhermesctl version -o json");
    return [](Session& session) {
        const Context& context = session.context();
        const kube::Json json{
            {"version", context.version}, {"commit", context.commit}, {"libcurl", net::curl_version()}};
        const std::string commit = context.commit.empty() ? "" : fmt::format(" ({})", context.commit);
        session.print_result(json, fmt::format("hermesctl {}{}\n", context.version, commit));
        return ExitCode::ok;
    };
}

}  // namespace hermesctl::cli
