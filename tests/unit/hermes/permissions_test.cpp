// A refusal, and everything else that would be refused: for what is wanted here, and no more.
#include "hermesctl/hermes/permissions.hpp"

#include "hermesctl/hermes/render.hpp"
#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <initializer_list>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::EndsWith;
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
    void deny_all(std::initializer_list<const char*> resources) {
        for (const char* resource : resources) {
            for (const char* verb : {"get", "list", "watch", "patch", "create", "delete"})
                api_.deny(verb, resource);
        }
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
    EXPECT_NE(text.find("list nodes", text.find("need not")), std::string::npos) << text;
    EXPECT_THAT(told(Work::remove), HasSubstr("delete secrets"));
}

TEST_F(PermissionsTest, ATeardownNeedsToDeleteOnlyWhatGoes) {
    install();
    Json previous = api_.object(names.secret());
    previous["metadata"]["name"] = names.previous().name;
    api_.put(previous);
    api_.deny("get", "configmaps");
    for (const char* resource : {"secrets", "namespaces", "persistentvolumeclaims"})
        api_.deny("delete", resource);
    const std::string kept = told(Work::remove, names.config());
    EXPECT_THAT(kept, HasSubstr("delete secrets in namespace hermes"));
    EXPECT_THAT(kept, Not(HasSubstr("delete persistentvolumeclaims")));
    EXPECT_THAT(kept, Not(HasSubstr("delete namespaces")));
    EXPECT_EQ(kept.find("delete secrets"), kept.rfind("delete secrets")) << "told once";
    const std::string all = told(Work::remove_data, names.config());
    EXPECT_THAT(all, HasSubstr("delete persistentvolumeclaims in namespace hermes"));
    EXPECT_THAT(all, HasSubstr("delete namespaces in namespace hermes"));
    api_.erase(names.secret());
    EXPECT_THAT(told(Work::remove, names.config()), HasSubstr("delete secrets")) << "of a half done rotation";
    api_.erase(names.previous());
    EXPECT_THAT(told(Work::remove, names.config()), Not(HasSubstr("delete secrets"))) << "there is none";
}

TEST_F(PermissionsTest, StoppingAndStartingNeedTheDeploymentAndItsPods) {
    install();
    for (const char* resource : {"deployments", "replicasets", "pods", "events", "secrets", "configmaps",
                                 "namespaces", "networkpolicies", "leases", "persistentvolumeclaims"}) {
        for (const char* verb : {"get", "list", "watch", "patch", "create"})
            api_.deny(verb, resource);
    }
    const std::string stop = told(Work::stop, names.deployment());
    EXPECT_THAT(stop, EndsWith("\nthis account may not:"
                               "\n  - get deployments.apps in namespace hermes"
                               "\n  - patch deployments.apps in namespace hermes"
                               "\n  - list pods in namespace hermes"
                               "\n  - watch pods in namespace hermes"));
    const std::string run = told(Work::run, names.deployment());
    EXPECT_LT(run.find("list replicasets.apps"), run.find("need not"));
    EXPECT_GT(run.find("create leases"), run.find("need not"));
    for (const char* right :
         {"get configmaps", "list persistentvolumeclaims", "watch persistentvolumeclaims"})
        EXPECT_NE(run.find(right, run.find("need not")), std::string::npos) << right << "\n" << run;
    for (const char* right : {"secrets", "get namespaces", "policies"})
        EXPECT_THAT(run, Not(HasSubstr(right)));
}

/// The refusal itself is of the Secret, whatever the command does.
TEST_F(PermissionsTest, WhatReadsLittleNeedsLittle) {
    install();
    deny_all({"deployments", "replicasets", "pods", "pods/exec", "pods/log", "events", "secrets",
              "configmaps", "namespaces", "networkpolicies", "leases", "persistentvolumeclaims",
              "serviceaccounts", "nodes", "jobs"});
    const std::string pod =
        "\nthis account may not:"
        "\n  - get deployments.apps in namespace hermes"
        "\n  - list pods in namespace hermes"
        "\n  - list replicasets.apps in namespace hermes";
    EXPECT_THAT(told(Work::enter), EndsWith(pod + "\n  - get pods/exec in namespace hermes"
                                                  "\n  - create pods/exec in namespace hermes"));
    EXPECT_THAT(told(Work::pending), HasSubstr("\n  - get secrets in namespace hermes"
                                               "\n  - get deployments.apps in namespace hermes"
                                               "\n  - list pods in namespace hermes"));
    EXPECT_THAT(told(Work::pending), EndsWith("\n  - create pods/exec in namespace hermes"));
    EXPECT_THAT(told(Work::console), EndsWith(pod + "\n  - get pods/log in namespace hermes"));
    EXPECT_THAT(told(Work::keys), HasSubstr("\nthis account may not:"
                                            "\n  - get secrets in namespace hermes"
                                            "\nand may not, what is wanted but need not be:"
                                            "\n  - get deployments.apps in namespace hermes"
                                            "\n  - list pods in namespace hermes"));
    EXPECT_THAT(told(Work::wait), HasSubstr("\nthis account may not:\n  - list pods in namespace hermes"));
    EXPECT_THAT(told(Work::read), Not(HasSubstr("watch")));
    EXPECT_THAT(told(Work::read), HasSubstr("list persistentvolumeclaims in namespace hermes"));
    for (const Work work : {Work::render, Work::diff}) {
        EXPECT_THAT(told(work), HasSubstr("list nodes"));
        for (const char* right : {"pods", "leases", "jobs", "watch"})
            EXPECT_THAT(told(work), Not(HasSubstr(right)));
    }
    EXPECT_THAT(told(Work::render), Not(HasSubstr("patch")));
}

TEST_F(PermissionsTest, AProofWantsWhatItsRowsLookAt) {
    install();
    deny_all({"deployments", "replicasets", "pods", "pods/exec", "events", "secrets", "namespaces",
              "configmaps", "networkpolicies", "persistentvolumeclaims", "nodes", "services",
              "endpointslices", "ingresses", "servicecidrs", "rolebindings", "clusterrolebindings",
              "clusterroles", "jobs"});
    const std::string computed =
        "\nand may not, what is wanted but need not be:"
        "\n  - list pods in namespace hermes"
        "\n  - list replicasets.apps in namespace hermes"
        "\n  - list networkpolicies.networking.k8s.io in namespace hermes"
        "\n  - list nodes"
        "\n  - list services"
        "\n  - list endpointslices.discovery.k8s.io in namespace default"
        "\n  - list pods"
        "\n  - list namespaces"
        "\n  - list servicecidrs.networking.k8s.io"
        "\n  - list configmaps in namespace kube-system"
        "\n  - get namespaces in namespace kube-system";
    EXPECT_THAT(told(Work::compute), EndsWith(computed));
    EXPECT_THAT(told(Work::verify),
                EndsWith(computed + "\n  - list rolebindings.rbac.authorization.k8s.io"
                                    "\n  - list clusterrolebindings.rbac.authorization.k8s.io"
                                    "\n  - list clusterroles.rbac.authorization.k8s.io"
                                    "\n  - list services in namespace hermes"
                                    "\n  - list endpointslices.discovery.k8s.io in namespace hermes"
                                    "\n  - list ingresses.networking.k8s.io in namespace hermes"
                                    "\n  - get pods/exec in namespace hermes"
                                    "\n  - create pods/exec in namespace hermes"
                                    "\n  - create jobs.batch in namespace hermes"
                                    "\n  - delete jobs.batch in namespace hermes"));
}

TEST_F(PermissionsTest, ADeployWantsTheJobsThatItTriesThingsInAndThePolicies) {
    install();
    api_.deny("get", "secrets");
    api_.deny("create", "jobs");
    api_.deny("delete", "jobs");
    api_.deny("list", "networkpolicies");
    const std::string text = told(Work::deploy);
    for (const char* right : {"create jobs.batch", "delete jobs.batch", "list networkpolicies"})
        EXPECT_NE(text.find(right, text.find("need not")), std::string::npos) << right << "\n" << text;
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
