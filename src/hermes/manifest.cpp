#include "hermesctl/hermes/manifest.hpp"

#include "hermesctl/hermes/embedded.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <functional>
#include <map>
#include <string>

namespace hermesctl::hermes {

const kube::Json& manifest(std::string_view name) {
    static std::map<std::string, kube::Json, std::less<>> known;
    const auto found = known.find(name);
    if (found != known.end()) return found->second;
    return known.emplace(name, kube::parse_yaml(embedded(name), name).at(0)).first->second;
}

}  // namespace hermesctl::hermes
