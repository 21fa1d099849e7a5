// Who is trusted, who we are, and which way the bytes go.
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/scrub.hpp"
#include "wire/client.hpp"
#include "wire/proxies.hpp"

#include <gmock/gmock.h>

namespace hermesctl::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ScriptedServer::Script ok() {
    return answering([](auto&) { return http_answer(200, "ok"); });
}

TEST(Trust, AnotherAuthorityIsRefused) {
    ScriptedServer server{ok(), {.certificate = Authority{"another"}.issue()}};
    auto answer = net::send(*connect(server), get("/"));
    EXPECT_EQ(answer.failure, "the certificate of the server is not from the authority in the kubeconfig");
    EXPECT_FALSE(answer.connected);
    EXPECT_FALSE(answer.transient);
    EXPECT_EQ(server.connections(), 0);
}

TEST(Trust, WithoutAnAuthorityTheSystemsAreAsked) {
    ScriptedServer server{ok()};
    auto endpoint = endpoint_of(server);
    endpoint.ca_pem = "";
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).failure,
              "the certificate of the server is not from an authority that this system trusts");
}

TEST(Trust, LessThanTls12IsRefusedAlsoWhereTheCertificateDoesNotMatter) {
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        ScriptedServer server{ok(), {.newest_tls = version}};
        auto endpoint = endpoint_of(server);
        endpoint.ca_pem = "";
        endpoint.insecure = true;
        EXPECT_EQ(net::send(*connect(endpoint), get("/")).failure, "the server has no TLS 1.2 or newer");
        EXPECT_EQ(server.connections(), 0);
    }
    ScriptedServer server{ok(), {.newest_tls = TLS1_2_VERSION}};
    EXPECT_EQ(net::send(*connect(server), get("/")).body, "ok");
}

TEST(Trust, InsecureAcceptsAnyCertificate) {
    ScriptedServer server{ok(), {.certificate = Authority{"another"}.issue({.names = "DNS:elsewhere"})}};
    auto endpoint = endpoint_of(server);
    endpoint.ca_pem = "";
    endpoint.insecure = true;
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).body, "ok");
}

TEST(Trust, AnExpiredCertificateIsNamed) {
    ScriptedServer server{ok(), {.certificate = test_authority().issue({.not_after_seconds = -60})}};
    EXPECT_EQ(net::send(*connect(server), get("/")).failure, "the certificate of the server has expired");
}

TEST(Trust, ACertificateForAnotherNameIsRefused) {
    ScriptedServer server{ok(), {.certificate = test_authority().issue({.names = "DNS:kubernetes.default"})}};
    EXPECT_THAT(net::send(*connect(server), get("/")).failure,
                StartsWith("the certificate of the server is not for 127.0.0.1:"));
}

TEST(Trust, TlsServerNameIsWhatTheCertificateMustSayAndHostStaysTheServers) {
    std::string seen;
    auto script = answering([&](const std::string& request) {
        seen = request;
        return http_answer(200, "ok");
    });
    ScriptedServer server{script,
                          {.certificate = test_authority().issue({.names = "DNS:kubernetes.default"})}};
    auto endpoint = endpoint_of(server);
    endpoint.tls_server_name = "kubernetes.default";
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).body, "ok");
    EXPECT_THAT(seen, HasSubstr("Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
    endpoint.tls_server_name = "other.default";
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).failure,
              "the certificate of the server is not for other.default");
}

TEST(Trust, AnAuthorityThatIsNoCertificateIsNamed) {
    ScriptedServer server{ok()};
    auto endpoint = endpoint_of(server);
    endpoint.ca_pem = "not a certificate";
    auto answer = net::send(*connect(endpoint), get("/"));
    EXPECT_EQ(answer.failure, "the authority in the kubeconfig is not a PEM certificate");
}

TEST(Trust, ATlsClientOnAPlainPortIsTold) {
    ScriptedServer server{[](Peer& peer) {
                              peer.read_some();
                              peer.write("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request\n");
                          },
                          {.tls = false}};
    auto endpoint = endpoint_of(server);
    endpoint.url = "https://127.0.0.1:" + std::to_string(server.port());
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).failure, "the server does not speak TLS on this port");
}

TEST(Identity, AClientCertificateIsShownFromMemory) {
    const Authority clients{"clients"};
    ScriptedServer server{ok(), {.client_ca_pem = clients.pem()}};
    auto endpoint = endpoint_of(server);
    EXPECT_THAT(net::send(*connect(endpoint), get("/")).failure, HasSubstr("client certificate"));
    auto pair = clients.issue({.names = "", .subject = "ann"});
    endpoint.credentials = [&](bool) {
        return net::Credentials{.certificate_pem = pair.certificate_pem, .key_pem = pair.key_pem};
    };
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).body, "ok");
}

TEST(Identity, AnExpiredClientCertificateIsNamed) {
    const Authority clients{"clients"};
    ScriptedServer server{ok(), {.client_ca_pem = clients.pem()}};
    auto endpoint = endpoint_of(server);
    auto pair = clients.issue({.names = "", .subject = "ann", .not_after_seconds = -60});
    endpoint.credentials = [&](bool) {
        return net::Credentials{.certificate_pem = pair.certificate_pem, .key_pem = pair.key_pem};
    };
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).failure,
              "the server says that the client certificate has expired");
}

TEST(Identity, AKeyThatIsNoneIsNamed) {
    ScriptedServer server{ok()};
    auto endpoint = endpoint_of(server);
    auto pair = test_authority().issue();
    endpoint.credentials = [&](bool) {
        return net::Credentials{.certificate_pem = pair.certificate_pem, .key_pem = "no key"};
    };
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).failure,
              "the client certificate and its key cannot be used");
}

TEST(Identity, BasicAuthentication) {
    std::string seen;
    ScriptedServer server{answering([&](const std::string& request) {
        seen = request;
        return http_answer(200, "");
    })};
    auto endpoint = endpoint_of(server);
    endpoint.credentials = [](bool) { return net::Credentials{.username = "ann", .password = "pass"}; };
    net::send(*connect(endpoint), get("/"));
    EXPECT_THAT(seen, HasSubstr("Authorization: Basic YW5uOnBhc3M=\r\n"));
    EXPECT_EQ(scrub("it echoed YW5uOnBhc3M="), "it echoed ***");
}

TEST(Identity, IsNeverSentWithoutTls) {
    std::string seen;
    ScriptedServer server{answering([&](const std::string& request) {
                              seen = request;
                              return http_answer(200, "");
                          }),
                          {.tls = false}};
    auto endpoint = endpoint_of(server);
    endpoint.credentials = [](bool) { return net::Credentials{.token = "secret"}; };
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).status, 200);
    EXPECT_THAT(seen, Not(HasSubstr("Authorization")));
}

/// 401 for every token but "new".
ScriptedServer::Script wants_new_token(std::atomic<int>& refused) {
    return answering([&refused](const std::string& request) {
        if (request.find("Bearer new\r\n") != std::string::npos) return http_answer(200, "ok");
        ++refused;
        return http_answer(401, "Unauthorized");
    });
}

TEST(Identity, AfterA401TheCredentialsAreAskedForAgainOnce) {
    std::atomic<int> refused{0};
    int asked_again = 0;
    ScriptedServer server{wants_new_token(refused)};
    auto endpoint = endpoint_of(server);
    std::string token = "old";
    endpoint.credentials = [&](bool rejected) {
        if (rejected) ++asked_again, token = "new";
        return net::Credentials{.token = token};
    };
    auto transport = connect(endpoint);
    const std::vector<net::Request> requests(3, get("/"));
    for (const auto& answer : net::exchange(*transport, requests))
        EXPECT_EQ(answer.body, "ok");
    EXPECT_EQ(asked_again, 1) << "three answers of 401 to one and the same token";
    EXPECT_LE(refused, 3);
}

TEST(Identity, ARejectionThatStaysIsTheAnswer) {
    std::atomic<int> refused{0};
    ScriptedServer server{wants_new_token(refused)};
    auto endpoint = endpoint_of(server);
    int number = 0;
    endpoint.credentials = [&](bool) {
        return net::Credentials{.token = "wrong" + std::to_string(++number)};
    };
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).status, 401);
    EXPECT_EQ(refused, 2);
    endpoint.credentials = [](bool) { return net::Credentials{.token = "same"}; };
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).status, 401);
    EXPECT_EQ(refused, 3) << "the same token is not worth a second try";
}

TEST(Identity, ParallelRejectionsAskForFreshCredentialsOnce) {
    for (const bool changing : {true, false}) {
        std::atomic<int> refused{0};
        ScriptedServer server{wants_new_token(refused)};
        auto endpoint = endpoint_of(server);
        int runs = 1;  // as of a plugin that has given the first token
        endpoint.credentials = [&](bool rejected) {
            if (rejected) ++runs;
            return net::Credentials{.token = changing ? "wrong" + std::to_string(runs) : "same"};
        };
        auto transport = connect(endpoint);
        const std::vector<net::Request> requests(7, get("/"));
        for (const auto& answer : net::exchange(*transport, requests))
            EXPECT_EQ(answer.status, 401);
        EXPECT_EQ(runs, 2) << changing;
        EXPECT_EQ(net::send(*transport, get("/")).status, 401);
        EXPECT_EQ(runs, 3) << "a later request is another matter";
    }
}

TEST(Identity, AnotherCertificateIsShownOnAConnectionOfItsOwn) {
    const Authority clients{"clients"};
    ScriptedServer server{[](Peer& peer) {
                              while (!peer.read_request().empty())
                                  peer.write(http_answer(peer.client() == "new" ? 200 : 401, peer.client()));
                          },
                          {.client_ca_pem = clients.pem()}};
    auto endpoint = endpoint_of(server);
    auto pair = clients.issue({.names = "", .subject = "old"});
    endpoint.credentials = [&](bool rejected) {
        if (rejected) pair = clients.issue({.names = "", .subject = "new"});
        return net::Credentials{.certificate_pem = pair.certificate_pem, .key_pem = pair.key_pem};
    };
    auto transport = connect(endpoint);
    const std::vector<net::Request> requests(3, get("/"));
    for (int i = 0; i < 2; ++i) {
        for (const auto& answer : net::exchange(*transport, requests))
            EXPECT_EQ(answer.body, "new");
    }
}

/// An http proxy that answers CONNECT itself and then is the server: the tunnel's other end is here.
TEST(Proxy, HttpsGoesThroughConnect) {
    std::string seen;
    ScriptedServer proxy{[&](Peer& peer) {
                             seen = peer.read_request();
                             peer.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
                         },
                         {.tls = false}};
    net::Endpoint endpoint;
    endpoint.url = "https://cluster.example:6443";
    endpoint.proxy_url = proxy.url();
    endpoint.credentials = [](bool) { return net::Credentials{.token = "secret"}; };
    auto answer = net::send(*connect(endpoint), get("/"));
    EXPECT_THAT(seen, StartsWith("CONNECT cluster.example:6443 HTTP/1.1\r\n"));
    EXPECT_THAT(seen, Not(HasSubstr("secret")));
    EXPECT_EQ(answer.failure, "the proxy 127.0.0.1:" + std::to_string(proxy.port()) + " answered 403");
    EXPECT_FALSE(answer.connected);
}

TEST(Proxy, TheClustersAuthorityDoesNotVouchForOneWithTls) {
    std::string seen;
    ScriptedServer proxy{[&](Peer& peer) { seen = "trusted: " + peer.read_request(); }};
    net::Endpoint endpoint;
    endpoint.url = "https://cluster.example:6443";
    endpoint.proxy_url = proxy.url();
    endpoint.ca_pem = test_authority().pem();
    auto answer = net::send(*connect(endpoint), get("/"));
    EXPECT_THAT(answer.failure, HasSubstr("certificate"));
    EXPECT_EQ(seen, "") << "the cluster's authority does not vouch for a proxy";
}

TEST(Proxy, TheTunnelEndsAtTheServerWithItsOwnTls) {
    ScriptedServer server{ok(), {.certificate = test_authority().issue({.names = "DNS:cluster.example"})}};
    ScriptedServer proxy{tunnel_to(server.port()), {.tls = false}};
    auto endpoint = endpoint_of(server);
    endpoint.url = "https://cluster.example:6443";
    endpoint.proxies.https = proxy.url();
    auto transport = connect(endpoint);
    auto answer = net::send(*transport, get("/"));
    EXPECT_EQ(answer.body, "ok") << answer.failure;
    EXPECT_EQ(answer.header("X-Of-Proxy"), "");
    EXPECT_EQ(net::send(*transport, get("/")).body, "ok");
    EXPECT_EQ(proxy.connections(), 1);
    endpoint.ca_pem = Authority{"another"}.pem();
    EXPECT_FALSE(net::send(*connect(endpoint), get("/")).ok());
}

TEST(Proxy, Socks5GetsTheNameAndNotAnAddress) {
    std::string asked;
    ScriptedServer server{ok(), {.certificate = test_authority().issue({.names = "DNS:cluster.invalid"})}};
    ScriptedServer proxy{socks5_to(server.port(), asked), {.tls = false}};
    auto endpoint = endpoint_of(server);
    endpoint.url = "https://cluster.invalid:6443";  // only the proxy's side knows this name
    endpoint.proxy_url = "socks5://127.0.0.1:" + std::to_string(proxy.port());
    auto answer = net::send(*connect(endpoint), get("/"));
    EXPECT_EQ(answer.body, "ok") << answer.failure;
    EXPECT_EQ(asked, "name cluster.invalid:6443");
}

TEST(Proxy, OneThatFailsIsNamedWithoutItsPassword) {
    int dead_port = 0;
    {
        ScriptedServer dead{[](Peer&) {}, {.tls = false}};
        dead_port = dead.port();
    }
    std::string nowhere;
    ScriptedServer no_way{socks5_to(0, nowhere), {.tls = false}};
    ScriptedServer closing{[](Peer& peer) { peer.read_request(); }, {.tls = false}};
    ScriptedServer silent{[](Peer& peer) { peer.read_request(), peer.read_some(); }, {.tls = false}};
    auto failure_by = [](const std::string& scheme, int port) {
        net::Endpoint endpoint;
        endpoint.url = "https://cluster.invalid:6443";
        endpoint.proxy_url = scheme + "me:proxy-pass@127.0.0.1:" + std::to_string(port);
        auto request = get("/");
        request.timeout = std::chrono::seconds{1};
        auto failure = net::send(*connect(endpoint), request).failure;
        EXPECT_THAT(failure, Not(HasSubstr("proxy-pass")));
        return failure;
    };
    auto named = [](int port) { return "the proxy 127.0.0.1:" + std::to_string(port); };
    EXPECT_EQ(failure_by("http://", dead_port), "connection refused by " + named(dead_port));
    EXPECT_EQ(failure_by("socks5://", dead_port), "connection refused by " + named(dead_port));
    EXPECT_THAT(failure_by("http://", closing.port()), HasSubstr(named(closing.port())));
    EXPECT_EQ(failure_by("http://", silent.port()), "no connection to cluster.invalid:6443 through " +
                                                        named(silent.port()) + " within the time limit");
    EXPECT_THAT(failure_by("socks5://", no_way.port()),
                StartsWith(named(no_way.port()) + " makes no connection to cluster.invalid:6443 ("));
    net::Endpoint endpoint;
    endpoint.url = "https://cluster.invalid:6443";
    endpoint.proxy_url = "http://no-such-proxy.invalid:3128";
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).failure,
              "host name of the proxy not found: no-such-proxy.invalid:3128");
}

TEST(Proxy, PlainHttpIsAskedOfTheProxy) {
    std::string seen;
    ScriptedServer proxy{answering([&](const std::string& request) {
                             seen = request;
                             return http_answer(200, "by proxy");
                         }),
                         {.tls = false}};
    net::Endpoint endpoint;
    endpoint.url = "http://cluster.example:8080";
    endpoint.proxies.http = proxy.url();
    EXPECT_EQ(net::send(*connect(endpoint), get("/x")).body, "by proxy");
    EXPECT_THAT(seen, StartsWith("GET http://cluster.example:8080/x HTTP/1.1\r\n"));
}

TEST(Proxy, HostHasNoPortThatIsTheSchemesOwn) {
    std::string seen;
    const auto script = answering([&](const std::string& request) {
        seen = request;
        return http_answer(200, "ok");
    });
    ScriptedServer server{script, {.certificate = test_authority().issue({.names = "DNS:cluster.example"})}};
    ScriptedServer tunnel{tunnel_to(server.port()), {.tls = false}};
    ScriptedServer plain{script, {.tls = false}};
    auto endpoint = endpoint_of(server);
    endpoint.proxies = {.http = plain.url(), .https = tunnel.url()};
    const auto host_for = [&](const std::string& url) {
        endpoint.url = url;
        EXPECT_EQ(net::send(*connect(endpoint), get("/")).body, "ok") << url;
        const auto begin = seen.find("Host: ");
        return seen.substr(begin, seen.find('\r', begin) - begin);
    };
    EXPECT_EQ(host_for("https://cluster.example"), "Host: cluster.example");
    EXPECT_EQ(host_for("https://cluster.example:443"), "Host: cluster.example");
    EXPECT_EQ(host_for("http://cluster.example"), "Host: cluster.example");
    EXPECT_EQ(host_for("http://cluster.example:443"), "Host: cluster.example:443");
}

TEST(Proxy, LoopbackIsReachedDirectlyWhateverTheEnvironmentSays) {
    ScriptedServer server{ok()};
    auto endpoint = endpoint_of(server);
    endpoint.proxies.https = "http://127.0.0.1:1";
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).body, "ok");
    ::setenv("https_proxy", "http://127.0.0.1:1", 1);  // libcurl would look there by itself
    endpoint.proxies.https = "";
    EXPECT_EQ(net::send(*connect(endpoint), get("/")).body, "ok");
    ::unsetenv("https_proxy");
}

}  // namespace
}  // namespace hermesctl::testing
