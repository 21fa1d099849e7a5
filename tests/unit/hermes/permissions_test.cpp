// A refusal, and everything else that would be refused: for what is wanted here, and no more.
#include "hermesctl/hermes/permissions.hpp"

#include "hermesctl/hermes/render.hpp"
#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Names names{.ns = "hermes", .name = "hermes"};

class PermissionsTest : public ::testing::Test {
  protected:
    void install() {
        for (const Json& object : render(Values{}, {}))
            client_.apply(object).value();
    }
    std::string told(Work work, const kube::Ref& ref = names.secret()) {
        const kube::Outcome refused = client_.get_all({&ref, 1}).front();
        return explained(client_, {names}, work, refused.error.value()).message();
    }

    testing::FakeClock clock_;
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_;
    kube::Client client_{transport_, clock_, reporter_};
};

TEST_F(PermissionsTest, TheRefusalItselfComesFirst) {
    install();
    api_.deny("get", "secrets");
    api_.deny("patch", "secrets");
    const std::string text = told(Work::deploy);
    EXPECT_THAT(text, StartsWith("secrets \"hermes-secrets\" is forbidden"));
    EXPECT_THAT(text, HasSubstr("cannot get resource"));
    EXPECT_THAT(text, HasSubstr("get secrets in namespace hermes"));
    EXPECT_THAT(text, HasSubstr("patch secrets in namespace hermes"));
    EXPECT_THAT(text, Not(HasSubstr("need not")));
}

TEST_F(PermissionsTest, OnlyWhatIsMissingHasToBeCreated) {
    install();
    api_.erase(names.policy());
    api_.deny("get", "secrets");
    for (const char* resource : {"deployments", "networkpolicies", "namespaces", "secrets"})
        api_.deny("create", resource);
    const std::string text = told(Work::deploy);
    EXPECT_THAT(text, HasSubstr("create networkpolicies.networking.k8s.io in namespace hermes"));
    EXPECT_THAT(text, Not(HasSubstr("create deployments")));
    EXPECT_THAT(text, Not(HasSubstr("create namespaces")));
}

/// Somebody else's namespace is not changed, and whether it may be read is decided in it.
TEST_F(PermissionsTest, ANamespaceAdminLacksNoNamespaces) {
    install();
    api_.put({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "hermes"}}}});
    api_.deny("get", "secrets");
    api_.deny("patch", "namespaces");
    api_.deny("create", "namespaces");
    EXPECT_THAT(told(Work::deploy), Not(HasSubstr("namespaces")));
    for (const net::Request& request : transport_.requests) {
        if (!request.target.ends_with("/selfsubjectaccessreviews")) continue;
        const Json asked = kube::at(Json::parse(request.body), "/spec/resourceAttributes");
        if (asked["resource"] != "namespaces") continue;
        EXPECT_EQ(asked.value("namespace", ""), "hermes") << asked;
    }
}

TEST_F(PermissionsTest, WhatIsOnlyWantedIsSaidToBeSo) {
    install();
    api_.deny("get", "secrets");
    api_.deny("list", "nodes");
    api_.deny("create", "leases");
    const std::string text = told(Work::deploy);
    EXPECT_LT(text.find("get secrets"), text.find("need not"));
    EXPECT_GT(text.find("list nodes"), text.find("need not"));
    EXPECT_GT(text.find("create leases"), text.find("need not"));
}

TEST_F(PermissionsTest, AReadingCommandNeedsToRead) {
    install();
    for (const char* verb : {"get", "patch", "create", "delete"})
        api_.deny(verb, "secrets");
    api_.deny("list", "nodes");
    const std::string text = told(Work::read);
    EXPECT_THAT(text, HasSubstr("get secrets"));
    EXPECT_THAT(text, Not(HasSubstr("patch secrets")));
    EXPECT_THAT(text, Not(HasSubstr("nodes")));
    EXPECT_THAT(told(Work::remove), HasSubstr("delete secrets"));
}

TEST_F(PermissionsTest, ARotationNeedsTheSecretAndItsRecord) {
    install();
    for (const char* verb : {"get", "patch", "create", "delete"})
        api_.deny(verb, "secrets");
    api_.deny("create", "jobs");
    const std::string text = told(Work::rotate);
    for (const char* right : {"patch secrets", "create secrets", "delete secrets"})
        EXPECT_LT(text.find(right), text.find("need not")) << text;
    EXPECT_NE(text.find("create jobs.batch", text.find("need not")), std::string::npos) << text;
}

TEST_F(PermissionsTest, ARefusalThatIsNoneOfRightsStaysAsItIs) {
    install();
    api_.deny("list", "nodes");
    api_.fail_always("GET", "Secret", testing::refusal(403, "Forbidden", "exceeded quota: compute"));
    EXPECT_THAT(told(Work::deploy), Not(HasSubstr("may not")));
}

}  // namespace
}  // namespace hermesctl::hermes
