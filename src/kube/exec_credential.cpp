#include "exec_credential.hpp"

#include "hermesctl/base/error.hpp"
#include "hermesctl/base/scrub.hpp"
#include "kubeconfig_check.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds patience_alone = 1min;
constexpr std::chrono::milliseconds patience_with_person = 10min;  // who may have to log in somewhere
constexpr std::chrono::milliseconds shortest_run{1};               // as 0 would be none

}  // namespace

std::string without_control_sequences(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte == 0x1b && i + 1 < text.size() && text[i + 1] == '[') {
            i = std::min(text.find_first_of("ABCDEFGHJKSTfhlmnsu", i + 2), text.size());
        } else if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
            ++i;  // C1 controls
        } else if (byte == '\n' || byte == '\t' || (byte >= 0x20 && byte != 0x7f)) {
            out += text[i];
        }
    }
    return out;
}

ExecCredential::ExecCredential(ExecPlugin plugin, const Environment& environment, Clock& clock)
    : plugin_(std::move(plugin)), environment_(environment), clock_(clock) {}

void ExecCredential::refuse(std::string_view why, const std::string& hint) const {
    // Its arguments may hold a secret: they are not shown.
    throw Error(ExitCode::denied,
                fmt::format("the credential plugin {} of {} {}", text_at(plugin_.spec, "/command"),
                            plugin_.title, why),
                !hint.empty() ? hint
                              : "run it by itself to see why, log in with it, or add --context NAME or "
                                "--kubeconfig FILE");
}

bool ExecCredential::interactive() const {
    const std::string mode = text_at(plugin_.spec, "/interactiveMode");
    if (mode == "Always" && !plugin_.terminal) {
        refuse("needs a terminal to ask at", "run this on a terminal, or use other credentials");
    }
    return mode != "Never" && plugin_.terminal;
}

Environment ExecCredential::plugin_environment() const {
    Environment environment = without_secrets(environment_);
    for (const Json& variable : at(plugin_.spec, "/env")) {
        environment[text_at(variable, "/name")] = text_at(variable, "/value");
    }
    Json info{{"kind", "ExecCredential"},
              {"apiVersion", text_at(plugin_.spec, "/apiVersion")},
              {"spec", {{"interactive", interactive()}}}};
    if (!plugin_.cluster.is_null()) info["spec"]["cluster"] = plugin_.cluster;
    environment["KUBERNETES_EXEC_INFO"] = info.dump();
    return environment;
}

std::string ExecCredential::run() const {
    ProcessSpec process;
    process.argv.push_back(text_at(plugin_.spec, "/command"));
    for (const Json& argument : at(plugin_.spec, "/args"))
        process.argv.push_back(argument.get<std::string>());
    process.environment = plugin_environment();
    process.inherit_input = interactive();
    const auto patience = process.inherit_input ? patience_with_person : patience_alone;
    process.timeout = std::clamp(plugin_.timeout, shortest_run, patience);
    const auto result = run_process(process);
    if (!result) {
        refuse("cannot be started: there is no such program",
               without_control_sequences(
                   text_at(plugin_.spec, "/installHint", "install it, or put it on the PATH")));
    }
    if (!result->not_started.empty()) refuse("cannot be started: " + result->not_started);
    if (result->timed_out) {
        const bool hurried = plugin_.timeout < patience;
        refuse(fmt::format("did not end within {}", short_duration(process.timeout)),
               hurried ? fmt::format("give it longer: --timeout {}m", patience / 1min) : "");
    }
    if (result->exit_code != 0) refuse(fmt::format("failed with exit code {}", result->exit_code));
    return result->output;
}

void ExecCredential::take(const std::string& output) {
    const Json credential = Json::parse(output, nullptr, false);
    if (text_at(credential, "/kind") != "ExecCredential") refuse("printed no ExecCredential");
    const std::string wanted = text_at(plugin_.spec, "/apiVersion");
    const std::string version = text_at(credential, "/apiVersion");
    if (version != wanted) refuse(fmt::format("answered in version \"{}\", not {}", version, wanted));
    net::Credentials fresh{.token = text_at(credential, "/status/token"),
                           .certificate_pem = text_at(credential, "/status/clientCertificateData"),
                           .key_pem = text_at(credential, "/status/clientKeyData")};
    remember_secret(fresh.token);
    remember_secret(fresh.key_pem);
    if (fresh.certificate_pem.empty() != fresh.key_pem.empty())
        refuse("gave only one of certificate and key");
    if (fresh.token.empty() && fresh.key_pem.empty()) refuse("gave neither a token nor a certificate");
    if (has_control_characters(fresh.token)) refuse("gave a token with control characters");
    const bool pair = is_pem(fresh.certificate_pem, "CERTIFICATE") && is_pem(fresh.key_pem, "PRIVATE KEY");
    if (!fresh.key_pem.empty() && !pair) refuse("gave a certificate or key that is not PEM");
    expires_.reset();
    if (const std::string time = text_at(credential, "/status/expirationTimestamp"); !time.empty()) {
        expires_ = parse_rfc3339(time);
        if (*expires_ == Clock::Wall{}) refuse("gave an expirationTimestamp that is not a time");
    }
    cached_ = std::move(fresh);
}

net::Credentials ExecCredential::get(bool rejected) {
    const bool expired = expires_ && clock_.wall() > *expires_;
    if (!cached_ || expired || rejected) take(run());
    return *cached_;
}

}  // namespace hermesctl::kube
