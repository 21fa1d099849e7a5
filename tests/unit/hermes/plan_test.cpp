// What deploy finds out before it changes anything: from the server's dry runs, with every owner by name.
#include "hermesctl/hermes/plan.hpp"

#include "hermesctl/hermes/ownership.hpp"
#include "hermesctl/hermes/render.hpp"
#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Names names{.ns = "hermes", .name = "hermes"};

class PlanTest : public ::testing::Test {
  protected:
    /// As deploy leaves it.
    void install() {
        for (const Json& object : objects())
            client_.apply(object, {.dry_run = false, .force = true}).value();
        api_.log.clear();
    }
    std::vector<Json> objects() const { return render(values_, input_); }
    Plan plan() { return make_plan(client_, read_live(client_, names), objects()); }
    bool only_read() const {
        return std::all_of(api_.log.begin(), api_.log.end(), [](const std::string& line) {
            return line.starts_with("GET ") || line.ends_with(" (dry run)");
        });
    }
    void edit(const kube::Ref& ref, const Json& change, std::string_view manager) {
        client_.patch(ref, kube::Patch::merge, change, {.manager = manager}).value();
    }

    testing::FakeClock clock_;
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_;
    kube::Client client_{transport_, clock_, reporter_};
    Values values_{};
    RenderInput input_{.secrets = {{"TELEGRAM_BOT_TOKEN", "the-token"}, {"TELEGRAM_ALLOWED_USERS", "111"}},
                       .salt = "5a17"};
};

std::vector<std::pair<std::string, std::string>> owners(const std::vector<kube::Cause>& causes) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const kube::Cause& cause : causes)
        all.emplace_back(cause.field, cause.message);
    return all;
}

TEST_F(PlanTest, CreatesWhatIsNotThere) {
    const Plan made = plan();
    ASSERT_EQ(made.steps.size(), 7u);
    for (const Step& step : made.steps)
        EXPECT_EQ(step.change, Change::create) << title(step.ref);
    EXPECT_TRUE(api_.objects().empty());
    EXPECT_TRUE(only_read()) << ::testing::PrintToString(api_.log);
    EXPECT_THAT(plan_text(made), HasSubstr("+ create  deployment/hermes\n"));
    EXPECT_THAT(plan_json(made).dump(), Not(HasSubstr("dGhlLXRva2Vu")));
}

TEST_F(PlanTest, KnowsThatNothingChanges) {
    install();
    const Plan made = plan();
    EXPECT_FALSE(made.changes()) << plan_text(made);
    EXPECT_FALSE(made.rolls_pod());
    EXPECT_THAT(api_.log, Not(Contains(HasSubstr("PATCH")))) << "what is there says it";
    EXPECT_EQ(plan_json(made)["changes"], false);
}

TEST_F(PlanTest, TellsWhatChangesAndWhetherThePodRolls) {
    install();
    values_.model = "MiniMax-M3";
    Plan made = plan();
    EXPECT_EQ(made.of("ConfigMap").change, Change::update);
    EXPECT_THAT(plan_text(made), HasSubstr("MiniMax-M3"));
    EXPECT_FALSE(made.rolls_pod());
    EXPECT_EQ(made.of("Deployment").change, Change::same);
    input_.secrets["TELEGRAM_BOT_TOKEN"] = "another-token";
    made = plan();
    EXPECT_TRUE(made.rolls_pod());
    EXPECT_THAT(made.of("Secret").fields, ElementsAre("data.TELEGRAM_BOT_TOKEN: changed"));
}

/// The ConfigMap seeds a volume without a config.yaml, so that a change of it changes nothing that runs.
TEST_F(PlanTest, SaysThatALiveConfigStaysAsItIs) {
    install();
    EXPECT_EQ(plan().of("ConfigMap").note, "");
    values_.model = "MiniMax-M3";
    EXPECT_THAT(plan_text(plan()), HasSubstr("--config merge"));
    EXPECT_THAT(plan_json(plan()).dump(), HasSubstr("--config merge"));
    api_.erase(names.claim());
    EXPECT_THAT(plan_text(plan()), Not(HasSubstr("--config merge"))) << "a new volume is seeded";
}

TEST_F(PlanTest, NamesTheOwnerOfAContestedField) {
    install();
    edit(names.deployment(), {{"spec", {{"replicas", 3}}}}, "argocd");
    const Plan made = plan();
    const Step& step = made.of("Deployment");
    EXPECT_THAT(owners(step.conflicts),
                ElementsAre(std::pair(".spec.replicas", R"(conflict with "argocd")")));
    EXPECT_THAT(step.taken, IsEmpty());
    EXPECT_THAT(step.fields, ElementsAre("spec.replicas: 3 -> 1"));
    EXPECT_THAT(plan_text(made), HasSubstr(".spec.replicas belongs to argocd"));
    EXPECT_EQ(plan_json(made)["objects"][6]["conflicts"],
              R"([{"field": ".spec.replicas", "manager": "argocd"}])"_json);
    EXPECT_EQ(api_.object(names.deployment())["spec"]["replicas"], 3) << "it was only looked at";
}

TEST_F(PlanTest, AClaimThatCannotBecomeAnotherIsSaidInPlainWords) {
    values_.storage_class = "local-path";
    install();
    const auto refused = [this](const Values& wanted, const char* field = "spec") {
        values_ = wanted;
        const Json said{{"kind", "Status"},
                        {"reason", "Invalid"},
                        {"message", "the claim is invalid"},
                        {"details", {{"causes", {{{"field", field}}}}}}};
        api_.fail("PATCH", "PersistentVolumeClaim", 1, testing::answer(422, said.dump()));
        try {
            plan();
        } catch (const Error& error) {
            return fmt::format("{} | {}", error.message(), error.hint());
        }
        return std::string("planned");
    };
    Values wanted = values_;
    wanted.storage_size = "10Gi";
    EXPECT_THAT(refused(wanted),
                AllOf(HasSubstr("the size of persistentvolumeclaim/hermes-data cannot be changed from 5Gi to "
                                "10Gi"),
                      HasSubstr("for another volume hermesctl teardown --delete-data")))
        << "of a claim without a volume, which has nothing to be saved";
    api_.merge(names.claim(), {{"status", {{"phase", "Bound"}}}});
    wanted.storage_size = "1Gi";
    EXPECT_THAT(
        refused(wanted, "spec.resources.requests.storage"),
        AllOf(HasSubstr("the size of persistentvolumeclaim/hermes-data cannot be changed from 5Gi to 1Gi"),
              HasSubstr("deploy without --storage-size, and without storage.size in the file, keeps it")));
    wanted.storage_size = "10Gi";
    EXPECT_THAT(refused(wanted), HasSubstr("the claim is invalid")) << "not for its size";
    wanted.storage_class = "fast";
    EXPECT_THAT(refused(wanted),
                AllOf(HasSubstr("the storage class of persistentvolumeclaim/hermes-data cannot "
                                "be changed from local-path to fast"),
                      HasSubstr("then hermesctl teardown --delete-data, and deploy anew")));
    wanted.storage_class = "";
    EXPECT_THAT(refused(wanted), HasSubstr("from local-path to none"));
    wanted.storage_class = "local-path";
    wanted.storage_size = "5Gi";
    wanted.model = "MiniMax-M3";
    EXPECT_THAT(refused(wanted), HasSubstr("planned")) << "what is as it was is not asked about";
}

TEST_F(PlanTest, TakesOverWhatKubectlOwns) {
    install();
    edit(names.deployment(), {{"spec", {{"replicas", 3}}}}, "kubectl-edit");
    const Plan made = plan();
    EXPECT_THAT(made.of("Deployment").conflicts, IsEmpty());
    EXPECT_EQ(made.of("Deployment").taken.size(), 1u);
    EXPECT_THAT(plan_text(made), HasSubstr(".spec.replicas is taken over from kubectl-edit"));
}

TEST_F(PlanTest, DoesNotTakeItsOwnPatchesForSomebodyElses) {
    install();
    edit(names.deployment(), {{"spec", {{"replicas", 0}}}}, kube::field_manager);
    const Plan made = plan();
    EXPECT_THAT(made.of("Deployment").conflicts, IsEmpty());
    EXPECT_THAT(made.of("Deployment").fields, ElementsAre("spec.replicas: 0 -> 1"));
}

TEST_F(PlanTest, AdoptsEqualFieldsThatKubectlOwns) {
    for (Json object : objects()) {
        if (object["kind"] == "Secret") object["metadata"].erase("annotations");
        api_.put(object, "kubectl-client-side-apply");
    }
    const Plan made = plan();
    EXPECT_TRUE(made.of("Deployment").adopted);
    EXPECT_EQ(made.of("Deployment").change, Change::update);
    EXPECT_THAT(plan_text(made), HasSubstr("fields that kubectl owned are taken over"));
    EXPECT_THAT(plan_text(made), Not(HasSubstr("5a17"))) << "the salt is nobody's business";
    EXPECT_THAT(plan_json(made).dump(), Not(HasSubstr("5a17")));
    EXPECT_THAT(plan_text(made), HasSubstr("hermesctl/salt: added"));
}

TEST_F(PlanTest, GivesTheServersRefusalWithTheObjectsName) {
    api_.put(objects()[0]);
    api_.fail_always("PATCH", "NetworkPolicy", testing::refusal(422, "Invalid", "spec.egress is wrong"));
    try {
        plan();
        FAIL() << "not refused";
    } catch (const kube::ApiError& error) {
        EXPECT_THAT(error.message(), HasSubstr("spec.egress is wrong"));
        EXPECT_THAT(error.trail(), Contains("planning networkpolicy/hermes-egress"));
    }
}

class StrategyTest : public PlanTest {
  protected:
    /// A Deployment of whoever did not think of the strategy: the API server fills it in.
    void put_rolling(const std::string& manager) {
        api_.erase(names.deployment());
        install();
        Json deployment = objects()[6];
        deployment["spec"]["strategy"] =
            R"({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}})"_json;
        api_.erase(names.deployment());
        api_.put(deployment, manager);
    }
};

TEST_F(StrategyTest, OfARollingUpdateIsPlannedThoughTheServerWouldRefuseIt) {
    put_rolling("");
    const kube::Outcome refused = client_.apply(objects()[6], {.dry_run = true, .force = true});
    ASSERT_TRUE(refused.error);
    EXPECT_EQ(refused.error->http(), 422) << "what the API server says to this";
    const Plan made = plan();
    EXPECT_TRUE(made.of("Deployment").replaces_strategy);
    EXPECT_THAT(made.of("Deployment").fields, Contains("spec.strategy.type: RollingUpdate -> Recreate"));
    EXPECT_THAT(made.of("Deployment").fields,
                Contains("spec.strategy.rollingUpdate.maxSurge: 25% -> (none)"));
    EXPECT_THAT(made.of("Deployment").conflicts, IsEmpty());
}

TEST_F(StrategyTest, OfSomebodyElseIsNamed) {
    put_rolling("argocd");
    EXPECT_THAT(plan_text(plan()), HasSubstr(".spec.strategy belongs to argocd"));
    put_rolling("kubectl-client-side-apply");
    EXPECT_THAT(plan_text(plan()), HasSubstr(".spec.strategy is taken over from kubectl-client-side-apply"));
}

TEST(LostUsers, AreThoseWhoMayNoLongerUseTheBot) {
    const auto plan_of = [](const char* before, const char* after) {
        Plan plan;
        plan.steps.push_back({.ref = names.secret(),
                              .change = Change::update,
                              .live = {{"data", {{"TELEGRAM_ALLOWED_USERS", before}}}},
                              .planned = {{"data", {{"TELEGRAM_ALLOWED_USERS", after}}}}});
        return plan;
    };
    EXPECT_THAT(lost_users(plan_of("MTExLDk5OQ==", "MjIyLDk5OQ==")), ElementsAre("111"));
    EXPECT_THAT(lost_users(plan_of("MTEx", "MTExLDIyMg==")), IsEmpty());
    EXPECT_THAT(lost_users(Plan{}), IsEmpty());
}

TEST(ReleasedFields, AreThoseThatBothOwn) {
    const Json object =
        R"({"metadata": {"managedFields": [
            {"manager": "hermesctl", "operation": "Apply", "fieldsV1": {"f:spec": {"f:a": {}, "f:b": {"f:c": {}}}}},
            {"manager": "kubectl-edit", "operation": "Update",
             "fieldsV1": {"f:spec": {"f:a": {}, "f:b": {"f:c": {}, "f:theirs": {}}}}},
            {"manager": "kubectl-create", "operation": "Update", "fieldsV1": {"f:spec": {"f:a": {}}}},
            {"manager": "kubectl", "operation": "Update", "subresource": "scale", "fieldsV1": {"f:spec": {"f:a": {}}}},
            {"manager": "argocd", "operation": "Update", "fieldsV1": {"f:spec": {"f:a": {}}}}]}})"_json;
    const Json released = released_fields(object);
    ASSERT_EQ(released.size(), 4u) << "an empty entry goes";
    EXPECT_EQ(released[0], object["metadata"]["managedFields"][0]);
    EXPECT_EQ(released[1]["fieldsV1"], R"({"f:spec": {"f:b": {"f:theirs": {}}}})"_json);
    EXPECT_EQ(released[2]["subresource"], "scale");
    EXPECT_EQ(released[3]["manager"], "argocd") << "only kubectl's are taken over";
}

TEST(ReleasedFields, LeaveNoEmptyMapBehind) {
    const Json object =
        R"({"metadata": {"managedFields": [
            {"manager": "hermesctl", "operation": "Apply", "fieldsV1": {"f:labels": {"f:app": {}}, "f:data": {"f:A": {}}}},
            {"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": {
                "f:labels": {".": {}, "f:app": {}}, "f:data": {".": {}, "f:A": {}, "f:B": {}}}}]}})"_json;
    const Json released = released_fields(object);
    ASSERT_EQ(released.size(), 2u);
    EXPECT_EQ(released[1]["fieldsV1"], R"({"f:data": {".": {}, "f:B": {}}})"_json);
}

TEST(ReleasedFields, AreNoneWithoutAnythingInCommon) {
    EXPECT_TRUE(released_fields("{}"_json).is_null());
    EXPECT_TRUE(released_fields(
                    R"({"metadata": {"managedFields": [{"manager": "kubectl-edit", "operation": "Update",
                        "fieldsV1": {"f:a": {}}}]}})"_json)
                    .is_null())
        << "nothing is ours yet";
    EXPECT_TRUE(released_fields(
                    R"({"metadata": {"managedFields": [
                        {"manager": "hermesctl", "operation": "Apply", "fieldsV1": {"f:a": {}}},
                        {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:b": {}}}]}})"_json)
                    .is_null());
}

}  // namespace
}  // namespace hermesctl::hermes
