// Rows about who the agent is to the API server: nobody.
#include "hermes/inspection_parts.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using kube::text_at;

constexpr Heading token{"identity-token", "identity", "the pod is given no service account token"};
constexpr Heading token_file{"identity-token-file", "identity", "no token lies in the container"};
constexpr Heading bindings{"identity-bindings", "identity", "no role is bound to the account or its groups"};

constexpr std::string_view token_type = "kubernetes.io/service-account-token";
constexpr std::string_view token_account = "/metadata/annotations/kubernetes.io~1service-account.name";

std::vector<std::string> token_volumes(const Json& pod) {
    std::vector<std::string> found;
    for (const Json& volume : at(pod, "/spec/volumes")) {
        const Json& sources = at(volume, "/projected/sources");
        const bool has = std::ranges::any_of(
            sources, [](const Json& source) { return source.contains("serviceAccountToken"); });
        if (has) found.push_back(text_at(volume, "/name"));
    }
    return found;
}

/// A Secret can be a token too, which no volume says of itself.
void judge_secrets(const Premises& premises, const Subject& subject, Findings& findings) {
    for (const std::string& name : secrets_of(subject)) {
        const auto found = premises.other_secrets.find(name);
        if (found == premises.other_secrets.end()) continue;  // the instance's own
        const Reading& secret = found->second;
        if (!secret.known()) {
            findings.unknown(
                fmt::format("{} is given secret/{}, and whether that is a token is not known: {}",
                            subject.title, name, secret.failure),
                fmt::format("grant get on secrets in namespace {}", premises.names.ns));
        } else if (!secret.items.empty() && text_at(secret.items.front(), "/type") == token_type) {
            findings.fail(fmt::format("{} is given secret/{}, a token of account {}", subject.title, name,
                                      text_at(secret.items.front(), token_account)),
                          take_out(premises, subject));
        }
    }
}

Check check_token(const Premises& premises) {
    Findings findings;
    note_missing_pods(premises, findings);
    for (const Subject& subject : subjects_of(premises)) {
        const auto volumes = token_volumes(*subject.pod);
        if (!volumes.empty()) {
            // Kubernetes' own goes with the manifest's word; one that was added by hand would stay.
            const bool automatic = volumes.front().starts_with("kube-api-access-") && subject.of_deployment;
            findings.fail(fmt::format("{} has a token in volume {}", subject.title, fmt::join(volumes, ", ")),
                          automatic ? "hermesctl deploy --force-conflicts" : take_out(premises, subject));
        } else if (at(*subject.pod, "/spec/automountServiceAccountToken") == Json(true)) {
            findings.fail(fmt::format("{} asks for a token", subject.title),
                          "hermesctl deploy --force-conflicts");
        }
        judge_secrets(premises, subject, findings);
    }
    return findings.row(token, "no volume with a token, nor a Secret that is one");
}

Check check_token_file(const Premises& premises) {
    Findings findings;
    if (looked_inside(premises, findings)) {
        for (const Json& path : at(premises.inside, "/tokens")) {
            if (path.is_string())
                findings.fail(path.get<std::string>() + " is there", "hermesctl deploy --force-conflicts");
        }
    }
    return findings.row(token_file, "nothing below /var/run/secrets is a token");
}

/// What Kubernetes lets anybody ask: what the API serves, and what one may do oneself.
bool is_harmless(const Json& rule) {
    static constexpr std::array<std::string_view, 9> open{"/api",          "/healthz", "/livez",
                                                          "/readyz",       "/openapi", "/version",
                                                          "/.well-known/", "/openid/", "/swagger"};
    const auto each = [&](const char* field, auto good) {
        const Json& list = at(rule, field);
        return std::ranges::all_of(list, [&](const Json& item) { return item.is_string() && good(item); });
    };
    if (!at(rule, "/nonResourceURLs").empty()) {
        return at(rule, "/resources").empty() &&
               each("/verbs", [](const std::string& verb) { return verb == "get" || verb == "head"; }) &&
               each("/nonResourceURLs", [](const std::string& url) {
                   return std::ranges::any_of(open,
                                              [&](std::string_view start) { return url.starts_with(start); });
               });
    }
    return each("/verbs", [](const std::string& verb) { return verb == "create"; }) &&
           each("/apiGroups",
                [](const std::string& group) {
                    return group == "authorization.k8s.io" || group == "authentication.k8s.io";
                }) &&
           each("/resources",
                [](const std::string& resource) { return resource.starts_with("selfsubject"); });
}

enum class Granted { nothing, something, unknown };

Granted granted(const Premises& premises, const Json& role) {
    if (text_at(role, "/kind") != "ClusterRole") return Granted::something;
    for (const Json& found : premises.cluster_roles.items) {
        if (text_at(found, "/metadata/name") != text_at(role, "/name")) continue;
        const Json& rules = at(found, "/rules");
        return std::ranges::all_of(rules, is_harmless) ? Granted::nothing : Granted::something;
    }
    return premises.cluster_roles.known() ? Granted::something : Granted::unknown;
}

/// The accounts of the instance's pods, and what a request without a token is.
class Identities {
  public:
    explicit Identities(const Premises& premises) : ns_(premises.names.ns) {
        accounts_.insert(premises.names.account().name);
        for (const Subject& subject : subjects_of(premises)) {
            accounts_.insert(text_at(*subject.pod, "/spec/serviceAccountName", "default"));
        }
    }

    /// The subject that is one of them; "" for none.
    std::string among(const Json& binding) const {
        const std::string home = text_at(binding, "/metadata/namespace");
        for (const Json& subject : at(binding, "/subjects")) {
            const std::string kind = text_at(subject, "/kind");
            const std::string name = text_at(subject, "/name");
            const bool ours = kind == "ServiceAccount"
                                  ? text_at(subject, "/namespace", home) == ns_ && accounts_.contains(name)
                              : kind == "Group" ? is_group(name)
                                                : is_user(name);
            if (ours) return fmt::format("{} {}", kind == "ServiceAccount" ? "account" : kind, name);
        }
        return "";
    }

  private:
    bool is_group(const std::string& name) const {
        return name == "system:serviceaccounts" || name == "system:serviceaccounts:" + ns_ ||
               name == "system:authenticated" || name == "system:unauthenticated";
    }
    bool is_user(const std::string& name) const {
        const std::string start = fmt::format("system:serviceaccount:{}:", ns_);
        return name == "system:anonymous" ||
               (name.starts_with(start) && accounts_.contains(name.substr(start.size())));
    }

    std::string ns_;
    std::set<std::string> accounts_{};
};

/// kubeadm lets anybody read the cluster's public address and CA: how nodes join.
bool is_cluster_info(const Json& binding) {
    return text_at(binding, "/metadata/namespace") == "kube-public" &&
           text_at(binding, "/metadata/name") == "kubeadm:bootstrap-signer-clusterinfo";
}

void judge_bindings(const Premises& premises, const Reading& list, const char* kind, Findings& findings) {
    if (!list.known()) findings.unknown(list.failure, fmt::format("grant list on {}s", kind));
    const Identities identities(premises);
    for (const Json& binding : list.items) {
        const std::string subject = identities.among(binding);
        if (subject.empty() || is_cluster_info(binding)) continue;
        const Granted grant = granted(premises, at(binding, "/roleRef"));
        if (grant == Granted::nothing) continue;
        const std::string ns = text_at(binding, "/metadata/namespace");
        const std::string name = text_at(binding, "/metadata/name");
        const std::string what =
            fmt::format("{}/{}{} gives {} {} to {}", kind, name, ns.empty() ? "" : " in " + ns,
                        text_at(binding, "/roleRef/kind"), text_at(binding, "/roleRef/name"), subject);
        if (grant == Granted::unknown) {
            findings.unknown(what + ", and what that allows may not be read", "grant list on clusterroles");
        } else {
            findings.fail(what, fmt::format("kubectl {}delete {} {}",
                                            ns.empty() ? "" : fmt::format("-n {} ", ns), kind, name));
        }
    }
}

Check check_bindings(const Premises& premises) {
    Findings findings;
    judge_bindings(premises, premises.role_bindings, "rolebinding", findings);
    judge_bindings(premises, premises.cluster_role_bindings, "clusterrolebinding", findings);
    return findings.row(bindings, fmt::format("{} bindings looked at, none beyond what anybody may ask",
                                              premises.role_bindings.items.size() +
                                                  premises.cluster_role_bindings.items.size()));
}

}  // namespace

Checks identity_checks(const Premises& premises) {
    return {check_token(premises), check_token_file(premises), check_bindings(premises)};
}

}  // namespace hermesctl::hermes
