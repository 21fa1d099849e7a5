#include "hermesctl/hermes/embedded.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <map>

namespace hermesctl::hermes {

const Json& manifest(std::string_view name) {
    static std::map<std::string, Json, std::less<>> known;
    const auto found = known.find(name);
    if (found != known.end()) return found->second;
    return known.emplace(name, kube::parse_yaml(embedded(name), name).at(0)).first->second;
}

}  // namespace hermesctl::hermes
