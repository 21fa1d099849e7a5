// Rights, and our table of kinds, on a real API server.
#include "apiserver/fixture.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace hermesctl::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using AccessTest = testing::ApiserverTest;

TEST_F(AccessTest, EachKindIsServedAsTheTableSays) {
    for (const Kind& kind : kinds()) {
        const std::string path =
            fmt::format("/{}/{}", group_of(kind).empty() ? "api" : "apis", kind.api_version);
        const Json served = client().get_path(path).value();
        const auto& resources = served.at("resources");
        const auto found = std::find_if(resources.begin(), resources.end(), [&](const Json& resource) {
            return text_at(resource, "/name") == kind.plural;
        });
        ASSERT_NE(found, resources.end()) << kind.name;
        EXPECT_EQ(text_at(*found, "/kind"), kind.name);
        EXPECT_EQ(bool_at(*found, "/namespaced"), kind.namespaced) << kind.name;
    }
}

TEST_F(AccessTest, EachKindCanBeListed) {
    std::vector<Client::Listing> listings;
    for (const Kind& kind : kinds()) {
        listings.push_back({std::string(kind.name), "", {}});
    }
    for (const Outcome& outcome : client().list_all(listings)) {
        EXPECT_TRUE(outcome.value().at("items").is_array());
    }
}

TEST_F(AccessTest, ListsAreSelectedByTheServer) {
    client().create(config_map({{"a", "1"}}, "one")).value();
    client().create(config_map({{"a", "2"}}, "two")).value();
    const std::vector<Json> found = client().list("ConfigMap", ns, {.field = "metadata.name=two"});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(ref_of(found[0]), config_ref("two"));
}

TEST_F(AccessTest, AUserWithoutRightsIsDenied) {
    testing::Session nobody(server->nobody());
    try {
        nobody.client.get({"Secret", ns, "token"});
        FAIL() << "not denied";
    } catch (const ApiError& error) {
        EXPECT_EQ(error.code(), ExitCode::denied);
        EXPECT_EQ(error.http(), 403);
        EXPECT_THAT(error.message(), HasSubstr("User \"nobody\" cannot get resource \"secrets\""));
    }
}

TEST_F(AccessTest, AWrongTokenIsDeniedToo) {
    net::Endpoint stranger = server->nobody();
    stranger.credentials = [](bool) { return net::Credentials{.token = "no-such-token"}; };
    testing::Session session(stranger);
    const Outcome outcome = session.client.get_path("/api/v1/namespaces");
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->http(), 401);
    EXPECT_EQ(outcome.error->code(), ExitCode::denied);
}

TEST_F(AccessTest, AccessReviewsTellWhatIsMissing) {
    testing::Session nobody(server->nobody());
    const std::array asked{Permission{.verb = "create", .resource = "pods", .subresource = "exec", .ns = ns},
                           Permission{.verb = "list", .group = "apps", .resource = "deployments", .ns = ns}};
    EXPECT_THAT(nobody.client.allowed(asked), ElementsAre(false, false));
    EXPECT_THAT(client().allowed(asked), ElementsAre(true, true));
    client()
        .create({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                 {"kind", "Role"},
                 {"metadata", {{"name", "exec"}, {"namespace", ns}}},
                 {"rules",
                  Json::array({{{"apiGroups", {""}}, {"resources", {"pods/exec"}}, {"verbs", {"create"}}}})}})
        .value();
    client()
        .create(
            {{"apiVersion", "rbac.authorization.k8s.io/v1"},
             {"kind", "RoleBinding"},
             {"metadata", {{"name", "exec"}, {"namespace", ns}}},
             {"subjects", Json::array({{{"kind", "User"}, {"name", "nobody"}}})},
             {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", "exec"}}}})
        .value();
    std::vector<bool> allowed;
    for (int tries = 0; tries < 100 && allowed != std::vector<bool>{true, false}; ++tries) {
        system_clock().sleep(std::chrono::milliseconds(100));  // the authorizer follows by a watch of its own
        allowed = nobody.client.allowed(asked);
    }
    EXPECT_THAT(allowed, ElementsAre(true, false));
}

TEST_F(AccessTest, ADeniedApplyIsDenied) {
    testing::Session nobody(server->nobody());
    const Outcome outcome = nobody.client.apply(config_map({{"a", "1"}}));
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->code(), ExitCode::denied);
}

}  // namespace
}  // namespace hermesctl::kube
