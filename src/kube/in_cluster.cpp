#include "in_cluster.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/file.hpp"
#include "kubeconfig_check.hpp"
#include "kubeconfig_credentials.hpp"

#include <filesystem>
#include <memory>

#include <fmt/format.h>

namespace hermesctl::kube {

bool in_cluster_possible(const Environment& environment, const std::string& directory) {
    std::error_code code;
    return !value_of(environment, "KUBERNETES_SERVICE_HOST").empty() &&
           !value_of(environment, "KUBERNETES_SERVICE_PORT").empty() &&
           std::filesystem::exists(directory + "/token", code) &&
           !std::filesystem::is_directory(directory + "/token", code);
}

Connection in_cluster_connection(const Environment& environment, Clock& clock, const std::string& directory) {
    const std::string host = value_of(environment, "KUBERNETES_SERVICE_HOST");
    const bool ipv6 = host.find(':') != std::string::npos;
    Connection connection;
    connection.server = fmt::format("https://{}:{}", ipv6 ? "[" + host + "]" : host,
                                    value_of(environment, "KUBERNETES_SERVICE_PORT"));
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
