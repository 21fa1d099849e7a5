// Server-side apply, ownership and deletion on a real API server.
#include "apiserver/fixture.hpp"

#include <gmock/gmock.h>

namespace hermesctl::kube {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

using ApplyTest = testing::ApiserverTest;

Json deployment(const std::string& ns) {
    return Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"hermes"},
        "spec":{"replicas":1,"selector":{"matchLabels":{"app":"hermes"}},
            "template":{"metadata":{"labels":{"app":"hermes"}},
                "spec":{"containers":[{"name":"agent","image":"busybox:1.36"}]}}}})")
        .patch(Json::array({{{"op", "add"}, {"path", "/metadata/namespace"}, {"value", ns}}}));
}

/// The managers of an object with their operation: "hermesctl Apply".
std::vector<std::string> managers(const Json& object) {
    std::vector<std::string> names;
    for (const Json& entry : at(object, "/metadata/managedFields")) {
        names.push_back(text_at(entry, "/manager") + " " + text_at(entry, "/operation"));
    }
    return names;
}

TEST_F(ApplyTest, CreatesThenChangesThenKnowsANoOp) {
    EXPECT_TRUE(client().apply(config_map({{"a", "1"}, {"b", "2"}})).created);
    const std::string first = version(config_ref());
    const Outcome same = client().apply(config_map({{"a", "1"}, {"b", "2"}}));
    EXPECT_FALSE(same.created);
    EXPECT_EQ(text_at(same.value(), "/metadata/resourceVersion"), first);
    client().apply(config_map({{"a", "1"}})).value();
    EXPECT_EQ(live(config_ref()).at("data"), Json({{"a", "1"}}));
    EXPECT_THAT(managers(live(config_ref())), Contains("hermesctl Apply"));
}

TEST_F(ApplyTest, WhatWasReadCanBeAppliedAgain) {
    client().apply(config_map({{"a", "1"}})).value();
    const Json read = live(config_ref());
    ASSERT_TRUE(read.at("metadata").contains("managedFields"));
    EXPECT_EQ(text_at(client().apply(read).value(), "/metadata/resourceVersion"), version(config_ref()));
}

TEST_F(ApplyTest, ADryRunChangesNothing) {
    const Outcome planned = client().apply(config_map({{"a", "1"}}), {.dry_run = true});
    EXPECT_TRUE(planned.created);
    EXPECT_EQ(client().get(config_ref()), std::nullopt);
    EXPECT_TRUE(client().apply(config_map({{"a", "1"}}, "other"), {.dry_run = false}).object);
}

TEST_F(ApplyTest, AMissingNamespaceIsNotFoundEvenAsDryRun) {
    Json object = config_map({{"a", "1"}});
    object["metadata"]["namespace"] = ns + "-missing";
    EXPECT_TRUE(client().apply(object, {.dry_run = true}).not_found());
}

TEST_F(ApplyTest, ConflictsNameTheOwnerAndForceTakesTheField) {
    client().apply(deployment(ns)).value();
    const Ref ref{"Deployment", ns, "hermes"};
    client().patch(ref, Patch::merge, {{"spec", {{"replicas", 3}}}}, {.manager = "kubectl-edit"}).value();
    const Outcome refused = client().apply(deployment(ns));
    ASSERT_TRUE(refused.error);
    EXPECT_TRUE(refused.error->is_field_conflict());
    ASSERT_EQ(refused.error->causes().size(), 1u);
    EXPECT_EQ(refused.error->causes()[0].field, ".spec.replicas");
    EXPECT_THAT(refused.error->causes()[0].message, HasSubstr("kubectl-edit"));
    client().apply(deployment(ns), {.force = true}).value();
    EXPECT_EQ(int_at(live(ref), "/spec/replicas"), 1);
}

TEST_F(ApplyTest, TheThreeConflictsAreToldApart) {
    client().create(config_map({{"a", "1"}})).value();
    const ApiError exists = *client().create(config_map({{"a", "1"}})).error;
    EXPECT_EQ(exists.reason(), "AlreadyExists");
    EXPECT_THAT(exists.hint(), HasSubstr("somebody else"));
    Json old = live(config_ref());
    client().patch(config_ref(), Patch::merge, {{"data", {{"a", "2"}}}}).value();
    const ApiError outdated = *client().replace(old).error;
    EXPECT_EQ(outdated.http(), 409);
    EXPECT_EQ(outdated.reason(), "Conflict");
    EXPECT_THAT(outdated.hint(), HasSubstr("somebody else"));
    EXPECT_FALSE(exists.is_field_conflict() || outdated.is_field_conflict());
}

TEST_F(ApplyTest, AnUnknownFieldIsAPermanentError) {
    Json object = deployment(ns);
    object["spec"]["colour"] = "blue";
    const auto before = system_clock().now();
    const ApiError error = *client().apply(object).error;
    EXPECT_EQ(error.http(), 500);
    EXPECT_EQ(error.code(), ExitCode::failed);
    EXPECT_THAT(error.message(), HasSubstr(".spec.colour: field not declared in schema"));
    EXPECT_LT(system_clock().now() - before, std::chrono::seconds(5));
}

TEST_F(ApplyTest, FieldsOfClientSideApplyCanBeReleased) {
    client().create(config_map({{"a", "1"}, {"b", "2"}})).value();
    client()
        .patch(config_ref(), Patch::merge, {{"data", {{"a", "3"}}}}, {.manager = "kubectl-client-side-apply"})
        .value();
    client().apply(config_map({{"a", "3"}}), {.force = true}).value();
    Json kept = Json::array();
    const Json before = live(config_ref());
    for (const Json& entry : at(before, "/metadata/managedFields")) {
        if (text_at(entry, "/manager") != "kubectl-client-side-apply") kept.push_back(entry);
    }
    const std::string place = "/metadata/managedFields";
    const std::string version_place = "/metadata/resourceVersion";
    client()
        .patch(
            config_ref(), Patch::json,
            Json::array({{{"op", "replace"}, {"path", place}, {"value", kept}},
                         {{"op", "replace"}, {"path", version_place}, {"value", at(before, version_place)}}}))
        .value();
    EXPECT_THAT(managers(live(config_ref())), Not(Contains("kubectl-client-side-apply Update")));
    client().apply(config_map(Json::object())).value();
    EXPECT_FALSE(live(config_ref()).at("data").contains("a"));
    EXPECT_EQ(text_at(live(config_ref()), "/data/b"), "2");
}

TEST_F(ApplyTest, DeletionHoldsToItsPreconditions) {
    client().create(config_map({{"a", "1"}})).value();
    const std::string uid = text_at(live(config_ref()), "/metadata/uid");
    try {
        client().remove(config_ref(), {.uid = "11111111-2222-3333-4444-555555555555"});
        FAIL() << "deleted another object";
    } catch (const ApiError& error) {
        EXPECT_EQ(error.http(), 409);
    }
    EXPECT_TRUE(client().get(config_ref()));
    EXPECT_TRUE(client().remove(config_ref(), {.uid = uid}));
    EXPECT_EQ(client().get(config_ref()), std::nullopt);
    EXPECT_FALSE(client().remove(config_ref()));
}

TEST_F(ApplyTest, WarningsOfPodSecurityAreShownOnceEach) {
    const std::string label = "pod-security.kubernetes.io/warn";
    client()
        .patch({"Namespace", "", ns}, Patch::merge, {{"metadata", {{"labels", {{label, "restricted"}}}}}})
        .value();
    client().apply(deployment(ns), {.dry_run = true}).value();
    client().apply(deployment(ns)).value();
    ASSERT_EQ(admin->reporter.events.size(), 1u);
    EXPECT_EQ(admin->reporter.events[0].state, State::warning);
    EXPECT_THAT(admin->reporter.events[0].detail,
                HasSubstr("would violate PodSecurity \"restricted:latest\""));
}

}  // namespace
}  // namespace hermesctl::kube
