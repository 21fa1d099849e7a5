// The rows of verify beside the network: a clean installation, and each fault with the rows that it changes.
#include "hermesctl/hermes/hardening.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "unit/hermes/inspected.hpp"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace hermesctl::hermes {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Inspection, ACleanInstallationPasses) {
    Inspected world;
    for (const Check& row : world.checks()) {
        const bool absent = row.id == "exposure-routes" || row.id == "host-hardened";
        EXPECT_STREQ(word(row.verdict), absent ? "NOT-APPLICABLE" : "PASS") << row.id << ": " << row.evidence;
        const bool decides = row.id != "host-pod-security" && row.id != "agent-image" && row.id != "gate";
        EXPECT_EQ(row.decisive, decides) << row.id;
        EXPECT_THAT(row.title, Not(IsEmpty()));
        EXPECT_THAT(row.evidence, Not(IsEmpty()));
    }
    EXPECT_EQ(world.execs, 1);
}

TEST(Inspection, EachRowHasItsHeading) {
    std::ifstream file(SOURCE_DIR "/docs/checks.md");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const Check& row : Inspected().checks())
        EXPECT_THAT(text, HasSubstr("# " + row.id + "\n"));
}

struct Fault {
    const char* name;
    std::function<void(Inspected&)> make;
    Rows rows;
};

Json volume(const char* name, const char* kind, Json more) {
    return {{"name", name}, {kind, std::move(more)}};
}
const Json token_source{{"sources", Json::array({{{"serviceAccountToken", {{"path", "token"}}}}})}};
const Json the_account{{"kind", "ServiceAccount"}, {"name", "hermes"}, {"namespace", "hermes"}};
Json group(const char* name) {
    return {{"kind", "Group"}, {"name", name}};
}

void put_secret(Inspected& w, const char* type) {
    Json secret = testing::object_of("Secret", "hermes", "mine", {{"type", type}});
    secret["metadata"]["annotations"]["kubernetes.io/service-account.name"] = "hermes";
    w.api.put(secret);
}

/// Each way in which a pod is given a Secret.
std::vector<std::function<void(Json& spec)>> secret_ways() {
    return {[](Json& spec) {
                spec["volumes"].push_back(volume("s", "secret", {{"secretName", "mine"}}));
            },
            [](Json& spec) {
                spec["volumes"].push_back(
                    volume("s", "projected", {{"sources", Json::array({{{"secret", {{"name", "mine"}}}}})}}));
            },
            [](Json& spec) {
                spec["containers"][0]["env"].push_back(
                    {{"name", "X"}, {"valueFrom", {{"secretKeyRef", {{"name", "mine"}, {"key", "k"}}}}}});
            },
            [](Json& spec) {
                spec["initContainers"][0]["envFrom"].push_back({{"secretRef", {{"name", "mine"}}}});
            }};
}

std::vector<Fault> identity_faults() {
    return {
        {"a token's volume",
         [](Inspected& w) {
             w.edit_pod([](Json& spec) {
                 spec["volumes"].push_back(volume("kube-api-access-x", "projected", token_source));
             });
         },
         {"identity-token=FAIL"}},
        {"automount",
         [](Inspected& w) { w.edit_pod([](Json& spec) { spec["automountServiceAccountToken"] = true; }); },
         {"identity-token=FAIL"}},
        {"a token in the container",
         [](Inspected& w) { w.root.write("var/run/secrets/kubernetes.io/serviceaccount/token", "x"); },
         {"identity-token-file=FAIL"}},
        {"a pod with a token, made by hand",
         [](Inspected& w) {
             Json pod = w.api.object({"Pod", "hermes", "hermes-1-a"});
             pod["metadata"] = {{"name", "a-hand"}, {"namespace", "hermes"}, {"labels", {{"app", "hermes"}}}};
             pod["spec"]["volumes"].push_back(volume("t", "projected", token_source));
             w.api.put(pod);
         },
         {"identity-token=FAIL"}},
        {"a role for the account, in another namespace",
         [](Inspected& w) { w.bind("RoleBinding", "elsewhere", the_account, "cluster-admin"); },
         {"identity-bindings=FAIL"}},
        {"a cluster role for the account by its user name",
         [](Inspected& w) {
             w.bind("ClusterRoleBinding", "",
                    {{"kind", "User"}, {"name", "system:serviceaccount:hermes:hermes"}}, "view");
         },
         {"identity-bindings=FAIL"}},
        {"a role for the namespace's accounts",
         [](Inspected& w) {
             w.bind("RoleBinding", "hermes", group("system:serviceaccounts:hermes"), "edit");
         },
         {"identity-bindings=FAIL"}},
        {"a role for everybody",
         [](Inspected& w) {
             w.bind("ClusterRoleBinding", "", group("system:authenticated"), "cluster-admin");
         },
         {"identity-bindings=FAIL"}},
        {"a role for nobody in particular",
         [](Inspected& w) {
             w.bind("ClusterRoleBinding", "", {{"kind", "User"}, {"name", "system:anonymous"}},
                    "cluster-admin");
         },
         {"identity-bindings=FAIL"}},
        {"a default role that was widened",
         [](Inspected& w) {
             w.role("system:basic-user",
                    Json::array({{{"apiGroups", {""}}, {"resources", {"secrets"}}, {"verbs", {"get"}}}}));
         },
         {"identity-bindings=FAIL"}},
        {"bindings that may not be read",
         [](Inspected& w) { w.api.deny("list", "clusterrolebindings"); },
         {"identity-bindings=INCONCLUSIVE"}},
        {"roles that may not be read",
         [](Inspected& w) { w.api.deny("list", "clusterroles"); },
         {"identity-bindings=INCONCLUSIVE"}},
    };
}

std::vector<Fault> host_faults() {
    const auto context = [](const char* key, Json value) {
        return [key, value](Inspected& w) {
            w.edit_container([&](Json& container) { container["securityContext"][key] = value; });
        };
    };
    const auto pod = [](const char* key, Json value) {
        return [key, value](Inspected& w) { w.edit_pod([&](Json& spec) { spec[key] = value; }); };
    };
    Json debug{{"name", "debug"},
               {"securityContext",
                {{"allowPrivilegeEscalation", false},
                 {"capabilities", {{"drop", {"ALL"}}, {"add", {"CAP_SYS_PTRACE"}}}}}}};
    return {
        {"the node's network", pod("hostNetwork", true), {"host-namespaces=FAIL"}},
        {"the node's processes", pod("hostPID", true), {"host-namespaces=FAIL"}},
        {"the node's shared memory", pod("hostIPC", true), {"host-namespaces=FAIL"}},
        {"a folder of the node",
         [](Inspected& w) {
             w.edit_pod([](Json& spec) {
                 spec["volumes"].push_back(volume("h", "hostPath", {{"path", "/etc"}}));
             });
         },
         {"host-paths=FAIL"}},
        {"a privileged init container",
         [](Inspected& w) {
             w.edit_pod(
                 [](Json& spec) { spec["initContainers"][0]["securityContext"]["privileged"] = true; });
         },
         {"host-privilege=FAIL"}},
        {"escalation that is not forbidden",
         context("allowPrivilegeEscalation", nullptr),
         {"host-privilege=FAIL"}},
        {"a capability",
         context("capabilities", {{"drop", {"ALL"}}, {"add", {"SYS_ADMIN"}}}),
         {"host-capabilities=FAIL"}},
        {"raw sockets that are not dropped",
         context("capabilities", Json::object()),
         {"host-capabilities=FAIL"}},
        {"a debug container", pod("ephemeralContainers", Json::array({debug})), {"host-capabilities=FAIL"}},
        {"no seccomp in one container",
         context("seccompProfile", {{"type", "Unconfined"}}),
         {"host-confinement=FAIL"}},
        {"no seccomp at all",
         pod("securityContext", {{"sysctls", Json::array()}}),
         {"host-confinement=FAIL"}},
        {"a gateway of root",
         [](Inspected& w) { w.gateway_status("0\t0\t0\t0", "0000000000000000"); },
         {"host-uid=FAIL"}},
        {"a gateway that can be root again",
         [](Inspected& w) { w.gateway_status("10000\t10000\t0\t10000", "0000000000000000"); },
         {"host-uid=FAIL"}},
        {"a gateway with capabilities",
         [](Inspected& w) { w.gateway_status("10000\t10000\t10000\t10000", "00000000000000c0"); },
         {"host-uid=FAIL"}},
        {"a gateway of another user",
         [](Inspected& w) { w.gateway_status("1000\t1000\t1000\t1000", "0000000000000000"); },
         {"host-uid=WARN"}},
        {"open ICMP",
         [](Inspected& w) { w.root.write("proc/sys/net/ipv4/ping_group_range", "0\t2147483647\n"); },
         {"host-icmp=FAIL"}},
        {"no Pod Security",
         [](Inspected& w) {
             w.edit({"Namespace", "", "hermes"},
                    [](Json& made) { made["metadata"]["labels"] = Json::object(); });
         },
         {"host-pod-security=WARN"}},
        {"no gateway at all",
         [](Inspected& w) { w.root.write("proc/42/cmdline", "sleep"); },
         {"host-uid=INCONCLUSIVE", "agent-allow-all=INCONCLUSIVE", "agent-allowlist=INCONCLUSIVE",
          "agent-backend=INCONCLUSIVE"}},
    };
}

void serve(Inspected& w, const std::string& version, const std::string& resource, const Json& item) {
    const std::string api = "/apis/" + version;
    w.api.pages[api] = testing::answer(200, Json{{"resources", Json::array({{{"name", resource}}})}}.dump());
    w.api.pages[api + "/" + resource] = testing::answer(200, Json{{"items", Json::array({item})}}.dump());
}

void serve_routes(Inspected& w, const std::string& home) {
    const Json backends = Json::array({{{"name", "door"}, {"namespace", "hermes"}}});
    const Json route{{"metadata", {{"name", "r"}, {"namespace", home}}},
                     {"spec", {{"rules", Json::array({{{"backendRefs", backends}}})}}}};
    serve(w, "gateway.networking.k8s.io/v1", "httproutes", route);
}

std::vector<Fault> exposure_faults() {
    return {
        {"a Service", [](Inspected& w) { w.service("ClusterIP"); }, {"exposure-services=WARN"}},
        {"a NodePort", [](Inspected& w) { w.service("NodePort"); }, {"exposure-services=FAIL"}},
        {"a Service of another pod",
         [](Inspected& w) {
             w.api.put(testing::object_of("Service", "hermes", "other",
                                          {{"spec", {{"selector", {{"app", "x"}}}}}}));
         },
         {}},
        {"an EndpointSlice by address",
         [](Inspected& w) {
             w.api.put(testing::object_of("EndpointSlice", "hermes", "by-hand",
                                          {{"endpoints", Json::array({{{"addresses", {"10.42.0.9"}}}})}}));
         },
         {"exposure-services=WARN"}},
        {"an EndpointSlice of a Service that is not there",
         [](Inspected& w) { w.slice("gone-x7k2p", "gone"); },
         {"exposure-services=WARN"}},
        {"an Ingress",
         [](Inspected& w) {
             w.service("ClusterIP");
             const Json path{{"backend", {{"service", {{"name", "door"}}}}}};
             const Json rule{{"http", {{"paths", Json::array({path})}}}};
             w.api.put(
                 testing::object_of("Ingress", "hermes", "in", {{"spec", {{"rules", Json::array({rule})}}}}));
         },
         {"exposure-services=WARN", "exposure-ingresses=FAIL"}},
        {"a route from another namespace",
         [](Inspected& w) { w.service("ClusterIP"), serve_routes(w, "edge"); },
         {"exposure-services=WARN", "exposure-routes=FAIL"}},
        {"a route to a Service that does not lead to the pod",
         [](Inspected& w) { serve_routes(w, "hermes"); },
         {"exposure-routes=PASS"}},
        {"a port of the node",
         [](Inspected& w) {
             w.edit_container([](Json& made) { made["ports"] = Json::array({{{"hostPort", 8642}}}); });
         },
         {"exposure-ports=FAIL"}},
        {"Services that may not be read",
         [](Inspected& w) { w.api.deny("list", "services"); },
         {"exposure-services=INCONCLUSIVE"}},
    };
}

std::vector<Fault> agent_faults() {
    const auto config = [](const char* text) {
        return [text](Inspected& w) { w.root.write("opt/data/config.yaml", text); };
    };
    const auto env = [](const char* text) {
        return [text](Inspected& w) { w.root.write("opt/data/.env", text); };
    };
    const auto secret = [](const char* key, const char* value) {
        return [key, value](Inspected& w) { w.secret(key, value); };
    };
    return {
        {"another backend", config("terminal:\n  backend: ssh\n"), {"agent-backend=FAIL"}},
        {"another backend by variable", env("TERMINAL_ENV=modal\n"), {"agent-backend=FAIL"}},
        {"another backend in the managed scope",
         [](Inspected& w) { w.root.write("etc/hermes/config.yaml", "terminal: {backend: docker}\n"); },
         {"agent-backend=FAIL"}},
        {"a backend that is not read", config("terminal: &t\n  x: 1\n"), {"agent-backend=INCONCLUSIVE"}},
        {"everybody in the Secret's list", secret("TELEGRAM_ALLOWED_USERS", "1,*"), {"agent-allowlist=FAIL"}},
        {"names in the list", secret("TELEGRAM_ALLOWED_USERS", "@alice"), {"agent-allowlist=FAIL"}},
        {"an empty list", secret("TELEGRAM_ALLOWED_USERS", ""), {"agent-allowlist=FAIL"}},
        {"a list that the gateway was not started with",
         [](Inspected& w) { w.gateway_only["TELEGRAM_ALLOWED_USERS"] = "987654321,222"; },
         {"agent-allowlist=WARN"}},
        {"everybody in groups", env("TELEGRAM_GROUP_ALLOWED_USERS=*\n"), {"agent-allowlist=FAIL"}},
        {"everybody in the config", config("telegram:\n  allow_from: [\"*\"]\n"), {"agent-allowlist=FAIL"}},
        {"allow all in the Secret", secret("GATEWAY_ALLOW_ALL_USERS", "true"), {"agent-allow-all=FAIL"}},
        {"allow all in .env", env("export TELEGRAM_ALLOW_ALL_USERS='True'\n"), {"agent-allow-all=FAIL"}},
        {"allow all, off", env("TELEGRAM_ALLOW_ALL_USERS=false\n"), {}},
        {"allow all in the gateway alone",
         [](Inspected& w) { w.gateway_only["TELEGRAM_ALLOW_ALL_USERS"] = "1"; },
         {"agent-allow-all=FAIL"}},
        {"allow all in the pod",
         [](Inspected& w) {
             w.edit_container([](Json& made) {
                 made["env"].push_back({{"name", "DISCORD_ALLOW_ALL_USERS"}, {"value", "yes"}});
             });
         },
         {"agent-allow-all=FAIL"}},
        {"a key in the ConfigMap",
         [](Inspected& w) {
             w.edit({"ConfigMap", "hermes", "hermes-config"}, [](Json& made) {
                 made["data"]["config.yaml"] = "model:\n  api_key: 0123456789abcdef\n";
             });
         },
         {"agent-secrets=FAIL"}},
        {"the Secret's value in the ConfigMap",
         [](Inspected& w) {
             w.edit({"ConfigMap", "hermes", "hermes-config"},
                    [](Json& made) { made["data"]["notes"] = "it is " + inspected_key + "\n"; });
         },
         {"agent-secrets=FAIL"}},
        {"a reference in the ConfigMap",
         [](Inspected& w) {
             w.edit({"ConfigMap", "hermes", "hermes-config"}, [](Json& made) {
                 made["data"]["config.yaml"] =
                     "x: {Authorization: \"Bearer ${COLONY_PAT}\", api_key: \"${KEY}\"}\n";
             });
         },
         {}},
        {"a key in config.yaml", config("model:\n  api_key: 0123456789abcdef\n"), {"agent-secrets=FAIL"}},
        {"a key in a copy of .env",
         [](Inspected& w) {
             w.root.write("opt/data/.env.before-20260101T000000Z", "MINIMAX_API_KEY=0123456789abcdef\n");
         },
         {"agent-secrets=WARN"}},
        {"a copy of .env without one",
         [](Inspected& w) { w.root.write("opt/data/.env.before-20260101T000000Z", "A=1\n"); },
         {}},
        {"a header in config.yaml",
         config("h: {Authorization: \"Bearer abcdefgh12345678\"}\n"),
         {"agent-secrets=FAIL"}},
        {"the Secret's value in config.yaml",
         [](Inspected& w) { w.root.write("opt/data/config.yaml", "notes: it is " + inspected_key + "\n"); },
         {"agent-secrets=FAIL"}},
        {"a token in the pod's variables",
         [](Inspected& w) {
             w.edit_container([](Json& made) {
                 made["env"].push_back({{"name", "X"}, {"value", inspected_token}});
             });
         },
         {"agent-secrets=FAIL"}},
        {"a key in the image",
         [](Inspected& w) { w.environment["OPENAI_API_KEY"] = "baked-in-0123456789"; },
         {"agent-secrets=FAIL"}},
        {"a key from another Secret",
         [](Inspected& w) {
             w.environment["OPENAI_API_KEY"] = "from-elsewhere-0123456789";
             w.edit_container([](Json& made) {
                 made["env"].push_back({{"name", "OPENAI_API_KEY"},
                                        {"valueFrom", {{"secretKeyRef", {{"name", "mine"}, {"key", "k"}}}}}});
             });
         },
         {}},
        {".env shadows the Secret", env("MINIMAX_API_KEY=another\n"), {"agent-env-file=FAIL"}},
        {".env is a pipe",
         [](Inspected& w) {
             std::filesystem::remove(w.root.path("opt/data/.env"));
             ASSERT_EQ(mkfifo(w.root.path("opt/data/.env").c_str(), 0600), 0);
         },
         {"agent-allow-all=INCONCLUSIVE", "agent-allowlist=INCONCLUSIVE", "agent-backend=INCONCLUSIVE",
          "agent-env-file=INCONCLUSIVE"}},
        {"config.yaml is too large to be true",
         [](Inspected& w) { w.root.write("opt/data/config.yaml", std::string(1100000, '#')); },
         {"agent-allowlist=INCONCLUSIVE", "agent-backend=INCONCLUSIVE", "agent-secrets=INCONCLUSIVE"}},
        {"the Secret may not be read",
         [](Inspected& w) { w.api.deny("get", "secrets"); },
         {"agent-env-file=INCONCLUSIVE", "agent-secrets=INCONCLUSIVE"}},
        {"the Secret is gone",
         [](Inspected& w) {
             w.api.erase({"Secret", "hermes", "hermes-secrets"});
         },
         {"agent-allowlist=FAIL", "agent-secrets=INCONCLUSIVE"}},
        {"nobody says which image runs",
         [](Inspected& w) {
             w.edit({"Pod", "hermes", "hermes-1-a"},
                    [](Json& pod) { pod["status"]["containerStatuses"][0].erase("imageID"); });
         },
         {"agent-image=INCONCLUSIVE"}},
    };
}

void expect_found(const std::vector<Fault>& faults) {
    for (const Fault& fault : faults) {
        SCOPED_TRACE(fault.name);
        Inspected world;
        fault.make(world);
        const auto rows = world.rows();
        EXPECT_EQ(changed(rows), fault.rows);
        for (const auto& [id, row] : rows) {
            const bool told = row.verdict == Verdict::fail || row.verdict == Verdict::warn;
            EXPECT_TRUE(!told || !row.hint.empty()) << id;
            for (const std::string& value : {inspected_token, inspected_key, std::string("0123456789")})
                EXPECT_THAT(row.evidence + row.hint, Not(HasSubstr(value))) << id;
        }
        EXPECT_THAT(world.printed, Not(HasSubstr(inspected_key)));
    }
}

TEST(Inspection, FaultsOfIdentityAreFoundByTheirRowAlone) {
    expect_found(identity_faults());
}

TEST(Inspection, ASecretThatIsATokenIsFoundHoweverThePodIsGivenIt) {
    for (const auto& give : secret_ways()) {
        Inspected world;
        world.edit_pod(give);
        EXPECT_EQ(changed(world.rows()), Rows{}) << "it is not there";
        put_secret(world, "Opaque");
        EXPECT_EQ(changed(world.rows()), Rows{});
        put_secret(world, "kubernetes.io/service-account-token");
        const auto rows = world.rows();
        EXPECT_EQ(changed(rows), Rows{"identity-token=FAIL"});
        EXPECT_THAT(rows.at("identity-token").evidence, HasSubstr("secret/mine, a token of account hermes"));
        world.api.deny("get", "secrets");
        const Check unread = world.rows().at("identity-token");
        EXPECT_EQ(unread.verdict, Verdict::inconclusive);
        EXPECT_THAT(unread.hint, HasSubstr("get on secrets"));
    }
}

TEST(Inspection, FaultsOfTheHostAreFoundByTheirRowAlone) {
    expect_found(host_faults());
}

TEST(Inspection, AGateThatIsOffIsWarnedOf) {
    Inspected world;
    world.edit({"Deployment", "hermes", "hermes"},
               [](Json& made) { made["spec"]["template"]["spec"]["initContainers"].erase(0); });
    const auto rows = world.rows();
    EXPECT_EQ(changed(rows), Rows({"gate=WARN"}));
    EXPECT_FALSE(rows.at("gate").decisive);
    EXPECT_EQ(rows.at("gate").hint, "hermesctl deploy --gate");
}

TEST(Inspection, WaysInAreFoundByTheirRowAlone) {
    expect_found(exposure_faults());
}

TEST(Inspection, ASliceWithoutItsServiceIsCalledByItsOwnName) {
    Inspected world;
    world.slice("gone-x7k2p", "gone");
    const Check row = world.rows()["exposure-services"];
    EXPECT_EQ(row.evidence, "endpointslice/gone-x7k2p leads to the pod");
    EXPECT_EQ(row.hint, "kubectl -n hermes delete endpointslice/gone-x7k2p");
}

TEST(Inspection, RoutesOfAllProtocolsAreWaysIn) {
    const Json route =
        kube::parse_yaml(
            "{metadata: {name: r, namespace: hermes}, spec: {rules: [{backendRefs: [{name: door}]}], "
            "routes: [{services: [{name: door}]}]}}",
            "route")
            .at(0);
    for (const auto& [version, resource] :
         std::vector<std::pair<std::string, std::string>>{{"gateway.networking.k8s.io/v1", "tlsroutes"},
                                                          {"gateway.networking.k8s.io/v1", "tcproutes"},
                                                          {"gateway.networking.k8s.io/v1alpha2", "tcproutes"},
                                                          {"gateway.networking.k8s.io/v1alpha2", "udproutes"},
                                                          {"traefik.io/v1alpha1", "ingressroutetcps"},
                                                          {"traefik.io/v1alpha1", "ingressrouteudps"}}) {
        Inspected world;
        world.service("ClusterIP");
        serve(world, version, resource, route);
        EXPECT_EQ(changed(world.rows()), Rows({"exposure-services=WARN", "exposure-routes=FAIL"}))
            << version << " " << resource;
        EXPECT_EQ(world.rows().at("exposure-routes").evidence.find("route r in hermes leads"), 0U);
        world.api.pages["/apis/" + version + "/" + resource] = testing::refusal(403, "Forbidden", "no");
        EXPECT_EQ(world.rows().at("exposure-routes").verdict, Verdict::inconclusive) << resource;
        // What is not served may be refused all the same.
        world.api.pages["/apis/" + version] = testing::answer(200, R"({"resources":[]})");
        EXPECT_EQ(world.rows().at("exposure-routes").verdict, Verdict::not_applicable) << resource;
    }
}

TEST(Inspection, FaultsOfTheAgentAreFoundByTheirRowAlone) {
    expect_found(agent_faults());
}

TEST(Inspection, WhatOpensTheBotFromTheSecretGoesByRotateSecret) {
    Inspected world;
    world.secret("TELEGRAM_ALLOW_ALL_USERS", "true");
    world.secret("GATEWAY_ALLOWED_USERS", "*");
    const auto rows = world.rows();
    EXPECT_EQ(rows.at("agent-allow-all").hint, "hermesctl rotate-secret --remove TELEGRAM_ALLOW_ALL_USERS");
    EXPECT_EQ(rows.at("agent-allowlist").hint, "hermesctl rotate-secret --remove GATEWAY_ALLOWED_USERS");
}

TEST(Inspection, ACopyWithAKeyIsToldWithTheCommandThatRemovesIt) {
    Inspected world;
    world.root.write("opt/data/.env.before-20260101T000000Z", "A=1\nMINIMAX_API_KEY=0123456789abcdef\n");
    const Check row = world.rows().at("agent-secrets");
    EXPECT_THAT(row.evidence, AllOf(HasSubstr("/opt/data/.env.before-20260101T000000Z"),
                                    HasSubstr("MINIMAX_API_KEY"), Not(HasSubstr("0123456789abcdef"))));
    EXPECT_THAT(row.hint, HasSubstr("hermesctl exec -- rm /opt/data/.env.before-20260101T000000Z"));
}

/// Of the agent's own pod it says nothing.
TEST(Inspection, APodOfAJobIsNotTheAgents) {
    Inspected world;
    Json pod = world.api.object({"Pod", "hermes", "hermes-1-a"});
    pod["metadata"] = {{"name", "hermes-gate-a1b2c3-x"},
                       {"namespace", "hermes"},
                       {"labels", {{"app", "hermes"}, {"job-name", "hermes-gate-a1b2c3"}}}};
    world.api.put(pod);
    world.api.erase({"Pod", "hermes", "hermes-1-a"});
    const Check blind = world.rows().at("host-privilege");
    EXPECT_EQ(blind.verdict, Verdict::inconclusive);
    EXPECT_THAT(blind.evidence, HasSubstr("no pod is there"));
    world.edit({"Deployment", "hermes", "hermes"}, [](Json& made) {
        made["spec"]["template"]["spec"]["containers"][0]["securityContext"]["privileged"] = true;
    });
    const Check seen = world.rows().at("host-privilege");
    EXPECT_EQ(seen.verdict, Verdict::fail);
    EXPECT_THAT(seen.evidence, HasSubstr("the template of deployment/hermes"));
}

TEST(Inspection, TheGuidesOwnInstallationIsToldWhatDeployWouldMend) {
    Inspected world;
    std::ifstream file(SOURCE_DIR "/tests/e2e/guide/4-deployment.yaml");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    world.use_template(kube::parse_yaml(text, "guide").at(0)["spec"]["template"]);
    const auto rows = world.rows();
    EXPECT_EQ(changed(rows), Rows({"gate=WARN", "host-privilege=WARN", "host-capabilities=WARN"}));
    EXPECT_FALSE(rows.at("host-privilege").decisive);
    EXPECT_THAT(rows.at("host-privilege").hint, HasSubstr("hermesctl deploy"));
}

TEST(Inspection, TheHardenedFormIsKnownAndMissed) {
    Inspected world;
    EXPECT_EQ(world.rows().at("host-hardened").verdict, Verdict::not_applicable);
    Json pod_template = world.api.object({"Deployment", "hermes", "hermes"})["spec"]["template"];
    harden(pod_template["spec"]);
    world.use_template(pod_template);
    EXPECT_EQ(changed(world.rows()), Rows{"host-hardened=PASS"});
    world.edit_container(
        [](Json& container) { container["securityContext"]["readOnlyRootFilesystem"] = false; });
    EXPECT_EQ(world.rows().at("host-hardened").verdict, Verdict::not_applicable) << "nobody asked for it";
    world.edit({"Deployment", "hermes", "hermes"}, [](Json& made) {
        made["metadata"]["annotations"]["hermesctl/settings"] = R"({"pod":{"hardened":true}})";
    });
    const auto rows = world.rows();
    EXPECT_EQ(changed(rows), Rows{"host-hardened=FAIL"});
    EXPECT_THAT(rows.at("host-hardened").evidence,
                HasSubstr("container hermes may write to its root file system"));
}

TEST(Inspection, OfAFewThingsOneTellsAllAndOfManyTheFirst) {
    Inspected world;
    for (int i = 0; i < 8; ++i)
        world.bind("ClusterRoleBinding", "", the_account, fmt::format("r{}", i));
    const Check row = world.rows().at("identity-bindings");
    EXPECT_THAT(row.evidence, AllOf(HasSubstr("bound-r0"), HasSubstr("and 3 more")));
}

}  // namespace
}  // namespace hermesctl::hermes
