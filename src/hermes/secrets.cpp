// Reads secrets from where a person said they are, and tells what surely is none.
#include "hermesctl/hermes/secrets.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "hermesctl/hermes/allowlist.hpp"
#include "words.hpp"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <iterator>

#include <fmt/format.h>

namespace hermesctl::hermes {
namespace {

constexpr std::chrono::minutes program_limit{2};

[[noreturn]] void refuse(const std::string& why, const std::string& hint = {}) {
    throw Error(ExitCode::usage, why, hint);
}

/// Where a value may come from, without any value in it.
std::string ways(std::string_view key) {
    return fmt::format("--secret {0}=- (stdin), {0}=@FILE, {0}=env:NAME or {0}=cmd:PROGRAM", key);
}

std::vector<std::string> arguments_of(const Json& command) {
    if (command.is_array()) return command.get<std::vector<std::string>>();
    const std::string text = command.get<std::string>();
    const auto words = words_of(text, " ");
    return std::vector<std::string>(words.begin(), words.end());
}

std::string from_file(const std::string& key, const std::string& path, const std::string& folder) {
    const std::string place = (std::filesystem::path(folder) / path).string();
    try {
        if (const auto text = read_file(place)) return *text;
    } catch (const Error& error) {
        refuse(fmt::format("{}: {}", key, error.message()));
    }
    refuse(fmt::format("{}: there is no file {}", key, place));
}

std::string from_program(const std::string& key, const Json& command, const Environment& environment) {
    const std::vector<std::string> argv = arguments_of(command);
    if (argv.empty()) refuse(fmt::format("{}: cmd: names no program", key));
    const auto result = run_process({.argv = argv,
                                     .environment = without_secrets(environment),
                                     .inherit_input = true,
                                     .timeout = program_limit});
    if (!result) refuse(fmt::format("{}: {} cannot be started: there is no such program", key, argv[0]));
    if (!result->not_started.empty()) {
        refuse(fmt::format("{}: {} cannot be started: {}", key, argv[0], result->not_started));
    }
    if (result->timed_out) refuse(fmt::format("{}: {} gave nothing for 2 minutes", key, argv[0]));
    if (result->exit_code != 0) {
        refuse(fmt::format("{}: {} ended with exit status {}", key, argv[0], result->exit_code));
    }
    return result->output;
}

std::string from_variable(const std::string& key, const std::string& name, const Environment& environment) {
    const auto found = environment.find(name);
    if (found == environment.end()) refuse(fmt::format("{}: the variable {} is not set", key, name));
    return found->second;
}

std::string raw_value(const std::string& key, const Json& source, const SecretReaders& readers) {
    if (source.contains("file")) return from_file(key, source["file"], readers.folder);
    if (source.contains("env")) return from_variable(key, source["env"], readers.environment);
    if (source.contains("cmd")) return from_program(key, source["cmd"], readers.environment);
    if (!source.contains("stdin")) refuse(fmt::format("{}: says nowhere to read it from", key), ways(key));
    std::string all{std::istreambuf_iterator<char>(readers.in), {}};
    throw_if_interrupted();  // which had ended the input
    return all;
}

bool is_bot_token(std::string_view value) {
    const std::size_t colon = value.find(':');
    if (colon == std::string_view::npos || colon < 6 || value.size() < colon + 31) return false;
    const auto in = [](std::string_view text, std::string_view others) {
        return std::all_of(text.begin(), text.end(), [&](char c) {
            return (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
        });
    };
    static constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
    return in(value.substr(0, colon), "") && in(value.substr(colon + 1), letters);
}

std::string unusual(std::string_view value) {
    for (const char c : value) {
        if (c == '\n' || c == '\r') return "has more than one line";
        if (c == ' ' || c == '\t') return "has a blank in it";
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "has a control character in it";
        if (static_cast<unsigned char>(c) > 0x7e) return "has a character in it that is not ASCII";
    }
    return "";
}

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> ends) {
    return std::ranges::any_of(ends, [&](std::string_view end) { return text.ends_with(end); });
}

std::string complaint_about_users(const std::string& text) {
    try {
        return users_of(text).empty() ? "names nobody who may talk to the bot" : "";
    } catch (const Error& error) {
        return error.message();
    }
}

}  // namespace

bool decides_who_gets_in(std::string_view key) {
    return key == users_key || key == "GATEWAY_ALLOWED_USERS" || key.ends_with("_ALLOW_ALL_USERS");
}

bool says_who_gets_in(std::string_view key) {
    return decides_who_gets_in(key) || key.ends_with("_ALLOWED_USERS") || key.ends_with("_ALLOWED_CHATS");
}

Json secret_setting(std::string_view flag, bool any_key) {
    const std::size_t equals = flag.find('=');
    const std::string key(flag.substr(0, equals));
    // Without "=" it may be the value itself that was typed: nothing of it is repeated.
    if (equals == std::string_view::npos) refuse("a secret wants KEY=SOURCE", "try " + ways("KEY"));
    if (!is_variable_name(key) && !(any_key && is_data_key(key)))
        refuse(any_key ? "what is named is no key of a Secret"
                       : "--secret: what stands before '=' is no variable's name");
    const std::string_view source = flag.substr(equals + 1);
    if (source == "-") return {{key, {{"stdin", true}}}};
    for (const auto& [prefix, kind] : {std::pair{"@", "file"}, {"env:", "env"}, {"cmd:", "cmd"}}) {
        const std::string_view start = prefix;
        if (source.starts_with(start) && source.size() > start.size()) {
            return {{key, {{kind, std::string(source.substr(start.size()))}}}};
        }
    }
    // What is no variable's name may be a part of a value, too.
    const std::string named = is_variable_name(key) ? key : "KEY";
    refuse(fmt::format("{}: a value on the command line can be read by others", named), "try " + ways(named));
}

void remember_variables(const Json& sources, const Environment& environment) {
    for (const Json& source : sources) {
        const auto found = environment.find(kube::text_at(source, "/env"));
        if (found != environment.end()) remember_secret(found->second);
    }
}

std::string read_secret(const std::string& key, const Json& source, const SecretReaders& readers) {
    std::string value = raw_value(key, source, readers);
    if (value.ends_with('\n')) value.pop_back();
    if (value.ends_with('\r')) value.pop_back();
    remember_secret(value);
    return value;
}

bool names_password(std::string_view name) {
    return ends_with_any("." + lower(name),
                         {"password", "passwd", "passphrase", "pwd", "_pass", "/pass", ".pass", "secret"});
}

bool names_credential(std::string_view name) {
    return names_password(name) ||
           ends_with_any(lower(name), {"apikey", "_key", "-key", "secretkey", "accesskey", "token", "_pat",
                                       "credential", "credentials"});
}

std::string secrets_mark(std::string_view salt, const std::map<std::string, std::string>& values) {
    std::string text;
    for (const auto& [key, value] : values)
        text += key + "=" + base64_encode(value) + "\n";
    return hmac_sha256_hex(salt, text);
}

std::string oddity_of(const std::string& key, std::string_view value) {
    return key == users_key ? "" : unusual(value);
}

std::string complaint_about(const std::string& key, const std::string& value) {
    if (value.empty()) return "is empty";
    if (value.find('\0') != std::string::npos) return "has a zero byte in it";
    if (key == users_key) return complaint_about_users(value);
    if (key == token_key || !provider_of_key(key).empty()) {
        const std::string complaint = unusual(value);
        if (!complaint.empty()) return complaint;
    }
    if (names_credential(key) && value.starts_with('<') && value.ends_with('>'))
        return "is a placeholder, not a value";
    if (key == token_key && !is_bot_token(value)) {
        return "is no bot token; @BotFather gives one, of the form 123456789:AA... (35 characters after the "
               "colon)";
    }
    return "";
}

}  // namespace hermesctl::hermes
