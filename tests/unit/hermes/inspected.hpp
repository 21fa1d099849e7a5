// A clean installation as the manifests make it, with what Kubernetes binds by default and the inside of its
// pod: what the rows of the inspection look at. inspect.py itself runs, below a directory of the test's own.
#pragma once

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/inspection.hpp"
#include "hermesctl/hermes/manifest.hpp"
#include "support/fake_api.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"
#include "support/installation.hpp"
#include "support/recording_reporter.hpp"
#include "support/scratch.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>

namespace hermesctl::hermes {

inline const std::string inspected_token = "700000001:AAinspected-token-of-a-bot-0123456789";
inline const std::string inspected_key = "inspected-key-0123456789";

class Inspected {
  public:
    Inspected() {
        testing::put_installation(api);
        const Json& deployment = manifest("60-deployment.yaml");
        const Json& name_space = manifest("00-namespace.yaml");
        const Json& config = manifest("40-config.yaml");
        edit({"Namespace", "", "hermes"},
             [&](Json& made) { made["metadata"]["labels"] = name_space["metadata"]["labels"]; });
        edit({"ConfigMap", "hermes", "hermes-config"}, [&](Json& made) { made["data"] = config["data"]; });
        use_template(deployment["spec"]["template"]);
        put_bindings();
        secret("TELEGRAM_BOT_TOKEN", inspected_token);
        secret("MINIMAX_API_KEY", inspected_key);
        secret("TELEGRAM_ALLOWED_USERS", "987654321");
        root.write("opt/data/config.yaml", config["data"]["config.yaml"]);
        root.write("opt/data/.env",
                   "# TELEGRAM_BOT_TOKEN=\nTERMINAL_TIMEOUT=60\nAPI_SERVER_KEY=0123456789abcdef\n");
        root.write("etc/resolv.conf",
                   "search hermes.svc.cluster.local svc.cluster.local\nnameserver 10.43.0.10\n");
        root.write("proc/sys/net/ipv4/ping_group_range", "1\t0\n");
        root.write("proc/42/cmdline",
                   std::string("/opt/hermes/.venv/bin/python\0hermes\0gateway\0run\0", 49));
        gateway_status("10000\t10000\t10000\t10000", "0000000000000000");
        api.on_exec = [this](testing::FakeProcess& process) { run_inside(process); };
    }

    void edit(const kube::Ref& ref, const std::function<void(Json&)>& change) {
        Json object = api.object(ref);
        change(object);
        api.put(std::move(object));
    }
    void edit_pod(const std::function<void(Json&)>& change) {
        edit({"Pod", "hermes", "hermes-1-a"}, [&](Json& pod) { change(pod["spec"]); });
    }
    /// The agent's container.
    void edit_container(const std::function<void(Json&)>& change) {
        edit_pod([&](Json& spec) { change(spec["containers"][0]); });
    }
    /// A key of the Secret, and so of the container and the gateway.
    void secret(const std::string& key, const std::string& value) {
        edit({"Secret", "hermes", "hermes-secrets"},
             [&](Json& made) { made["data"][key] = base64_encode(value); });
        environment[key] = value;
    }
    void bind(const std::string& kind, const std::string& ns, const Json& subject, const std::string& role) {
        api.put(testing::object_of(
            kind, ns, "bound-" + role,
            {{"subjects", Json::array({subject})}, {"roleRef", {{"kind", "ClusterRole"}, {"name", role}}}}));
    }
    void role(const std::string& name, Json rules) {
        api.put(testing::object_of("ClusterRole", "", name, {{"rules", std::move(rules)}}));
    }
    void service(const std::string& type) {
        api.put(testing::object_of("Service", "hermes", "door",
                                   {{"spec", {{"type", type}, {"selector", {{"app", "hermes"}}}}}}));
    }
    /// That holds the pod.
    void slice(const std::string& name, const std::string& of_service) {
        Json made = testing::object_of("EndpointSlice", "hermes", name,
                                       {{"endpoints", Json::array({{{"addresses", {"10.42.0.9"}}}})}});
        made["metadata"]["labels"]["kubernetes.io/service-name"] = of_service;
        api.put(std::move(made));
    }
    void gateway_status(const std::string& uids, const std::string& capabilities) {
        root.write("proc/42/status", "Name:\tpython\nUid:\t" + uids + "\nCapEff:\t" + capabilities + "\n");
    }
    void use_template(const Json& pod_template) {
        edit({"Deployment", "hermes", "hermes"},
             [&](Json& made) { made["spec"]["template"] = pod_template; });
        edit({"Pod", "hermes", "hermes-1-a"}, [&](Json& pod) {
            pod["spec"] = pod_template["spec"];
            pod["spec"]["nodeName"] = "node";
            pod["status"]["podIPs"] = Json::array({{{"ip", "10.42.0.9"}}});
            pod["status"]["containerStatuses"][0]["imageID"] =
                "docker.io/nousresearch/hermes-agent@sha256:fedcba9876543210fedcba98";
        });
    }

    Premises premises() {
        kube::Round round(client);
        want_inspection(round, names);
        round.run();
        Premises pod = premises_of(round, names, agent_if_seen(round, names));
        look_inside(client, pod);
        return pod;
    }
    Checks checks() { return inspect(premises()); }
    std::map<std::string, Check> rows() {
        std::map<std::string, Check> found;
        for (const Check& check : checks())
            found[check.id] = check;
        return found;
    }

    testing::FakeClock clock{};
    testing::FakeTransport transport{clock};
    testing::FakeApi api{transport};
    testing::RecordingReporter reporter{};
    kube::Client client{transport, clock, reporter};
    Names names{.ns = "hermes", .name = "hermes"};
    testing::Scratch root{};
    Environment environment{{"PATH", "/usr/bin"}, {"HERMES_HOME", "/opt/data"}};
    Environment gateway_only{};  // what the gateway has beside that, or in its place
    int execs = 0;

  private:
    /// As kube-apiserver makes them (plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go).
    void put_bindings() {
        const auto reviews = [](const char* group, Json resources) {
            return Json{{"apiGroups", {group}}, {"resources", std::move(resources)}, {"verbs", {"create"}}};
        };
        const auto urls = [](Json paths) {
            return Json::array({{{"nonResourceURLs", std::move(paths)}, {"verbs", {"get"}}}});
        };
        role("system:basic-user", Json::array({reviews("authorization.k8s.io", {"selfsubjectaccessreviews",
                                                                                "selfsubjectrulesreviews"}),
                                               reviews("authentication.k8s.io", {"selfsubjectreviews"})}));
        role("system:discovery", urls({"/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi",
                                       "/openapi/*", "/readyz", "/version", "/version/"}));
        role("system:public-info-viewer", urls({"/healthz", "/livez", "/readyz", "/version", "/version/"}));
        role("system:service-account-issuer-discovery",
             urls({"/.well-known/openid-configuration", "/.well-known/openid-configuration/",
                   "/openid/v1/jwks", "/openid/v1/jwks/"}));
        role("cluster-admin", Json::array({{{"apiGroups", {"*"}}, {"resources", {"*"}}, {"verbs", {"*"}}}}));
        const auto group = [](const char* name) { return Json{{"kind", "Group"}, {"name", name}}; };
        bind("ClusterRoleBinding", "", group("system:authenticated"), "system:basic-user");
        bind("ClusterRoleBinding", "", group("system:authenticated"), "system:discovery");
        bind("ClusterRoleBinding", "", group("system:unauthenticated"), "system:public-info-viewer");
        bind("ClusterRoleBinding", "", group("system:serviceaccounts"),
             "system:service-account-issuer-discovery");
        bind("ClusterRoleBinding", "", group("system:masters"), "cluster-admin");
        bind("RoleBinding", "other", {{"kind", "ServiceAccount"}, {"name", "hermes"}, {"namespace", "other"}},
             "cluster-admin");
        api.put(testing::object_of(
            "RoleBinding", "kube-public", "kubeadm:bootstrap-signer-clusterinfo",
            {{"subjects", Json::array({{{"kind", "User"}, {"name", "system:anonymous"}}})},
             {"roleRef", {{"kind", "Role"}, {"name", "kubeadm:bootstrap-signer-clusterinfo"}}}}));
    }

    void run_inside(testing::FakeProcess& process) {
        ++execs;
        std::string environ_file;
        Environment all = gateway_only;
        all.insert(environment.begin(), environment.end());
        for (const auto& [name, value] : all)
            environ_file += name + "=" + value + std::string(1, '\0');
        root.write("proc/42/environ", environ_file);
        std::vector<std::string> argv = process.argv;
        argv.push_back(root.path());
        const auto result = run_process({.argv = std::move(argv), .environment = environment});
        printed = result.value().output;
        process.out(printed);
        process.exit(result->exit_code);
    }

  public:
    std::string printed{};  // by inspect.py
};

inline const char* word(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return "PASS";
        case Verdict::warn:
            return "WARN";
        case Verdict::fail:
            return "FAIL";
        case Verdict::inconclusive:
            return "INCONCLUSIVE";
        default:
            return "NOT-APPLICABLE";
    }
}

using Rows = std::set<std::string>;

/// "id=VERDICT" of the rows that are not as in a clean installation.
inline Rows changed(const std::map<std::string, Check>& rows) {
    static const auto clean = Inspected().rows();
    Rows found;
    for (const auto& [id, row] : rows) {
        if (row.verdict != clean.at(id).verdict) found.insert(fmt::format("{}={}", id, word(row.verdict)));
    }
    return found;
}

}  // namespace hermesctl::hermes
