#include "kubeconfig_credentials.hpp"

#include "exec_credential.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/base/text.hpp"
#include "kubeconfig_check.hpp"

#include <optional>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

using namespace std::chrono_literals;

/// The API server says of an expired certificate only that it does not know who asks.
void refuse_expired(const std::string& title, const std::string& certificate_pem, Clock& clock) {
    const auto end = certificate_end(certificate_pem);
    if (!end || *end > clock.wall()) return;
    throw Error(ExitCode::denied,
                fmt::format("the server refused the credentials (HTTP 401): the client certificate of {} "
                            "expired on {}",
                            title, rfc3339(*end).substr(0, 10)),
                new_client_certificate);
}

CredentialSource plugin_source(const std::string& title, const Stanza& user, const Json& cluster,
                               const KubeconfigRequest& request, const Environment& environment,
                               Clock& clock) {
    const Json& spec = at(user.value, "/exec");
    const bool told = bool_at(spec, "/provideClusterInfo");
    ExecPlugin plugin{.title = title,
                      .spec = spec,
                      .cluster = told ? cluster : Json(),
                      .terminal = request.interactive,
                      .timeout = request.timeout};
    auto source = std::make_shared<ExecCredential>(std::move(plugin), environment, clock);
    return [source](bool rejected) { return source->get(rejected); };
}

}  // namespace

TokenFile::TokenFile(std::string path, std::string fallback, Clock& clock)
    : path_(std::move(path)), token_(std::move(fallback)), clock_(clock) {
    const std::string problem = read();
    if (token_.empty()) throw Error(ExitCode::usage, problem);
}

std::string TokenFile::read() {
    read_at_ = clock_.now();
    std::optional<std::string> text;
    try {
        text = read_file(path_);
    } catch (const Error& error) {
        return "tokenFile: " + error.message();
    }
    if (!text) return fmt::format("there is no tokenFile {}", path_);
    const std::string token(trimmed(*text, " \t\r\n\v\f"));
    if (token.empty() || has_control_characters(token))
        return fmt::format("tokenFile {} holds no token", path_);
    remember_secret(token);
    token_ = token;
    return "";
}

const std::string& TokenFile::get(bool rejected) {
    if (rejected || clock_.now() - read_at_ >= 1min) read();
    return token_;
}

std::string pem_of(const std::string& title, const Stanza& stanza, const std::string& field,
                   std::string_view label) {
    const std::string path = text_at(stanza.value, "/" + field);
    std::string pem = base64_decode(text_at(stanza.value, "/" + field + "-data")).value_or("");
    if (path.empty() && pem.empty()) return "";
    const std::string origin =
        fmt::format("{} of {}", path.empty() ? field + "-data" : field + " " + path, title);
    if (!path.empty()) {
        try {
            const auto text = read_file(path);
            if (!text) throw Error(ExitCode::usage, fmt::format("the file of {} does not exist", origin));
            pem = *text;
        } catch (const Error& error) {
            throw Error(ExitCode::usage, fmt::format("{}: {}", title, error.message()));
        }
    }
    if (!is_pem(pem, label)) throw Error(ExitCode::usage, fmt::format("{} holds no PEM {}", origin, label));
    return pem;
}

CredentialSource credentials_of(const std::string& name, const Stanza& user, const Json& plugin_cluster,
                                const KubeconfigRequest& request, const Environment& environment,
                                Clock& clock) {
    const std::string title = fmt::format("user \"{}\" in {}", name, user.file);
    const auto text = [&](const char* pointer) { return text_at(user.value, pointer); };
    net::Credentials fixed{.token = text("/token"),
                           .username = text("/username"),
                           .password = text("/password"),
                           .certificate_pem = pem_of(title, user, "client-certificate", "CERTIFICATE")};
    // Like client-go, a key without a certificate is left alone.
    if (!fixed.certificate_pem.empty()) fixed.key_pem = pem_of(title, user, "client-key", "PRIVATE KEY");
    for (const std::string* secret : {&fixed.token, &fixed.password, &fixed.key_pem})
        remember_secret(*secret);
    if (const std::string path = text("/tokenFile"); !path.empty()) {
        auto file = std::make_shared<TokenFile>(path, fixed.token, clock);
        return [file, fixed, title, &clock](bool rejected) {
            if (rejected) refuse_expired(title, fixed.certificate_pem, clock);
            net::Credentials now = fixed;
            now.token = file->get(rejected);
            return now;
        };
    }
    const bool proven = !fixed.token.empty() || !fixed.username.empty() || !fixed.certificate_pem.empty();
    if (!proven && user.value.contains("exec")) {
        return plugin_source(title, user, plugin_cluster, request, environment, clock);
    }
    return [fixed, title, &clock](bool rejected) {
        if (rejected) refuse_expired(title, fixed.certificate_pem, clock);
        return fixed;
    };
}

}  // namespace hermesctl::kube
