#include "errors.hpp"

#include "commands.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/term/terminal.hpp"
#include "hermesctl/term/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

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

constexpr std::string_view program = "hermesctl ";
constexpr std::string_view small_letters = "abcdefghijklmnopqrstuvwxyz-";

/// As a shell reads it back.
std::string quoted(const std::string& value) {
    const bool plain = std::ranges::all_of(value, [](unsigned char c) {
        return std::isalnum(c) != 0 ||
               std::string_view("@%+=:,./-_").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (plain) return value;
    std::string text = "'";
    for (const char c : value) {
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return text + "'";
}

struct Given {
    std::string_view flag{};
    std::string_view long_flag{};
    std::string value{};  // empty: not given
    bool of_cluster = false;
};

std::array<Given, 5> given(const GlobalFlags& flags) {
    // In a file the default is what the file says.
    const auto beside = [&](const std::string& value) {
        return value == "hermes" && flags.file.empty() ? std::string() : value;
    };
    return {Given{"--kubeconfig", "--kubeconfig", flags.kubeconfig, true},
            Given{"--context", "--context", flags.context, true}, Given{"-f", "--file", flags.file},
            Given{"-n", "--namespace", beside(flags.ns)}, Given{"--name", "--name", beside(flags.name)}};
}

bool has_flag(std::string_view line, std::string_view flag) {
    const std::size_t at = line.find(fmt::format(" {}", flag));
    if (at == std::string_view::npos) return false;
    const std::string_view after = line.substr(at + 1 + flag.size());
    return after.empty() || after.front() == ' ' || after.front() == '=';
}

/// What `command` lacks, its `rest` being what follows it in the text.
std::string missing_flags(std::string_view command, std::string_view rest, const GlobalFlags& flags) {
    if (command == "version" || command == "completion" || rest.starts_with(" --help")) return {};
    std::string text;
    for (const Given& each : given(flags)) {
        if (each.value.empty() || has_flag(rest, each.flag) || has_flag(rest, each.long_flag)) continue;
        if (command == "list" && !each.of_cluster) continue;  // it looks for instances, wherever they are
        text += fmt::format(" {} {}", each.flag, quoted(each.value));
    }
    return text;
}

bool is_command(std::string_view word) {
    return std::ranges::any_of(commands(), [&](const Command& command) { return command.name == word; });
}

}  // namespace

std::string completed_hint(std::string_view text, const GlobalFlags& flags) {
    std::string out;
    for (std::size_t at = 0; (at = text.find(program)) != std::string_view::npos;) {
        const std::size_t end =
            std::min(text.find_first_not_of(small_letters, at + program.size()), text.size());
        const std::string_view command = text.substr(at + program.size(), end - at - program.size());
        out += text.substr(0, end);
        text.remove_prefix(end);
        const std::string_view rest =
            text.substr(0, std::min({text.find(program), text.find('\n'), text.find(';')}));
        if (is_command(command)) out += missing_flags(command, rest, flags);
    }
    return out += text;
}

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
