#include "served.hpp"

#include <algorithm>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

/// "/apis/cilium.io/v2"
std::string version_of(const std::string& collection) {
    std::size_t end = 0;
    for (int i = 0; i < 3; ++i)
        end = collection.find('/', end + 1);
    return collection.substr(0, end);
}

}  // namespace

void want_if_served(kube::Round& round, const std::string& collection) {
    round.want(version_of(collection));
    round.want(collection);
}

bool is_served(const kube::Round& round, const std::string& collection) {
    const kube::Outcome& version = round.of(version_of(collection));
    if (version.error) return version.error->http() != 404;
    const kube::Json& resources = at(version.value(), "/resources");
    if (!resources.is_array()) return true;
    return std::ranges::any_of(
        resources, [&](const kube::Json& one) { return text_at(one, "/name") == resource_of(collection); });
}

std::string resource_of(const std::string& collection) {
    return collection.substr(collection.rfind('/') + 1);
}

}  // namespace hermesctl::hermes
