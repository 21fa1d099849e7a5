// Choosing a context and what becomes of its stanzas. How files are read is also compared with kubectl:
// tests/apiserver/kubeconfig_compare_test.cpp.
#include "hermesctl/kube/kubeconfig.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/scrub.hpp"
#include "support/fake_clock.hpp"
#include "support/scratch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const std::string key = "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\n";

/// A kubeconfig with one context, its cluster and user given as flow mappings.
std::string config(const std::string& cluster, const std::string& user, const std::string& context = "") {
    return fmt::format(
        "current-context: main\n"
        "contexts: [{{name: main, context: {{cluster: c, user: u{}}}}}]\n"
        "clusters: [{{name: c, cluster: {}}}]\n"
        "users: [{{name: u, user: {}}}]\n",
        context, cluster, user);
}

class Kubeconfig : public ::testing::Test {
  protected:
    Connection load(const std::string& text, bool interactive = false) {
        return load_connection({.file = scratch.write("config", text), .interactive = interactive},
                               environment, clock);
    }
    Connection load_user(const std::string& user) { return load(config("{server: 'https://h:1'}", user)); }
    net::Credentials credentials(const std::string& user) {
        return load_user(user).endpoint.credentials(false);
    }
    std::string request_refusal(const KubeconfigRequest& request) {
        try {
            load_connection(request, environment, clock);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::usage) << error.message();
            return error.message() + " | " + error.hint();
        }
        return "accepted";
    }
    std::string refusal(const std::string& text) {
        return request_refusal({.file = scratch.write("config", text)});
    }
    std::string user_refusal(const std::string& user) {
        return refusal(config("{server: 'https://h:1'}", user));
    }
    std::string cluster_refusal(const std::string& cluster) { return refusal(config(cluster, "{}")); }

    testing::Scratch scratch;
    testing::FakeClock clock;
    Environment environment{{"HOME", scratch.path("home")}, {"PATH", "/usr/bin:/bin"}};
};

TEST_F(Kubeconfig, ClusterBecomesAnEndpoint) {
    const auto connection = load(config(
        fmt::format(
            "{{server: 'https://h:6443/base/?q=1', certificate-authority-data: {}, tls-server-name: kube, "
            "proxy-url: 'http://me:proxy-password@p:1', disable-compression: true}}",
            base64_encode(certificate)),
        "{}"));
    EXPECT_EQ(connection.context, "main");
    EXPECT_EQ(connection.server, "https://h:6443/base");
    EXPECT_EQ(connection.endpoint.url, "https://h:6443/base");
    EXPECT_EQ(connection.endpoint.ca_pem, certificate);
    EXPECT_EQ(connection.endpoint.tls_server_name, "kube");
    EXPECT_EQ(connection.endpoint.proxy_url, "http://me:proxy-password@p:1");
    EXPECT_FALSE(connection.endpoint.compression);
    EXPECT_FALSE(connection.endpoint.insecure);
    EXPECT_EQ(scrub("via proxy-password"), "via ***");
}

TEST_F(Kubeconfig, ProxiesComeFromTheEnvironment) {
    environment.insert({{"https_proxy", "http://p:3"},
                        {"HTTP_PROXY", "http://p:1"},
                        {"http_proxy", "http://p:2"},
                        {"NO_PROXY", "10.0.0.0/8"}});
    const auto proxies = load_user("{}").endpoint.proxies;
    EXPECT_EQ(proxies.https, "http://p:3");
    EXPECT_EQ(proxies.http, "http://p:1");
    EXPECT_EQ(proxies.none, "10.0.0.0/8");
}

TEST_F(Kubeconfig, APasswordInAProxysUrlIsASecretHoweverItIsWritten) {
    environment.insert({{"HTTPS_PROXY", "me:no-scheme-pw@p:3"}, {"HTTP_PROXY", "http://me:with@and/pw@p:1"}});
    load_user("{}");
    EXPECT_EQ(scrub("via no-scheme-pw, with@and/pw"), "via ***, ***");
}

TEST_F(Kubeconfig, TheNamespaceOfAContextIsNotLookedAt) {
    EXPECT_EQ(refusal(config("{server: 'https://h'}", "{}", ", namespace: No_Name")), "accepted");
}

TEST_F(Kubeconfig, ServersAsPeopleWriteThem) {
    const auto url = [&](const std::string& cluster) { return load(config(cluster, "{}")).endpoint.url; };
    EXPECT_EQ(url("{server: 'https://[::1]:6443/'}"), "https://[::1]:6443");
    EXPECT_EQ(url("{server: 'http://localhost:8001'}"), "http://localhost:8001");
    EXPECT_EQ(url("{server: 'h:6443'}"), "http://h:6443");
    EXPECT_EQ(url("{server: 'h:6443', insecure-skip-tls-verify: true}"), "https://h:6443");
    EXPECT_EQ(url("{server: 'https://rancher/k8s/clusters/c-abc'}"), "https://rancher/k8s/clusters/c-abc");
    for (const char* server : {"ftp://h", "https://", "https://h:x", "https://h:99999", "https://a b",
                               "h/path", "https://[::1", "https://h:"}) {
        EXPECT_THAT(cluster_refusal(fmt::format("{{server: '{}'}}", server)),
                    AllOf(HasSubstr("cluster \"c\" in"), HasSubstr("write it as https://HOST:PORT")))
            << server;
    }
    EXPECT_THAT(cluster_refusal("{server: 'https://me:url-password@h'}"),
                AllOf(HasSubstr("holds credentials"), Not(HasSubstr("url-password"))));
}

TEST_F(Kubeconfig, CredentialsOfEachKind) {
    EXPECT_EQ(credentials("{token: token-of-mine}").token, "token-of-mine");
    EXPECT_EQ(scrub("a token-of-mine b"), "a *** b");
    const auto basic = credentials("{username: me, password: pass-of-mine}");
    EXPECT_EQ(basic.username + ":" + basic.password, "me:pass-of-mine");
    const auto pair = credentials(fmt::format("{{client-certificate-data: {}, client-key-data: {}}}",
                                              base64_encode(certificate), base64_encode(key)));
    EXPECT_EQ(pair.certificate_pem + pair.key_pem, certificate + key);
    EXPECT_EQ(credentials("{}").token, "");
}

TEST_F(Kubeconfig, AContextMayNameNoUser) {
    const auto connection = load(
        "current-context: main\n"
        "contexts: [{name: main, context: {cluster: c}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://h:1'}}]\n");
    EXPECT_EQ(connection.server, "https://h:1");
    EXPECT_EQ(connection.endpoint.credentials(false), net::Credentials{});
    EXPECT_TRUE(connection.endpoint.headers.empty());
    EXPECT_THAT(refusal("current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
                        "clusters: [{name: c, cluster: {server: 'https://h:1'}}]\n"),
                HasSubstr("names the user \"u\", which is nowhere"));
}

TEST_F(Kubeconfig, FilesAreRelativeToTheKubeconfig) {
    scratch.write("pki/ca.crt", certificate);
    scratch.write("pki/me.key", key);
    const auto connection = load(config("{server: 'https://h', certificate-authority: pki/ca.crt}",
                                        "{client-certificate: ./pki/ca.crt, client-key: pki/me.key}"));
    EXPECT_EQ(connection.endpoint.ca_pem, certificate);
    EXPECT_EQ(connection.endpoint.credentials(false).key_pem, key);
}

TEST_F(Kubeconfig, CredentialsGoOnlyOverTls) {
    EXPECT_FALSE(load(config("{server: 'http://h'}", "{token: abcdefgh}")).endpoint.credentials);
}

TEST_F(Kubeconfig, TokenFileWinsAndIsReadAgain) {
    scratch.write("token", " first-token\n");
    const auto connection = load_user("{token: fixed-token, tokenFile: token}");
    const auto token = [&](bool rejected) { return connection.endpoint.credentials(rejected).token; };
    EXPECT_EQ(token(false), "first-token");
    scratch.write("token", "second-token");
    EXPECT_EQ(token(false), "first-token");
    clock.advance(std::chrono::minutes(1));
    EXPECT_EQ(token(false), "second-token");
    scratch.write("token", "third-token");
    EXPECT_EQ(token(true), "third-token");
    scratch.write("token", "");
    EXPECT_EQ(token(true), "third-token");
    EXPECT_EQ(scrub("second-token"), "***");
}

TEST_F(Kubeconfig, TokenFileThatCannotBeRead) {
    EXPECT_EQ(credentials("{token: fixed-token, tokenFile: none}").token, "fixed-token");
    // The source is made with the connection, so that a wrong file is said before anything is sent.
    EXPECT_THAT(user_refusal("{tokenFile: none}"), HasSubstr(scratch.path("none")));
    scratch.write("blank", "\n");
    EXPECT_THAT(user_refusal("{tokenFile: blank}"), HasSubstr("holds no token"));
}

TEST_F(Kubeconfig, Impersonation) {
    const auto headers =
        load_user("{as: admin, as-uid: '7', as-groups: [a, b], as-user-extra: {'Sc/x%': [one, two]}}")
            .endpoint.headers;
    std::string all;
    for (const auto& header : headers)
        all += header.name + "=" + header.value + ";";
    EXPECT_EQ(all,
              "Impersonate-User=admin;Impersonate-Uid=7;Impersonate-Group=a;Impersonate-Group=b;"
              "Impersonate-Extra-Sc%2Fx%25=one;Impersonate-Extra-Sc%2Fx%25=two;");
    EXPECT_THAT(user_refusal("{as: \"a\\r\\nX: y\"}"), HasSubstr("control character"));
}

TEST_F(Kubeconfig, StanzasThatCannotWork) {
    const std::string data = base64_encode(certificate);
    EXPECT_THAT(cluster_refusal("{}"), HasSubstr("has no server"));
    EXPECT_THAT(
        cluster_refusal(
            "{server: 'https://h', certificate-authority: a, certificate-authority-data: " + data + "}"),
        HasSubstr("has both certificate-authority and certificate-authority-data"));
    EXPECT_THAT(
        cluster_refusal("{server: 'https://h', insecure-skip-tls-verify: true, certificate-authority-data: " +
                        data + "}"),
        HasSubstr("insecure-skip-tls-verify: true"));
    EXPECT_THAT(cluster_refusal("{server: 'https://h', proxy-url: 'ftp://x'}"),
                HasSubstr("proxy-url must start"));
    EXPECT_THAT(cluster_refusal("{server: 'https://h', certificate-authority: none.crt}"),
                HasSubstr("none.crt of cluster \"c\" in " + scratch.path("config") + " does not exist"));
    EXPECT_THAT(
        cluster_refusal("{server: 'https://h', certificate-authority-data: " + base64_encode("junk") + "}"),
        HasSubstr("holds no PEM CERTIFICATE"));
    EXPECT_THAT(user_refusal("{client-certificate-data: " + data + "}"), HasSubstr("neither client-key nor"));
    EXPECT_THAT(user_refusal("{client-certificate-data: " + data + ", client-key-data: " + data + "}"),
                HasSubstr("client-key-data of user \"u\" in " + scratch.path("config") +
                          " holds no PEM PRIVATE KEY"));
    EXPECT_THAT(user_refusal("{token: abcdef, username: me}"), HasSubstr("both a token and a username"));
    EXPECT_THAT(user_refusal("{as-groups: [a]}"), HasSubstr("without as"));
    EXPECT_THAT(user_refusal("{token: \"abc\\ndef\"}"),
                AllOf(HasSubstr("control character"), Not(HasSubstr("abc"))));
    EXPECT_THAT(user_refusal("{auth-provider: {name: gcp}}"),
                AllOf(HasSubstr("auth-provider gcp"), HasSubstr("exec")));
    EXPECT_THAT(user_refusal("{auth-provider: {name: gcp}, exec: {command: x}}"),
                HasSubstr("both exec and auth-provider"));
}

TEST_F(Kubeconfig, PluginsThatCannotWork) {
    const auto exec = [&](const std::string& fields) { return user_refusal("{exec: {" + fields + "}}"); };
    EXPECT_THAT(exec("apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never"),
                HasSubstr("no command"));
    EXPECT_THAT(exec("command: x, interactiveMode: Never"), HasSubstr("no apiVersion"));
    EXPECT_THAT(exec("command: x, apiVersion: client.authentication.k8s.io/v1alpha1"),
                HasSubstr("v1alpha1 is not supported"));
    EXPECT_THAT(exec("command: x, apiVersion: client.authentication.k8s.io/v1"),
                HasSubstr("interactiveMode must be"));
    EXPECT_THAT(exec("command: x, apiVersion: client.authentication.k8s.io/v1beta1, env: [{value: x}]"),
                HasSubstr("without a name"));
}

/// Older kubeconfigs have it; its interactiveMode may be left out.
TEST_F(Kubeconfig, APluginOfV1beta1IsAskedAndAnswersInIt) {
    const std::string beta = "client.authentication.k8s.io/v1beta1";
    scratch.write("plugin",
                  fmt::format("#!/bin/sh\n"
                              "case $KUBERNETES_EXEC_INFO in *'\"{0}\"'*) ;; *) exit 9 ;; esac\n"
                              "echo '{{\"kind\":\"ExecCredential\",\"apiVersion\":\"{0}\",'\n"
                              "echo '\"status\":{{\"token\":\"beta-token\"}}}}'\n",
                              beta),
                  true);
    EXPECT_EQ(credentials(fmt::format("{{exec: {{command: ./plugin, apiVersion: {}}}}}", beta)).token,
              "beta-token");
}

TEST_F(Kubeconfig, FilesThatAreNone) {
    const std::string file = scratch.path("config");
    EXPECT_THAT(request_refusal({.file = scratch.path("none")}),
                AllOf(StartsWith("there is no kubeconfig " + scratch.path("none")), HasSubstr("k3s.yaml")));
    EXPECT_THAT(request_refusal({.file = scratch.path()}), HasSubstr("is a directory"));
    EXPECT_THAT(refusal(""), StartsWith("no context in kubeconfig " + file));
    EXPECT_THAT(refusal("# nothing"), StartsWith("no context in kubeconfig " + file));
    EXPECT_THAT(refusal(std::string("\x7f"
                                    "ELF\0\0",
                                    6)),
                StartsWith(file + ":1:1: this is not text"));
    EXPECT_THAT(refusal("{"), StartsWith(file + ":1:"));
    EXPECT_THAT(refusal("hello"), HasSubstr("not a kubeconfig"));
    EXPECT_THAT(refusal("kind: Pod"), StartsWith(file + ":1:7: this is a Pod, not a kubeconfig"));
    EXPECT_THAT(refusal("apiVersion: v9"), HasSubstr("version v9 is not known"));
    EXPECT_THAT(
        refusal("users:\n- name: u\n  user:\n    token: 12345678\n"),
        AllOf(StartsWith(file + ":4:12: /users/0/user/token must be text"), Not(HasSubstr("12345678"))));
    EXPECT_THAT(refusal("clusters: {}"), HasSubstr("/clusters must be a list"));
    EXPECT_THAT(refusal("clusters:\n- {name: c, cluster: {certificate-authority-data: '%%'}}"),
                HasSubstr("is not base64"));
    EXPECT_THAT(refusal("users: [{name: u}, {name: u}]"), HasSubstr("the user \"u\" is there twice"));
}

TEST_F(Kubeconfig, ContextsThatAreNot) {
    const std::string text = config("{server: 'https://h'}", "{}");
    EXPECT_THAT(request_refusal({.file = scratch.write("config", text), .context = "other"}),
                AllOf(StartsWith("there is no context \"other\" in " + scratch.path("config")),
                      HasSubstr("one of: main")));
    EXPECT_THAT(refusal(text.substr(text.find('\n') + 1)),
                AllOf(StartsWith("no current-context in"), HasSubstr("add --context NAME, one of: main")));
    EXPECT_THAT(refusal("current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]"),
                HasSubstr("names the cluster \"c\", which is nowhere"));
    EXPECT_THAT(refusal("current-context: a\ncontexts: [{name: a}]"), HasSubstr("names no cluster"));
}

TEST_F(Kubeconfig, NoneAtAllNamesTheOneOfK3s) {
    EXPECT_THAT(request_refusal({}),
                AllOf(StartsWith("there is no kubeconfig " + scratch.path("home") + "/.kube/config"),
                      HasSubstr("/etc/rancher/k3s/k3s.yaml")));
    environment["KUBECONFIG"] = "/none/a:/none/b";
    EXPECT_THAT(request_refusal({}), StartsWith("there is no kubeconfig /none/a or /none/b"));
}

TEST_F(Kubeconfig, ListsMergeFirstOneWins) {
    const std::string one =
        scratch.write("one/config", "current-context: b\nusers: [{name: u, user: {token: one-token}}]\n");
    scratch.write("two/ca.crt", certificate);
    const std::string two =
        scratch.write("two/config",
                      "current-context: a\n"
                      "contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c, "
                      "user: u}}]\n"
                      "clusters: [{name: c, cluster: {server: 'https://h', certificate-authority: ca.crt}}]\n"
                      "users: [{name: u, user: {token: two-token, username: never}}]\n");
    environment["KUBECONFIG"] = one + "::/none:" + two;
    const auto connection = load_connection({}, environment, clock);
    EXPECT_EQ(connection.context, "b");
    EXPECT_EQ(connection.endpoint.ca_pem, certificate);
    EXPECT_EQ(connection.endpoint.credentials(false).token, "one-token");
    EXPECT_EQ(load_connection({.context = "a"}, environment, clock).context, "a");
    EXPECT_THAT(request_refusal({.file = one}), StartsWith("there is no context \"b\" in " + one));
}

}  // namespace
}  // namespace hermesctl::kube
