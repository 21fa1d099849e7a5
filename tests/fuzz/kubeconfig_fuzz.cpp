// Any bytes are a kubeconfig or an Error, never a crash; what is accepted makes usable URLs and headers.
#include "../../src/kube/kubeconfig_check.hpp"
#include "../../src/kube/kubeconfig_file.hpp"
#include "../../src/kube/kubeconfig_headers.hpp"
#include "../../src/kube/kubeconfig_server.hpp"
#include "hermesctl/base/error.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace hermesctl;

void use(const kube::Kubeconfig& config) {
    for (const auto& [name, cluster] : config.clusters) {
        kube::check_cluster(name, cluster);
        const std::string url = kube::server_url(kube::text_at(cluster.value, "/server"), true, name);
        if (kube::has_control_characters(url) || url.ends_with('/')) std::abort();
    }
    for (const auto& [name, user] : config.users) {
        kube::check_user(name, user);
        for (const auto& header : kube::impersonation_headers(name, user)) {
            if (kube::has_control_characters(header.name + header.value)) std::abort();
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        use(kube::parse_kubeconfig({reinterpret_cast<const char*>(data), size}, "/nowhere/config"));
    } catch (const Error& error) {
        if (error.code() != ExitCode::usage) std::abort();
    }
    return 0;
}
