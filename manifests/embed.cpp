// embed OUT FILE...: writes OUT, a C++ file that has the text of each FILE by its name. YAML goes in as JSON:
// to read YAML at every start would be a tenth of what a deploy with nothing to change takes.
#include "hermesctl/base/file.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <exception>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

namespace {

using namespace hermesctl;

constexpr std::string_view source = R"(#include "hermesctl/hermes/embedded.hpp"

#include <stdexcept>
#include <string>

namespace hermesctl::hermes {{

std::string_view embedded(std::string_view name) {{
{}    throw std::logic_error("no embedded file " + std::string(name));
}}

}}  // namespace hermesctl::hermes
)";

std::string line_for(const std::filesystem::path& path) {
    auto text = read_file(path.string());
    if (!text) throw std::runtime_error(path.string() + ": there is no such file");
    if (path.extension() == ".yaml") {
        const auto documents = kube::parse_yaml(*text, path.string());
        if (documents.size() != 1) throw std::runtime_error(path.string() + ": one object a file");
        text = documents[0].dump();
    }
    return fmt::format("    if (name == \"{}\") return R\"embed({})embed\";\n", path.filename().string(),
                       *text);
}

}  // namespace

int main(int argc, char** argv) try {
    std::string lines;
    for (int i = 2; i < argc; ++i)
        lines += line_for(argv[i]);
    write_file(argv[1], fmt::format(source, lines));
    return 0;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
