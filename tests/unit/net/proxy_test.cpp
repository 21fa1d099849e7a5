// The choice of a proxy, row by row, after x/net/http/httpproxy.
#include "hermesctl/net/proxy.hpp"

#include <gtest/gtest.h>

namespace hermesctl::net {
namespace {

std::string https_proxy(const std::string& host, const std::string& none, std::string_view port = "6443") {
    Endpoint endpoint;
    endpoint.proxies = {.http = "http://plain:1", .https = "http://proxy:3128", .none = none};
    return proxy_for(endpoint, "https", host, port);
}

struct Row {
    const char* host = "";
    const char* none = "";
    bool proxied = false;
};

class NoProxy : public ::testing::TestWithParam<Row> {};

TEST_P(NoProxy, Decides) {
    const auto& row = GetParam();
    EXPECT_EQ(!https_proxy(row.host, row.none).empty(), row.proxied)
        << row.host << " with NO_PROXY=" << row.none;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, NoProxy,
    ::testing::Values(Row{"k8s.example.com", "", true}, Row{"localhost", "", false},
                      Row{"LocalHost", "", false}, Row{"127.0.0.1", "", false}, Row{"127.9.9.9", "", false},
                      Row{"::1", "", false}, Row{"10.0.0.1", "", true}, Row{"k8s.example.com", "*", false},
                      Row{"k8s.example.com", "example.com", false}, Row{"example.com", "example.com", false},
                      Row{"notexample.com", "example.com", true}, Row{"example.com", ".example.com", true},
                      Row{"k8s.example.com", ".example.com", false},
                      Row{"k8s.example.com", "*.example.com", false},
                      Row{"K8S.Example.COM", "example.com", false}, Row{"10.1.2.3", "10.0.0.0/8", false},
                      Row{"11.1.2.3", "10.0.0.0/8", true}, Row{"10.1.2.3", "10.1.2.3", false},
                      Row{"10.1.2.4", "10.1.2.3", true}, Row{"10.1.2.3", "10.0.0.0/x", true},
                      Row{"10.1.2.3", "10.0.0.0/99", true}, Row{"10.1.2.3", "0.0.0.0/0", false},
                      Row{"fd00::1", "fd00::/8", false}, Row{"fd00::1", "fd00::1", false},
                      Row{"fd00::1", "[fd00::1]", false}, Row{"fe80::1", "fd00::/8", true},
                      Row{"a.b", "x, y ,a.b", false}, Row{"a.b", "a.b:6443", false},
                      Row{"a.b", "a.b:443", true}, Row{"fd00::1", "[fd00::1]:6443", false},
                      Row{"fd00::1", "[fd00::1]:443", true}, Row{"a.b", ",,:,/", true}));

TEST(Proxy, TheKubeconfigsBeatsTheEnvironmentEvenForLoopback) {
    Endpoint endpoint;
    endpoint.proxy_url = "socks5://other:1080";
    endpoint.proxies = {.https = "http://proxy:3128", .none = "*"};
    EXPECT_EQ(proxy_for(endpoint, "https", "127.0.0.1", "6443"), "socks5://other:1080");
}

TEST(Proxy, GoesByTheScheme) {
    Endpoint endpoint;
    endpoint.proxies = {.http = "http://plain:1", .https = ""};
    EXPECT_EQ(proxy_for(endpoint, "http", "a.b", "80"), "http://plain:1");
    EXPECT_EQ(proxy_for(endpoint, "https", "a.b", "443"), "");
}

TEST(Proxy, IsToldToLibcurlAsGoReadsIt) {
    struct Case {
        const char* written = "";
        const char* url = "";
        const char* authority = "";
        const char* user = "";
    };
    for (const auto& one :
         {Case{"http://proxy:3128", "http://proxy:3128", "proxy:3128"},
          Case{"proxy:3128", "http://proxy:3128", "proxy:3128"},
          Case{"HTTP://proxy/", "http://proxy:80", "proxy:80"},
          Case{"https://me:p%40ss@proxy", "https://me:p%40ss@proxy:443", "proxy:443", "me:p%40ss"},
          Case{"socks5://me:a@b@proxy/x", "socks5h://me:a@b@proxy:1080", "proxy:1080", "me:a@b"},
          Case{"me:a/b@proxy:3128", "http://me:a/b@proxy:3128", "proxy:3128", "me:a/b"},
          Case{"socks5h://[fd00::1]", "socks5h://[fd00::1]:1080", "[fd00::1]:1080"},
          Case{"http://[fd00::1]:3128", "http://[fd00::1]:3128", "[fd00::1]:3128"}}) {
        EXPECT_EQ(proxy_address(one.written).url, one.url);
        EXPECT_EQ(proxy_address(one.written).authority, one.authority);
        EXPECT_EQ(proxy_address(one.written).user, one.user);
    }
}

}  // namespace
}  // namespace hermesctl::net
