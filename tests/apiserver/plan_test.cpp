// Plan and installation on a real API server: its defaults, its ownership, its refusals.
#include "apiserver/fixture.hpp"
#include "hermesctl/hermes/install.hpp"
#include "hermesctl/hermes/ownership.hpp"
#include "hermesctl/hermes/render.hpp"
#include "support/answers.hpp"

#include <gmock/gmock.h>

namespace hermesctl::hermes {
namespace {

using kube::at;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class InstallationTest : public testing::ApiserverTest {
  protected:
    Names names() const { return {.ns = ns, .name = "hermes"}; }
    /// The namespace is the test's own.
    std::vector<Json> objects() const {
        Values values;
        values.ns = ns;
        values.image = image;
        values.network.except = except;
        const RenderInput input{.secrets = {{"TELEGRAM_BOT_TOKEN", "t"}, {"TELEGRAM_ALLOWED_USERS", "111"}},
                                .salt = "5a17"};
        std::vector<Json> all = render(values, input);
        all.erase(all.begin());
        return all;
    }
    Plan plan() { return make_plan(client(), read_live(client(), names()), objects()); }
    void install_all() { install(client(), plan(), {}, admin->reporter); }

    void post(const std::string& plural, const Json& object) {
        const net::Response answer =
            net::send(client().transport(), {.method = "POST",
                                             .target = "/apis/admissionregistration.k8s.io/v1/" + plural,
                                             .headers = {{"Content-Type", "application/json"}},
                                             .body = object.dump()});
        ASSERT_EQ(answer.status, 201) << answer.body;
    }
    /// From its return on NetworkPolicies of this namespace cannot be changed; a dry run does not show it.
    void refuse_policies() {
        const std::string name = "refuse-" + ns;
        const Json rule{{"apiGroups", {"networking.k8s.io"}},
                        {"apiVersions", {"v1"}},
                        {"operations", {"UPDATE"}},
                        {"resources", {"networkpolicies"}}};
        const Json here{{"namespaceSelector", {{"matchLabels", {{"kubernetes.io/metadata.name", ns}}}}},
                        {"resourceRules", Json::array({rule})}};
        post("validatingadmissionpolicies",
             {{"metadata", {{"name", name}}},
              {"spec",
               {{"matchConstraints", here},
                {"validations", Json::array({{{"expression", "request.?dryRun.orValue(false)"}}})}}}});
        post("validatingadmissionpolicybindings",
             {{"metadata", {{"name", name}}},
              {"spec", {{"policyName", name}, {"validationActions", {"Deny"}}}}});
        for (int i = 0; i < 300; ++i) {
            const Json touch{{"metadata", {{"annotations", {{"touched", std::to_string(i)}}}}}};
            if (client().patch(names().policy(), kube::Patch::merge, touch).error) return;
            system_clock().sleep(std::chrono::milliseconds{100});
        }
        FAIL() << "the API server takes the change";
    }

    std::string image = "a/b:1";
    std::vector<std::string> except{};
};

TEST_F(InstallationTest, IsTheSameTheSecondTime) {
    install_all();
    const Plan second = plan();
    EXPECT_FALSE(second.changes()) << plan_text(second);
    // As a real server keeps our fields; and it agrees.
    for (const Step& step : second.steps) {
        EXPECT_TRUE(is_applied(step.object, step.live)) << title(step.ref);
        const auto asked = client().apply(step.object, {.dry_run = true, .force = false});
        EXPECT_EQ(differing_fields(step.live, asked.value()), std::vector<std::string>{}) << title(step.ref);
    }
    image = "a/b:2";
    const Plan third = plan();
    EXPECT_TRUE(third.rolls_pod());
    EXPECT_FALSE(is_applied(third.of("Deployment").object, third.of("Deployment").live));
    EXPECT_FALSE(third.of("Secret").change == Change::update) << plan_text(third);
}

/// Who leaves the strategy out gets a RollingUpdate with parameters, over which "Recreate" is refused.
TEST_F(InstallationTest, TakesOverARollingUpdate) {
    install_all();
    client().remove(names().deployment());
    Json by_hand = objects().back();
    by_hand["spec"].erase("strategy");
    const auto made = client().create(by_hand);
    ASSERT_EQ(kube::text_at(made.value(), "/spec/strategy/type"), "RollingUpdate");
    const auto refused = client().apply(objects().back(), {.dry_run = true, .force = true});
    ASSERT_TRUE(refused.error) << "then the detour has no reason any more";
    EXPECT_EQ(refused.error->http(), 422);

    const Plan detour = plan();
    EXPECT_THAT(detour.of("Deployment").fields, Contains("spec.strategy.type: RollingUpdate -> Recreate"));
    install(client(), detour, {}, admin->reporter);
    EXPECT_EQ(at(*client().get(names().deployment()), "/spec/strategy"), Json({{"type", "Recreate"}}));
    EXPECT_FALSE(plan().changes()) << plan_text(plan());
}

TEST_F(InstallationTest, APartlyRefusedOneLeavesTheDeploymentAlone) {
    install_all();
    refuse_policies();
    image = "a/b:2";
    except = {"198.41.0.0/24"};
    const Plan planned = plan();
    ASSERT_EQ(planned.of("NetworkPolicy").change, Change::update) << plan_text(planned);
    ASSERT_TRUE(planned.rolls_pod());
    EXPECT_THROW(install(client(), planned, {}, admin->reporter), Error);
    EXPECT_EQ(kube::text_at(*client().get(names().deployment()), "/spec/template/spec/containers/0/image"),
              "a/b:1");
}

TEST_F(InstallationTest, OwnersAreNamedAndOurOwnPatchesAreNoConflict) {
    install_all();
    client().patch(names().deployment(), kube::Patch::merge, {{"spec", {{"replicas", 0}}}}).value();
    EXPECT_THAT(plan().of("Deployment").conflicts, IsEmpty());
    client()
        .patch(names().deployment(), kube::Patch::merge, {{"spec", {{"revisionHistoryLimit", 9}}}},
               {.manager = "argocd"})
        .value();
    EXPECT_THAT(plan_text(plan()), HasSubstr(".spec.revisionHistoryLimit belongs to argocd"));
    install_all();
    EXPECT_FALSE(plan().changes());
}

}  // namespace
}  // namespace hermesctl::hermes
