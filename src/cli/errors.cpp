#include "errors.hpp"

#include "hermesctl/base/scrub.hpp"
#include "hermesctl/term/terminal.hpp"
#include "hermesctl/term/text.hpp"

#include <fmt/format.h>

namespace hermesctl::cli {
namespace {

/// Several lines (a server's list of invalid fields) stay lines, indented.
std::string shown(const std::string& text, std::string_view indent) {
    const std::string safe = scrub(text);
    std::string out;
    for (std::size_t begin = 0; begin <= safe.size();) {
        const std::size_t end = std::min(safe.find('\n', begin), safe.size());
        if (!out.empty()) out += fmt::format("\n{}", indent);
        out += term::printable(safe.substr(begin, end - begin));
        begin = end + 1;
    }
    return out;
}

}  // namespace

void print_error(const Error& error, std::ostream& err, bool colour) {
    const std::string word = colour ? term::paint("error:", term::Colour::red) : "error:";
    err << fmt::format("{} {}\n", word, shown(error.message(), "  "));
    for (const std::string& frame : error.trail()) {
        err << fmt::format("  while {}\n", shown(frame, "    "));
    }
    if (!error.hint().empty()) err << fmt::format("  hint: {}\n", shown(error.hint(), "    "));
    err.flush();
}

kube::Json error_json(const Error& error) {
    return {{"error",
             {{"code", static_cast<int>(error.code())},
              {"message", error.message()},
              {"hint", error.hint()},
              {"while", error.trail()}}}};
}

}  // namespace hermesctl::cli
