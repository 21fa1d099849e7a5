# Writes OUT, a C++ file with the bytes of every file in FILES, found by its name.
set(table "")
set(arrays "")
set(index 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "constexpr unsigned char file_${index}[] = {${bytes}0};\n")
  string(APPEND table "    {\"${name}\", {reinterpret_cast<const char*>(file_${index}), sizeof file_${index} - 1}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "#include \"hermesctl/hermes/embedded.hpp\"

#include <stdexcept>
#include <string>

namespace hermesctl::hermes {
namespace {
${arrays}
struct File {
    std::string_view name;
    std::string_view text;
};
const File files[] = {
${table}};
}  // namespace

std::string_view embedded(std::string_view name) {
    for (const File& file : files) {
        if (file.name == name) return file.text;
    }
    throw std::logic_error(\"no embedded file \" + std::string(name));
}
}  // namespace hermesctl::hermes
")
