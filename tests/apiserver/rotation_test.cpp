// A rotation on a real API server: its preconditions, its refusals, its rights. No pod runs there, so nothing
// is proved.
#include "hermesctl/hermes/rotation.hpp"

#include "apiserver/fixture.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/install.hpp"
#include "hermesctl/hermes/render.hpp"

#include <array>

#include <gmock/gmock.h>

namespace hermesctl::hermes {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const SecretChanges other_token{{"TELEGRAM_BOT_TOKEN", "another"}};

class RotationTest : public testing::ApiserverTest {
  protected:
    void SetUp() override {
        ApiserverTest::SetUp();
        if (IsSkipped()) return;
        Values values;
        values.ns = ns;
        values.image = "hermes:1";
        const RenderInput input{.secrets = {{"TELEGRAM_BOT_TOKEN", "t"}, {"TELEGRAM_ALLOWED_USERS", "111"}},
                                .salt = "5a17"};
        std::vector<Json> all = render(values, input);
        all.erase(all.begin());  // the namespace is the test's own
        install(client(), make_plan(client(), read_live(client(), names()), all), {}, admin->reporter);
    }
    Names names() const { return {.ns = ns, .name = "hermes"}; }
    std::string token() { return secret_values(live(names().secret())).at("TELEGRAM_BOT_TOKEN"); }
    std::string failure(const std::function<void()>& action) {
        try {
            action();
        } catch (const Error& error) {
            return error.message();
        }
        return "no failure";
    }
    /// Lets the user nobody do this, here.
    void allow(const Json& rules) {
        client()
            .create({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                     {"kind", "Role"},
                     {"metadata", {{"name", "some"}, {"namespace", ns}}},
                     {"rules", rules}})
            .value();
        client()
            .create({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                     {"kind", "RoleBinding"},
                     {"metadata", {{"name", "some"}, {"namespace", ns}}},
                     {"subjects", Json::array({{{"kind", "User"}, {"name", "nobody"}}})},
                     {"roleRef",
                      {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", "some"}}}})
            .value();
    }
};

TEST_F(RotationTest, AForeignPatchMeanwhileWinsAndIsNamed) {
    const RotationPlan plan = plan_rotation(client(), names(), other_token);
    client()
        .patch(names().secret(), kube::Patch::merge,
               {{"data", {{"TELEGRAM_BOT_TOKEN", base64_encode("of-another")}}}}, {.manager = "kubectl-edit"})
        .value();
    RotationSteps steps;
    steps.wait = [](const std::vector<std::string>&, const RotationSteps::EachRound&) {
        ADD_FAILURE() << "the pod is not rolled";
        return std::string();
    };
    EXPECT_THAT(failure([&] { rotate(client(), plan, true, steps, nullptr, admin->reporter); }),
                AllOf(HasSubstr("was changed meanwhile by kubectl-edit"), HasSubstr("stays as it is now")));
    EXPECT_EQ(token(), "of-another");
    EXPECT_FALSE(client().get(names().previous()));
}

TEST_F(RotationTest, AnImmutableSecretIsRefusedBeforeAnythingIsWritten) {
    client().patch(names().secret(), kube::Patch::merge, {{"immutable", true}}).value();
    EXPECT_THAT(failure([&] { plan_rotation(client(), names(), other_token); }), HasSubstr("is immutable"));
    EXPECT_EQ(token(), "t");
}

TEST_F(RotationTest, WithPatchButNoGetItIsSetUnseen) {
    allow(Json::array(
        {{{"apiGroups", {""}}, {"resources", {"secrets"}}, {"verbs", {"patch"}}},
         {{"apiGroups", {"apps"}}, {"resources", {"deployments"}}, {"verbs", {"get", "patch"}}}}));
    testing::Session nobody(server->nobody());
    const std::array asked{
        kube::Permission{.verb = "patch", .resource = "secrets", .ns = ns},
        kube::Permission{.verb = "get", .group = "apps", .resource = "deployments", .ns = ns}};
    for (int tries = 0; tries < 100 && nobody.client.allowed(asked) != std::vector<bool>{true, true}; ++tries)
        system_clock().sleep(std::chrono::milliseconds(100));  // the authorizer follows by a watch of its own
    const RotationPlan plan = plan_rotation(nobody.client, names(), other_token);
    EXPECT_TRUE(plan.blind);
    const std::string before = version(names().deployment());
    EXPECT_TRUE(rotate(nobody.client, plan, true, {}, nullptr, nobody.reporter).changed);
    EXPECT_EQ(token(), "another");
    EXPECT_EQ(secret_values(live(names().secret())).at("TELEGRAM_ALLOWED_USERS"), "111");
    EXPECT_NE(version(names().deployment()), before) << "the pod rolls";
    EXPECT_FALSE(client().get(names().previous()));
}

}  // namespace
}  // namespace hermesctl::hermes
