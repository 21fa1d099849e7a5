// Whatever stands in a hermes.yaml: it is refused with an Error, or its cage can be drawn.
#include "hermesctl/base/error.hpp"
#include "hermesctl/hermes/policy.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hermesctl;
    try {
        for (const auto& settings :
             hermes::settings_of_file({reinterpret_cast<const char*>(data), size}, "fuzz")) {
            hermes::egress_rules(hermes::values_of(settings), {}, hermes::Json::array());
        }
    } catch (const Error&) {
        return 0;
    }
    return 0;
}
