// What parses must come back the same after a dump; what does not must be refused with an Error.
#include "hermesctl/base/error.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hermesctl;
    std::vector<kube::Json> documents;
    try {
        documents = kube::parse_yaml({reinterpret_cast<const char*>(data), size}, "fuzz");
    } catch (const Error&) {
        return 0;
    }
    if (kube::parse_yaml(kube::dump_yaml_documents(documents), "dump") != documents) std::abort();
    return 0;
}
