#include "hermesctl/hermes/manifest.hpp"

#include "hermesctl/hermes/embedded.hpp"

#include <functional>
#include <map>
#include <string>

namespace hermesctl::hermes {

const kube::Json& manifest(std::string_view name) {
    static std::map<std::string, kube::Json, std::less<>> known;
    const auto found = known.find(name);
    if (found != known.end()) return found->second;
    return known.emplace(name, kube::Json::parse(embedded(name))).first->second;
}

}  // namespace hermesctl::hermes
