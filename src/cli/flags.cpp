#include "flags.hpp"

#include <algorithm>
#include <charconv>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::cli {
namespace {

using std::chrono::milliseconds;

/// RFC 1123 label, as namespaces and the names derived from an instance's must be.
std::string label_problem(const std::string& text) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const bool good = !text.empty() && text.size() <= 63 && plain(text.front()) && plain(text.back()) &&
                      std::all_of(text.begin(), text.end(), [&](char c) { return plain(c) || c == '-'; });
    if (good) return {};
    return fmt::format("\"{}\" is not a name: at most 63 of a-z, 0-9 and '-', no '-' at the ends", text);
}

/// "-o=json", as kubectl takes it; CLI11 would give "=json".
std::string without_sign(std::string value) {
    if (value.starts_with("=")) value.erase(0, 1);
    return value;
}

/// Without a type name of its own: help shows the option's.
CLI::Validator check_of(std::function<std::string(std::string&)> check) {
    return {std::move(check), ""};
}

void add_label(CLI::App& app, const std::string& names, std::string& target, const std::string& help) {
    add_text(app, names, target, "NAME", help)
        ->check(check_of(label_problem))
        ->transform(without_sign, "", "");
}

milliseconds unit_of(std::string_view name) {
    if (name == "ms") return milliseconds{1};
    if (name == "s") return std::chrono::seconds{1};
    if (name == "m") return std::chrono::minutes{1};
    if (name == "h") return std::chrono::hours{1};
    return milliseconds{0};
}

Error not_a_duration(std::string_view text) {
    return {ExitCode::usage, fmt::format("\"{}\" is not a duration like 90s, 10m or 1h", text)};
}

}  // namespace

CLI::Option* add_text(CLI::App& app, const std::string& names, std::string& target, const std::string& value,
                      const std::string& help) {
    return app.add_option(names, target, help)->type_name(value)->take_last();
}

CLI::Option* add_text(CLI::App& app, const std::string& names, std::optional<std::string>& target,
                      const std::string& value, const std::string& help) {
    return app
        .add_option_function<std::string>(
            names, [&target](const std::string& text) { target = text; }, help)
        ->type_name(value)
        ->take_last();
}

CLI::Option* add_list(CLI::App& app, const std::string& names, std::vector<std::string>& target,
                      const std::string& value, const std::string& help) {
    return app.add_option(names, target, help)
        ->type_name(value)
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
}

CLI::Option* add_choice(CLI::App& app, const std::string& names, std::string& target,
                        const std::vector<std::string>& choices, const std::string& help) {
    auto check = [choices](const std::string& word) -> std::string {
        if (std::find(choices.begin(), choices.end(), word) != choices.end()) return {};
        return fmt::format("\"{}\" is not one of {}", word, fmt::join(choices, ", "));
    };
    return add_text(app, names, target, fmt::format("{}", fmt::join(choices, "|")), help)
        ->check(check_of(check))
        ->transform(without_sign, "", "");
}

CLI::Option* add_duration(CLI::App& app, const std::string& names, milliseconds& target,
                          const std::string& help) {
    auto check = [](const std::string& text) -> std::string {
        try {
            parse_duration(text);
            return {};
        } catch (const Error& e) {
            return e.message();
        }
    };
    return app
        .add_option_function<std::string>(
            names, [&target](const std::string& text) { target = parse_duration(text); }, help)
        ->type_name("DURATION")
        ->take_last()
        ->check(check_of(check));
}

milliseconds parse_duration(std::string_view text) {
    constexpr milliseconds longest = std::chrono::hours{24 * 365};
    milliseconds sum{0};
    std::string_view rest = text;
    if (rest.empty()) throw not_a_duration(text);
    while (!rest.empty()) {
        std::int64_t count = 0;
        const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
        if (problem != std::errc{} || rest.front() == '-') throw not_a_duration(text);
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        const std::string_view name = rest.substr(0, rest.find_first_of("0123456789"));
        const milliseconds unit = unit_of(name);
        if (unit.count() == 0 || count > longest / unit) throw not_a_duration(text);
        sum += count * unit;
        rest.remove_prefix(name.size());
    }
    if (sum > longest) throw not_a_duration(text);
    return sum;
}

void add_global_flags(CLI::App& app, GlobalFlags& flags) {
    add_text(app, "--kubeconfig", flags.kubeconfig, "FILE", "kubeconfig file to use, and no other");
    add_text(app, "--context", flags.context, "NAME", "context of the kubeconfig (default: its current one)");
    add_label(app, "-n,--namespace", flags.ns, "namespace of the instance (default: hermes)");
    add_label(app, "--name", flags.name, "name of the instance (default: hermes)");
    add_text(app, "-f,--file", flags.file, "FILE", "hermes.yaml to read; - is stdin");
    add_choice(app, "-o,--output", flags.output, {"text", "json"}, "form of the result (default: text)");
    add_duration(app, "--timeout", flags.timeout, "how long to wait, as 90s, 10m or 1h (default: 10m)");
    app.add_flag("-y,--yes", flags.yes, "do not ask");
    app.add_flag("-q,--quiet", flags.quiet, "no progress: results, warnings and failures alone");
    app.add_flag("-v,--verbose", flags.verbose, "also tell each request to the API server, on stderr");
    app.add_flag("--no-color,--no-colour", flags.no_colour, "no colours");
}

}  // namespace hermesctl::cli
