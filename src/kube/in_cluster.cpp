#include "in_cluster.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/file.hpp"
#include "kubeconfig_check.hpp"
#include "kubeconfig_credentials.hpp"

#include <filesystem>
#include <memory>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

std::string variable(const Environment& environment, const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? "" : found->second;
}

}  // namespace

bool in_cluster_possible(const Environment& environment, const std::string& directory) {
    std::error_code code;
    return !variable(environment, "KUBERNETES_SERVICE_HOST").empty() &&
           !variable(environment, "KUBERNETES_SERVICE_PORT").empty() &&
           std::filesystem::exists(directory + "/token", code) &&
           !std::filesystem::is_directory(directory + "/token", code);
}

Connection in_cluster_connection(const Environment& environment, Clock& clock, const std::string& directory) {
    const std::string host = variable(environment, "KUBERNETES_SERVICE_HOST");
    const bool ipv6 = host.find(':') != std::string::npos;
    Connection connection;
    connection.server = fmt::format("https://{}:{}", ipv6 ? "[" + host + "]" : host,
                                    variable(environment, "KUBERNETES_SERVICE_PORT"));
    connection.endpoint.url = connection.server;
    connection.endpoint.ca_pem = read_file(directory + "/ca.crt").value_or("");
    if (!is_pem(connection.endpoint.ca_pem, "CERTIFICATE")) {
        throw Error(ExitCode::usage, fmt::format("{}/ca.crt holds no certificate", directory));
    }
    auto token = std::make_shared<TokenFile>(directory + "/token", "", clock);
    connection.endpoint.credentials = [token](bool rejected) {
        return net::Credentials{.token = token->get(rejected)};
    };
    return connection;
}

}  // namespace hermesctl::kube
