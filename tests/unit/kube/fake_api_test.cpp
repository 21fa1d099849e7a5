// The API server in memory behaves as the tests of the layers above take for granted.
#include "support/fake_api.hpp"

#include "hermesctl/kube/exec.hpp"
#include "hermesctl/kube/watch.hpp"
#include "support/recording_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FakeProcess;
using testing::refusal;

struct FakeApiTest : ::testing::Test {
    testing::FakeClock clock{};
    testing::FakeTransport net{clock};
    testing::FakeApi api{net};
    testing::RecordingReporter reporter{};
    Client client{net, clock, reporter};
    const Ref ref{"ConfigMap", "hermes", "c"};

    void SetUp() override {
        api.put({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "hermes"}}}});
    }
    Json config(const Json& data) {
        return {{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", "c"}, {"namespace", "hermes"}}},
                {"data", data}};
    }
    std::string version() { return text_at(api.object(ref), "/metadata/resourceVersion"); }
};

TEST_F(FakeApiTest, AppliesRemovesWhatWasLeftOutAndKnowsANoOp) {
    EXPECT_TRUE(client.apply(config({{"a", "1"}, {"b", "2"}})).created);
    const std::string first = version();
    EXPECT_FALSE(client.apply(config({{"a", "1"}, {"b", "2"}})).created);
    EXPECT_EQ(version(), first);
    client.apply(config({{"a", "1"}}));
    EXPECT_EQ(api.object(ref).at("data"), Json({{"a", "1"}}));
    EXPECT_NE(version(), first);
}

TEST_F(FakeApiTest, ADryRunChangesNothing) {
    EXPECT_TRUE(client.apply(config({{"a", "1"}}), {.dry_run = true}).object);
    EXPECT_TRUE(api.object(ref).is_null());
    EXPECT_THAT(api.log, ElementsAre("PATCH configmap/c (dry run)"));
}

TEST_F(FakeApiTest, NothingIsCreatedInAMissingNamespace) {
    api.erase({"Namespace", "", "hermes"});
    EXPECT_TRUE(client.apply(config(Json::object()), {.dry_run = true}).not_found());
}

TEST_F(FakeApiTest, FieldsOfOthersConflictUntilForced) {
    api.put(config({{"a", "1"}}), "kubectl-edit");
    const Outcome outcome = client.apply(config({{"a", "2"}}));
    ASSERT_TRUE(outcome.error && outcome.error->is_field_conflict());
    EXPECT_EQ(outcome.error->causes().at(0).field, ".data.a");
    EXPECT_TRUE(client.apply(config({{"a", "2"}}), {.force = true}).object);
    EXPECT_EQ(api.object(ref).at("data").at("a"), "2");
    EXPECT_TRUE(client.apply(config({{"a", "3"}})).object);
}

TEST_F(FakeApiTest, EqualValuesMakeCoOwners) {
    api.put(config({{"a", "1"}}), "kubectl-create");
    client.apply(config({{"a", "1"}}));
    client.apply(config(Json::object()));
    EXPECT_EQ(api.object(ref).at("data").at("a"), "1");
}

TEST_F(FakeApiTest, ListsOfNamedItemsAreMerged) {
    const Ref pod{"Deployment", "hermes", "d"};
    Json mine = Json::parse(
        R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","namespace":"hermes"},
        "spec":{"env":[{"name":"A","value":"1"}]}})");
    client.apply(mine);
    api.merge(pod, Json::parse(R"({"spec":{"env":[{"name":"B","value":"2"}]}})"));
    mine["spec"]["env"][0]["value"] = "3";
    client.apply(mine);
    EXPECT_EQ(api.object(pod)["spec"]["env"],
              Json::parse(R"([{"name":"A","value":"3"},{"name":"B","value":"2"}])"));
    EXPECT_EQ(int_at(api.object(pod), "/metadata/generation"), 2);
}

TEST_F(FakeApiTest, TheNthRequestFailsAsScripted) {
    api.fail("PATCH", "ConfigMap", 2, refusal(500, "InternalError", "boom"));
    EXPECT_TRUE(client.apply(config(Json::object())).object);
    EXPECT_EQ(client.apply(config(Json::object())).error->message(), "boom");
    EXPECT_TRUE(client.apply(config(Json::object())).object);
}

TEST_F(FakeApiTest, DeniedVerbsAreRefusedAndReviewed) {
    api.deny("create", "configmaps");
    const Permission create{.verb = "create", .resource = "configmaps"};
    EXPECT_THAT(client.allowed({&create, 1}), ElementsAre(false));
    EXPECT_EQ(client.apply(config(Json::object())).error->code(), ExitCode::denied);
}

TEST_F(FakeApiTest, DeletesWithPreconditionsAndNamespacesWhole) {
    client.apply(config(Json::object()));
    EXPECT_THROW(client.remove(ref, {.uid = "other"}), ApiError);
    EXPECT_FALSE(api.object(ref).is_null());
    EXPECT_TRUE(client.remove({"Namespace", "", "hermes"}));
    EXPECT_TRUE(api.objects().empty());
}

TEST_F(FakeApiTest, PatchesAreChecksOfTheVersionToo) {
    client.apply(config({{"a", "1"}}));
    EXPECT_EQ(client.patch(ref, Patch::merge, {{"data", {{"a", "2"}}}}).value().at("data").at("a"), "2");
    const Json old = Json::parse(R"([{"op":"replace","path":"/metadata/resourceVersion","value":"1"}])");
    EXPECT_EQ(client.patch(ref, Patch::json, old).error->http(), 409);
}

TEST_F(FakeApiTest, WatchesSeeWhatHappensAndRecoverFromCompaction) {
    Objects objects;
    Watch watch(net, clock, "ConfigMap", "hermes", objects);
    auto run = [&](std::chrono::milliseconds time) {
        for (const Clock::Time end = clock.now() + time; clock.now() < end;) {
            watch.advance();
            net.poll(100ms);
        }
    };
    net.after(3s, [&] { api.put(config({{"a", "1"}})); });
    run(2s);
    EXPECT_TRUE(watch.synced() && objects.empty());
    run(2s);
    EXPECT_EQ(objects.size(), 1u);
    api.break_watches("reset");
    api.erase(ref);
    api.compact();
    run(3s);
    EXPECT_TRUE(objects.empty());
}

TEST_F(FakeApiTest, CommandsRunInPods) {
    api.put({{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", "p"}, {"namespace", "hermes"}}}});
    api.on_exec = [](FakeProcess& process) {
        if (!process.input_ended) return;
        process.out(process.argv.at(1) + process.input);
        process.exit(4);
    };
    const ExecRequest request{.ns = "hermes", .pod = "p", .argv = {"echo", "a b"}, .input = true};
    const ExecOutput output = run_exec(net, clock, request, "!", 5s);
    EXPECT_EQ(output.out, "a b!");
    EXPECT_EQ(output.exit_code, 4);
    EXPECT_THAT(api.log, Contains("EXEC pod/p"));
}

}  // namespace
}  // namespace hermesctl::kube
