// What an answer that is not a success means, whatever its body is.
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/kube/client.hpp"
#include "kubeconfig_credentials.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace hermesctl::kube {
namespace {

constexpr std::size_t longest_snippet = 300;

bool unanswered(const net::Response& answer) {
    return answer.status == 0 || !answer.failure.empty();
}

/// null where there is none.
Json status_of(const net::Response& answer) {
    if (answer.ok()) return Json();
    Json body = Json::parse(answer.body, nullptr, false);
    return text_at(body, "/kind") == "Status" ? body : Json();
}

/// The text of an HTML page's title, else the page without its tags.
std::string text_of_html(std::string_view page) {
    const std::size_t title = page.find("<title>");
    if (title != std::string_view::npos) page.remove_prefix(title + 7);
    if (title != std::string_view::npos) page = page.substr(0, page.find("</title>"));
    std::string text;
    bool in_tag = false;
    for (const char c : page) {
        if (c == '<') in_tag = true;
        if (!in_tag) text += c;
        if (c == '>') in_tag = false;
    }
    return text;
}

/// One line that a person can read, of a body that is no Status.
std::string snippet(std::string_view body) {
    const bool html = body.substr(0, 512).find('<') != std::string_view::npos && body.find('>') != body.npos;
    std::string line;
    for (const char c : html ? text_of_html(body) : std::string(body)) {
        const bool blank = static_cast<unsigned char>(c) <= ' ';
        if (blank && (line.empty() || line.back() == ' ')) continue;
        line += blank ? ' ' : c;
        if (line.size() == longest_snippet) break;
    }
    while (!line.empty() && line.back() == ' ') {
        line.pop_back();
    }
    return line;
}

std::string say(std::string said, std::string_view text) {
    return text.empty() ? said : fmt::format("{}: {}", said, text);
}

std::string message_of(const net::Response& answer, const Json& status) {
    if (unanswered(answer)) {
        const bool reached = answer.connected || answer.status != 0;
        return say(reached ? "the API server did not answer" : "cannot reach the API server",
                   scrub(answer.failure));
    }
    if (answer.ok())
        return say("the answer is not JSON, so not from an API server", scrub(snippet(answer.body)));
    const std::string message = text_at(status, "/message");
    if (answer.status == 401) return say("the server refused the credentials (HTTP 401)", scrub(message));
    if (!message.empty()) return scrub(message);
    return say(fmt::format("the server answered HTTP {}", answer.status),
               scrub(status.is_null() ? snippet(answer.body) : text_at(status, "/reason")));
}

/// Who may do it may be refused it by an admission: quota, a class that does not grow, a namespace on its way
/// out, a webhook. An authorizer's refusal begins with who may not.
bool refused_by_admission(const net::Response& answer, const Json& status) {
    if (answer.status != 403) return false;
    const std::string said = text_at(status, "/message");
    const std::size_t why = said.find(" is forbidden: ");
    return said.starts_with("admission webhook ") ||
           (why != std::string::npos && said.compare(why + 15, 5, "User ") != 0);
}

std::string hint_of_admission(const std::string& said) {
    if (said.ends_with("because it is being terminated"))
        return "kubectl get namespaces shows when it is gone; then run the command again";
    if (said.find("quota: ") != std::string::npos)
        return "kubectl get resourcequota, in its namespace, shows what is used up";
    if (said.find("must support resize") != std::string::npos)
        return "kubectl get storageclass shows which can grow (ALLOWVOLUMEEXPANSION)";
    return "";
}

/// How a certificate comes to be one that is accepted.
std::string hint_of_certificate(net::CertificateFault fault) {
    switch (fault) {
        case net::CertificateFault::authority:
            return "if this is the server that is meant, get this kubeconfig anew from the cluster (k3s has it "
                   "in /etc/rancher/k3s/k3s.yaml): it lacks this server's certificate-authority-data";
        case net::CertificateFault::expired:
            return "if the clock here is right, it is to be renewed on the server: systemctl restart k3s does, "
                   "with kubeadm: kubeadm certs renew all";
        case net::CertificateFault::client:
            return new_client_certificate;
        case net::CertificateFault::none:
            break;
    }
    return "";
}

/// What to type next; empty where the server's own words are enough.
std::string hint_of(const net::Response& answer, const Json& status) {
    if (answer.certificate != net::CertificateFault::none) return hint_of_certificate(answer.certificate);
    if (unanswered(answer)) {
        return "kubectl config view --minify shows the server's address; --context NAME takes another "
               "cluster";
    }
    if (answer.status == 401)
        return "log in to the cluster again, or add --context NAME or --kubeconfig FILE";
    if (answer.status == 429) return "it has too much to do: run the command again in a minute";
    const std::string reason = text_at(status, "/reason");
    // Of the server itself: a 500 is as often a webhook's or a kubelet's.
    if (answer.status == 503 && reason == "ServiceUnavailable")
        return "kubectl get --raw '/readyz?verbose' tells what it lacks; then run the command again";
    if (answer.status == 409 && (reason == "Conflict" || reason == "AlreadyExists") &&
        at(status, "/details/causes").empty())
        return "somebody else changed it at the same time: run the command again";
    if (refused_by_admission(answer, status)) return hint_of_admission(text_at(status, "/message"));
    const bool object = reason == "NotFound";
    if (!answer.ok() && (answer.status != 404 || object)) return "";
    return "does the server's URL lack a base path? kubectl config view --minify shows it";
}

ExitCode code_of(const net::Response& answer, const Json& status) {
    if (unanswered(answer)) return ExitCode::unreachable;
    if (answer.status == 401 || answer.status == 403)
        return refused_by_admission(answer, status) ? ExitCode::failed : ExitCode::denied;
    const std::string reason = text_at(status, "/reason");
    const bool timeout =
        answer.status == 504 || answer.status == 408 || reason == "Timeout" || reason == "ServerTimeout";
    return timeout ? ExitCode::timeout : ExitCode::failed;
}

}  // namespace

ApiError::ApiError(const net::Response& answer, std::string what_for)
    : ApiError(answer, status_of(answer), std::move(what_for)) {}

ApiError::ApiError(const net::Response& answer, const Json& status, std::string what_for)
    : Error(code_of(answer, status), message_of(answer, status), hint_of(answer, status)),
      http_(unanswered(answer) ? 0 : answer.status),
      reason_(text_at(status, "/reason")) {
    for (const Json& cause : at(status, "/details/causes")) {
        causes_.push_back(
            {text_at(cause, "/reason"), scrub(text_at(cause, "/message")), text_at(cause, "/field")});
    }
    if (!what_for.empty()) during(std::move(what_for));
}

bool ApiError::is_field_conflict() const {
    return http_ == 409 && std::any_of(causes_.begin(), causes_.end(), [](const Cause& cause) {
               return cause.reason == "FieldManagerConflict";
           });
}

}  // namespace hermesctl::kube
