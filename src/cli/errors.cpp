#include "errors.hpp"

#include "commands.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
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
    for (const std::string_view line : split(safe, "\n")) {
        if (!out.empty()) out += fmt::format("\n{}", indent);
        out += term::printable(line);
    }
    return out;
}

constexpr std::string_view ours = "hermesctl ";
constexpr std::string_view kubectl = "kubectl ";
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

std::array<Given, 5> given(std::string_view command, const GlobalFlags& flags) {
    // In a file the default is what the file says.
    const auto beside = [&](const std::string& value) {
        return value == "hermes" && flags.file.empty() ? std::string() : value;
    };
    const std::string_view file = command == "logs" ? "--file" : "-f";  // logs -f follows
    return {Given{"--kubeconfig", "--kubeconfig", flags.kubeconfig, true},
            Given{"--context", "--context", flags.context, true}, Given{file, "--file", flags.file},
            Given{"-n", "--namespace", beside(flags.ns)}, Given{"--name", "--name", beside(flags.name)}};
}

bool has_flag(std::string_view line, std::string_view flag) {
    const std::size_t at = line.find(fmt::format(" {}", flag));
    if (at == std::string_view::npos) return false;
    const std::string_view after = line.substr(at + 1 + flag.size());
    return after.empty() || std::string_view(" =,)").find(after.front()) != std::string_view::npos;
}

/// What a command lacks, its `rest` being what follows it in the text.
std::string missing_flags(std::string_view command, std::string_view rest, const GlobalFlags& flags,
                          bool cluster_alone) {
    std::string text;
    for (const Given& each : given(command, flags)) {
        if (each.value.empty() || has_flag(rest, each.flag) || has_flag(rest, each.long_flag)) continue;
        if (each.of_cluster || !cluster_alone) text += fmt::format(" {} {}", each.flag, quoted(each.value));
    }
    return text;
}

bool is_command(std::string_view word) {
    return std::ranges::any_of(commands(), [&](const Command& command) { return command.name == word; });
}

std::string completed(std::string_view command, std::string_view rest, const GlobalFlags& flags) {
    const bool needs_none = command == "version" || command == "completion" || rest.starts_with(" --help");
    if (!is_command(command) || needs_none) return std::string(command);
    // "list" looks for instances, wherever they are.
    return fmt::format("{}{}", command, missing_flags(command, rest, flags, command == "list"));
}

/// kubectl's flags stand before its verb: what follows may belong to a command in the container.
std::string completed_kubectl(std::string_view verb, std::string_view rest, const GlobalFlags& flags) {
    constexpr std::array<std::string_view, 14> verbs{"-n",     "annotate", "apply", "config", "create",
                                                     "delete", "describe", "edit",  "exec",   "get",
                                                     "label",  "rollout",  "set",   "wait"};
    const std::string missing =
        std::ranges::find(verbs, verb) == verbs.end() ? "" : missing_flags(verb, rest, flags, true);
    return missing.empty() ? std::string(verb) : fmt::format("{} {}", missing.substr(1), verb);
}

using Completion = std::string (*)(std::string_view word, std::string_view rest, const GlobalFlags&);

/// With the word after each `program` as `completion` makes it.
std::string with_each(std::string_view program, Completion completion, std::string_view text,
                      const GlobalFlags& flags) {
    std::string out;
    for (std::size_t at = 0; (at = text.find(program)) != std::string_view::npos;) {
        const std::size_t begin = at + program.size();
        const std::size_t end = std::min(text.find_first_not_of(small_letters, begin), text.size());
        const std::string_view word = text.substr(begin, end - begin);
        out += text.substr(0, begin);
        text.remove_prefix(end);
        const std::string_view rest =
            text.substr(0, std::min({text.find(ours), text.find(kubectl), text.find('\n'), text.find(';')}));
        out += completion(word, rest, flags);
    }
    return out += text;
}

/// Where the file of this run is to be named, for which a hint has FILE.
std::string without_placeholder(std::string_view text) {
    constexpr std::string_view deploy = "hermesctl deploy";
    constexpr std::string_view file = " -f FILE";
    const std::string named = fmt::format("{}{}", deploy, file);
    std::string hint(text);
    for (std::size_t at = 0; (at = hint.find(named, at)) != std::string::npos;) {
        at += deploy.size();
        hint.erase(at, file.size());
    }
    return hint;
}

/// Whether the next deploy of the file takes back what this command changes.
bool is_in_file(std::string_view clause, const GlobalFlags& flags) {
    const std::size_t deploy = clause.find("hermesctl deploy ");
    return deploy != std::string_view::npos &&
           std::ranges::any_of(flags.in_file, [rest = clause.substr(deploy)](const std::string& flag) {
               return has_flag(rest, flag);
           });
}

std::string with_file_named(std::string_view text, const GlobalFlags& flags) {
    const std::string note = fmt::format("; {} sets that, too: change it there", flags.file);
    std::string out;
    while (!text.empty()) {
        const std::string_view clause = text.substr(0, text.find_first_of(";\n"));
        text.remove_prefix(clause.size());
        out += clause;
        const bool said = text.starts_with(';') && trimmed(text.substr(1)).starts_with(flags.file);
        if (!said && is_in_file(clause, flags)) out += note;
        out += text.substr(0, 1);
        text.remove_prefix(std::min<std::size_t>(1, text.size()));
    }
    return out;
}

}  // namespace

std::string completed_hint(std::string_view text, const GlobalFlags& flags) {
    std::string hint = flags.file.empty() ? std::string(text) : without_placeholder(text);
    hint = with_each(kubectl, completed_kubectl, with_each(ours, completed, hint, flags), flags);
    return flags.file.empty() || flags.in_file.empty() ? hint : with_file_named(hint, flags);
}

void refuse_lost(std::ostream& out) {
    if (!out.flush()) throw Error(ExitCode::failed, "the result could not be written to stdout");
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
