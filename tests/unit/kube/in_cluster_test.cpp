#include "../src/kube/in_cluster.hpp"

#include "../src/kube/kubeconfig_file.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/kube/kubeconfig.hpp"
#include "support/fake_clock.hpp"
#include "support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace hermesctl::kube {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class InCluster : public ::testing::Test {
  protected:
    InCluster() {
        scratch.write("token", "pod-token\n");
        scratch.write("ca.crt", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    }

    testing::Scratch scratch;
    testing::FakeClock clock;
    Environment environment{{"KUBERNETES_SERVICE_HOST", "10.43.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
};

TEST_F(InCluster, FromTheServiceAccount) {
    ASSERT_TRUE(in_cluster_possible(environment, scratch.path()));
    const auto connection = in_cluster_connection(environment, clock, scratch.path());
    EXPECT_EQ(connection.endpoint.url, "https://10.43.0.1:443");
    EXPECT_EQ(connection.context, "");
    EXPECT_THAT(connection.endpoint.ca_pem, HasSubstr("MIIB"));
    EXPECT_EQ(connection.endpoint.credentials(false).token, "pod-token");
    scratch.write("token", "rotated-token");
    EXPECT_EQ(connection.endpoint.credentials(true).token, "rotated-token");
}

TEST_F(InCluster, IsTakenOnlyWhenNoKubeconfigSaysAnything) {
    const testing::Scratch home;
    environment["HOME"] = home.path();
    const KubeconfigRequest request{.service_account = scratch.path()};
    const auto server = [&](const KubeconfigRequest& one) {
        return load_connection(one, environment, clock).server;
    };
    EXPECT_EQ(server(request), "https://10.43.0.1:443") << "no file at all";
    const std::string file = home.write(".kube/config", "kind: Config\n");
    EXPECT_EQ(server(request), "https://10.43.0.1:443") << "one that is empty";
    EXPECT_THROW(server({.file = file, .service_account = scratch.path()}), Error) << "named, it must do";
    EXPECT_THROW(server({.context = "main", .service_account = scratch.path()}), Error);
    EXPECT_THROW(server({.service_account = scratch.path("none")}), Error) << "not in a pod";
    home.write(".kube/config",
               "current-context: main\n"
               "contexts: [{name: main, context: {cluster: c}}]\n"
               "clusters: [{name: c, cluster: {server: 'https://elsewhere:1'}}]\n");
    EXPECT_EQ(server(request), "https://elsewhere:1");
}

TEST_F(InCluster, Ipv6) {
    environment["KUBERNETES_SERVICE_HOST"] = "fd00::1";
    const auto connection = in_cluster_connection(environment, clock, scratch.path());
    EXPECT_EQ(connection.endpoint.url, "https://[fd00::1]:443");
}

TEST_F(InCluster, OnlyInAPod) {
    EXPECT_FALSE(in_cluster_possible({}, scratch.path()));
    EXPECT_FALSE(in_cluster_possible(environment, scratch.path("none")));
    scratch.write("ca.crt", "junk");
    EXPECT_THROW(in_cluster_connection(environment, clock, scratch.path()), Error);
}

TEST(KubeconfigHint, SaysHowToUseTheOneOfK3s) {
    testing::Scratch scratch;
    const std::string file = scratch.write("k3s.yaml", "");
    EXPECT_THAT(kubeconfig_hint(file), HasSubstr("add --kubeconfig " + file));
    EXPECT_THAT(kubeconfig_hint(scratch.path("none")), HasSubstr("export KUBECONFIG=FILE"));
    std::filesystem::permissions(scratch.path(), std::filesystem::perms{0755});
    std::filesystem::permissions(file, std::filesystem::perms::none);
    const bool root = ::geteuid() == 0;  // who reads everything
    ASSERT_EQ(root ? ::seteuid(65534) : 0, 0);
    EXPECT_THAT(kubeconfig_hint(file),
                AllOf(HasSubstr("only root may read"), HasSubstr("--write-kubeconfig-mode")));
    ASSERT_EQ(root ? ::seteuid(0) : 0, 0);
}

}  // namespace
}  // namespace hermesctl::kube
