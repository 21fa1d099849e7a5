// The one table of the keys of hermes.yaml, and what holds between keys.
#include "settings_check.hpp"

#include "credentials.hpp"
#include "field_table.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/utf8.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/traffic.hpp"
#include "ranges.hpp"
#include "words.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

constexpr const char* not_text = "must be text; put it in quotes";

/// A check of text from a check of what it says. A flag may hold any bytes, JSON may not.
template <auto complaint>
std::string text(const Json& value) {
    if (!value.is_string()) return not_text;
    const auto& said = value.get_ref<const std::string&>();
    return is_text(said) ? complaint(said) : "is not text (UTF-8)";
}

template <std::size_t longest>
std::string name_form(std::string_view value) {
    return complaint_about_name(value, longest);
}

std::string this_version(std::string_view value) {
    return value == "hermesctl/v1" ? "" : "must be hermesctl/v1";
}

std::string this_kind(std::string_view value) {
    return value == "Hermes" ? "" : "must be Hermes";
}

std::string something(std::string_view value) {
    return value.empty() ? "is empty" : "";
}

std::string anything(std::string_view) {
    return "";
}

std::string class_name(std::string_view value) {
    return value.empty() || value.find('.') != std::string_view::npos ? "" : complaint_about_name(value, 253);
}

std::string provider(std::string_view value) {
    try {
        key_of_provider(value);
        return "";
    } catch (const Error& error) {
        return error.message();
    }
}

std::string user(const Json& value) {
    if (value.is_number_integer()) return complaint_about_user(value.dump());
    return value.is_string() ? complaint_about_user(value.get_ref<const std::string&>())
                             : "must be a user's id, a number (@userinfobot tells it)";
}

std::string quantity(const Json& value) {
    if (value.is_number()) return value > 0 ? "" : "must be more than 0";
    return text<complaint_about_quantity>(value);
}

std::string truth(const Json& value) {
    return value.is_boolean() ? "" : "must be true or false";
}

std::string number(const Json& value) {
    return value.is_number_integer() ? "" : "must be a whole number";
}

std::string anything_mapped(const Json& value) {
    return value.is_object() ? "" : "must be a mapping";
}

std::string address(std::string_view value) {
    return is_address(value) ? "" : fmt::format("'{}' is no IP address", value);
}

std::string target(std::string_view value) {
    return parse_target(value) ? "" : fmt::format("'{}' must be HOST:PORT", value);
}

std::string nat64_prefix(std::string_view value) {
    const auto range = parse_range(value);
    if (!range || !range->v6 || range->bits != nat64_bits)
        return fmt::format("'{}' must be an IPv6 prefix of 96 bits, as 64:ff9b::/96", value);
    return complaint_about_range(value);
}

/// Ranges whose addresses end in any IPv4 address, private ones too (RFC 6052, RFC 8215).
bool holds_all_of_ipv4(const Range& range) {
    return range.bits <= nat64_bits && std::ranges::any_of(nat64_ranges(), [&](const std::string& text) {
               const auto known = parse_range(text);
               return range.contains(*known) || known->contains(range);
           });
}

std::string opening(std::string_view value) {
    const auto parts = parse_target(value);
    if (!parts) return fmt::format("'{}' must be ADDRESS:PORT or RANGE:PORT, as 192.168.1.10/32:8080", value);
    const auto range = parse_range(parts->host);
    if (!range) return fmt::format("'{}': a NetworkPolicy knows no names; write the address", value);
    if (range->bits == 0) return fmt::format("'{}' would open every address", value);
    if (holds_all_of_ipv4(*range))
        return fmt::format(
            "'{}' would open private IPv4 addresses behind NAT64; network.nat64 opens the public ones",
            value);
    return complaint_about_range(parts->host);
}

std::string program(const Json& value) {
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) return "";
    const bool words =
        value.is_array() && !value.empty() &&
        std::all_of(value.begin(), value.end(), [](const Json& word) { return word.is_string(); });
    return words ? "" : "must be a program and its arguments";
}

std::string said_once(const Json& value) {
    return value == true ? "" : "must be true";
}

std::string no_servers_yet(const Json& value) {
    if (value.is_object() && value.empty()) return "";
    return "is not supported yet; describe the server under config: {mcp_servers: ...} and open its address "
           "under network.allow";
}

constexpr FieldRow table[] = {
    {"/apiVersion", text<this_version>},
    {"/kind", text<this_kind>},
    {"/name", text<name_form<47>>},  // a Job's, NAME-trial-..., must fit in 63
    {"/namespace", text<name_form<63>>},
    {"/image", text<complaint_about_image>},
    {"/model/provider", text<provider>},
    {"/model/default", text<something>},
    {"/telegram/allowedUsers/-", user},
    {"/storage/size", quantity},
    {"/storage/class", text<class_name>},
    {"/resources/requests/*", quantity},
    {"/resources/limits/*", quantity},
    {"/network/mustNotReach/-", text<target>},
    {"/network/except/-", text<complaint_about_range>},
    {"/network/allow/-", text<opening>},
    {"/network/dns/-", text<address>},
    {"/network/nat64/-", text<nat64_prefix>},
    {"/network/ipv6", truth},
    {"/network/gate", truth},
    {"/pod/env/*", text<anything>},
    {"/pod/nodeSelector/*", text<anything>},
    {"/pod/tolerations/-/key", text<anything>},
    {"/pod/tolerations/-/operator", text<something>},
    {"/pod/tolerations/-/value", text<anything>},
    {"/pod/tolerations/-/effect", text<anything>},
    {"/pod/tolerations/-/tolerationSeconds", number},
    {"/pod/imagePullSecrets/-", text<something>},
    {"/pod/runtimeClassName", text<class_name>},
    {"/pod/hardened", truth},
    {"/owner", user},
    {"/mcp", no_servers_yet},
    {"/config", anything_mapped},
    {"/secrets/*/file", text<something>},
    {"/secrets/*/env", text<something>},
    {"/secrets/*/cmd", program},
    {"/secrets/*/stdin", said_once},
};

void check_secrets(const Json& secrets, std::vector<Problem>& problems) {
    if (!secrets.is_object()) return;
    bool stdin_taken = false;
    for (const auto& [key, source] : secrets.items()) {
        const std::string pointer = "/secrets/" + kube::escape_pointer(key);
        if (!is_variable_name(key)) problems.push_back({pointer, "the key is no variable's name"});
        if (decides_who_gets_in(key)) {
            problems.push_back({pointer,
                                "is no secret: who may use the bot is said by --allow-user, or by "
                                "telegram.allowedUsers in a file"});
        }
        if (!source.is_object()) continue;
        if (source.size() != 1)
            problems.push_back({pointer, "must name one source: file, env, cmd or stdin"});
        if (source.contains("stdin") && stdin_taken)
            problems.push_back({pointer, "stdin holds only one secret"});
        stdin_taken |= source.contains("stdin");
    }
}

void check_variables(const Json& variables, std::vector<Problem>& problems) {
    if (!variables.is_object()) return;
    for (const auto& [key, value] : variables.items()) {
        const std::string pointer = "/pod/env/" + kube::escape_pointer(key);
        if (key.empty() || key.find('=') != std::string::npos) {
            problems.push_back({pointer, "the key is no variable's name"});
        }
        if (key == token_key) problems.push_back({pointer, "is a secret; its place is under secrets"});
        if (decides_who_gets_in(key))
            problems.push_back({pointer, "would let others in than telegram.allowedUsers says"});
    }
}

void check_users(const Json& settings, std::vector<Problem>& problems) {
    const Json& users = kube::at(settings, "/telegram/allowedUsers");
    const Json& owner = kube::at(settings, "/owner");
    if (!users.is_array()) return;
    const auto plain = [](const Json& id) { return id.is_string() ? id.get<std::string>() : id.dump(); };
    const auto is_owner = [&](const Json& user) { return plain(user) == plain(owner); };
    if (users.empty()) {
        problems.push_back({"/telegram/allowedUsers", "is empty: nobody could talk to the bot"});
    } else if (!owner.is_null() && std::none_of(users.begin(), users.end(), is_owner)) {
        problems.push_back({"/owner", fmt::format("{} is not among telegram.allowedUsers", plain(owner))});
    }
}

Traffic less(Traffic whole, const std::vector<std::string>& closed) {
    for (const std::string& range : closed)
        whole = whole - Traffic(range, Ports::all());
    return whole;
}

/// Two halves close as much as the whole.
void check_exceptions(const Json& ranges, std::vector<Problem>& problems) {
    if (!ranges.is_array() || ranges.empty()) return;
    Traffic v4 = less(Traffic(everything_v4, Ports::all()), special_ranges_v4());
    Traffic v6 = less(Traffic(everything_v6, Ports::all()), special_ranges_v6());
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (!ranges[i].is_string()) continue;
        const auto& range = ranges[i].get_ref<const std::string&>();
        for (const auto& [rest, what] :
             {std::pair{&v4, "IPv4 address, Telegram's too"},
              {&v6, "IPv6 address; beside IPv4 it stays closed without network.ipv6"}}) {
            if (rest->empty()) continue;
            *rest = less(*rest, {range});
            if (!rest->empty()) continue;
            problems.push_back({fmt::format("/network/except/{}", i),
                                fmt::format("'{}'{} would close every public {}", range,
                                            i > 0 ? " and those before it" : "", what)});
        }
    }
}

void check_model(const Json& config, std::vector<Problem>& problems) {
    for (const char* key : {"provider", "default"}) {
        if (kube::at(config, fmt::format("/model/{}", key)).is_null()) continue;
        problems.push_back({fmt::format("/config/model/{}", key), fmt::format("its place is model.{}", key)});
    }
}

}  // namespace

std::vector<Problem> problems_of(const Json& settings) {
    std::vector<Problem> problems;
    walk_fields(settings, table, "", problems);
    check_secrets(kube::at(settings, "/secrets"), problems);
    check_variables(kube::at(settings, "/pod/env"), problems);
    check_users(settings, problems);
    check_exceptions(kube::at(settings, "/network/except"), problems);
    check_model(kube::at(settings, "/config"), problems);
    return problems;
}

std::vector<Problem> problems_of_file(const Json& document) {
    std::vector<Problem> problems = problems_of(document);
    for (const auto& [place, instead] : {std::pair{"/config", " and write ${NAME} in its place"},
                                         {"/pod/env", ", of which the agent gets each as a variable"}}) {
        for (const std::string& pointer : credentials_in(kube::at(document, place), place, {})) {
            if (std::ranges::find(problems, pointer, &Problem::pointer) == problems.end())
                problems.push_back({pointer, fmt::format("{} is a credential; put it under secrets:{}",
                                                         dotted(pointer), instead)});
        }
    }
    return problems;
}

std::vector<std::string_view> known_settings() {
    std::vector<std::string_view> paths;
    for (const FieldRow& row : table)
        paths.push_back(row.path);
    return paths;
}

std::string dotted(const std::string& pointer) {
    std::string path;
    for (std::size_t start = 1; start < pointer.size();) {
        const std::size_t end = std::min(pointer.find('/', start), pointer.size());
        std::string step = pointer.substr(start, end - start);
        start = end + 1;
        for (const auto& [escaped, plain] : {std::pair{"~1", "/"}, {"~0", "~"}}) {
            for (std::size_t at = step.find(escaped); at != std::string::npos;
                 at = step.find(escaped, at + 1)) {
                step.replace(at, 2, plain);
            }
        }
        const bool index = !step.empty() && step.find_first_not_of("0123456789") == std::string::npos;
        path += index ? fmt::format("[{}]", step) : (path.empty() ? step : "." + step);
    }
    return path;
}

}  // namespace hermesctl::hermes
