// What teardown removes, in which order, and what it leaves alone.
#include "hermesctl/hermes/teardown.hpp"

#include "support/installation.hpp"
#include "support/recording_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using hermesctl::testing::answer;
using hermesctl::testing::object_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Names names{.ns = "hermes", .name = "hermes"};
const kube::Ref replica_set{"ReplicaSet", "hermes", "hermes-1"};
const kube::Ref pod{"Pod", "hermes", "hermes-1-a"};

class Teardown : public ::testing::Test {
  protected:
    Teardown() { hermesctl::testing::put_installation(api_); }

    Removal plan(bool delete_data = false) {
        return plan_removal(client_, read_live(client_, names), names, delete_data);
    }
    Removal remove(bool delete_data = false, Clock::Duration timeout = 600s) {
        const Live live = read_live(client_, names);
        const Removal removal = plan_removal(client_, live, names, delete_data);
        HeldLease lease(client_, names, reporter_);
        return hermes::remove(client_, live, names, removal, timeout, lease, reporter_);
    }
    /// The garbage collector and the kubelet: what the Deployment owned goes, the pod after its grace.
    void collect_garbage(Clock::Duration grace = 5s) {
        transport_.after(100ms, [this] { api_.erase(replica_set); });
        transport_.after(grace, [this] { api_.erase(pod); });
    }
    void put(const std::string& kind, const std::string& name, kube::Json more = kube::Json::object()) {
        api_.put(object_of(kind, "hermes", name, std::move(more)));
    }
    bool gone(const kube::Ref& ref) const { return api_.object(ref).is_null(); }

    hermesctl::testing::FakeClock clock_{};
    hermesctl::testing::FakeTransport transport_{clock_};
    hermesctl::testing::FakeApi api_{transport_};
    hermesctl::testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
};

TEST_F(Teardown, KeepsTheDataAndItsNamespace) {
    collect_garbage();
    const Removal done = remove();
    EXPECT_FALSE(done.name_space);
    EXPECT_TRUE(done.keeps_data);
    EXPECT_THAT(done.stays, Contains(HasSubstr("persistentvolumeclaim/hermes-data (5Gi)")));
    EXPECT_FALSE(gone(names.claim()));
    EXPECT_FALSE(gone(names.name_space()));
    for (const kube::Ref& ref : {names.deployment(), names.policy(), names.secret(), names.config(),
                                 names.account(), names.lease()}) {
        EXPECT_TRUE(gone(ref)) << title(ref);
    }
}

TEST_F(Teardown, TellsOfNoDataWhereThereIsNone) {
    api_.erase(names.claim());
    EXPECT_FALSE(plan().keeps_data);
    EXPECT_THAT(plan().stays,
                ElementsAre("namespace/hermes: it goes only with hermesctl teardown --delete-data"));
    api_.put(object_of("Namespace", "", "hermes"));
    EXPECT_THAT(plan().stays, ElementsAre("namespace/hermes: hermesctl did not make it"));
    api_.erase(names.name_space());
    EXPECT_THAT(plan().stays, IsEmpty());
    EXPECT_THAT(plan(true).stays, IsEmpty());
    EXPECT_FALSE(plan(true).name_space);
}

TEST_F(Teardown, TakesTheOldValuesOfAHalfDoneRotationAlong) {
    kube::Json previous = api_.object(names.secret());
    previous["metadata"]["name"] = names.previous().name;
    previous["metadata"].erase("uid");
    api_.put(previous);
    collect_garbage();
    EXPECT_TRUE(plan(true).name_space) << "it is nobody else's";
    remove();
    EXPECT_TRUE(gone(names.previous()));
    EXPECT_TRUE(gone(names.secret()));
}

TEST_F(Teardown, RemovesTheCageAfterTheLastPod) {
    bool caged = false;
    api_.on_write = [&](const std::string& type, const kube::Json& object) {
        if (type == "DELETED" && kube::ref_of(object) == names.policy()) caged = gone(pod);
    };
    collect_garbage(90s);
    remove();
    EXPECT_TRUE(caged);
}

TEST_F(Teardown, RemovesTheCageAfterTheLastPodAlsoWhenAnEarlierRunWasInterrupted) {
    api_.erase(names.deployment());
    api_.erase(replica_set);
    api_.merge(pod, {{"metadata", {{"deletionTimestamp", "2026-01-01T00:00:00Z"}}}});
    transport_.after(80s, [this] { api_.erase(pod); });
    bool caged = false;
    api_.on_write = [&](const std::string& type, const kube::Json& object) {
        if (type == "DELETED" && kube::ref_of(object) == names.policy()) caged = gone(pod);
    };
    remove();
    EXPECT_TRUE(caged);
    EXPECT_TRUE(gone(names.policy()));
}

/// Its containers have ended, and for a moment the object is still there.
TEST_F(Teardown, WaitsUntilAnEndedPodThatGoesIsGone) {
    api_.erase(replica_set);
    api_.merge(pod, {{"metadata", {{"deletionTimestamp", "2026-01-01T00:00:00Z"}}},
                     {"status", {{"phase", "Failed"}}}});
    transport_.after(2s, [this] { api_.erase(pod); });
    bool caged = false;
    api_.on_write = [&](const std::string& type, const kube::Json& object) {
        if (type == "DELETED" && kube::ref_of(object) == names.policy()) caged = gone(pod);
    };
    remove();
    EXPECT_TRUE(caged);
}

TEST_F(Teardown, DoesNotWaitForWhatIsLeftOfAnEvictedPod) {
    api_.merge(pod, {{"status", {{"phase", "Failed"}, {"reason", "Evicted"}}}});
    remove();
    EXPECT_TRUE(gone(names.policy()));
    EXPECT_LT(clock_.elapsed(), 60s);
}

TEST_F(Teardown, DoesNotWaitForAJobsPodThatLooksLikeTheAgents) {
    collect_garbage();
    put("Pod", "hermes-gate-a1b2c3-x",
        {{"metadata", {{"labels", {{"app", "hermes"}, {"job-name", "hermes-gate-a1b2c3"}}}}},
         {"status", {{"phase", "Running"}}}});
    remove();
    EXPECT_TRUE(gone(names.policy()));
    EXPECT_LT(clock_.elapsed(), 60s);
}

TEST_F(Teardown, RefusesWhatBelongsToAnother) {
    api_.merge(names.secret(), {{"metadata", {{"labels", {{"app.kubernetes.io/instance", "other"}}}}}});
    EXPECT_THROW(plan(), Error);
    kube::Json made_by_hand = api_.object(names.secret());
    made_by_hand["metadata"].erase("labels");
    api_.put(made_by_hand);
    try {
        plan();
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("secret/hermes-secrets was not made by hermesctl"));
    }
    EXPECT_THAT(api_.log, Not(Contains(HasSubstr("DELETE"))));
}

TEST_F(Teardown, TakesDataAndNamespaceWhenAskedTo) {
    collect_garbage();
    EXPECT_TRUE(plan(true).name_space);
    const Removal done = remove(true);
    EXPECT_TRUE(done.name_space);
    EXPECT_THAT(done.stays, IsEmpty());
    EXPECT_TRUE(gone(names.name_space()));
}

TEST_F(Teardown, ANamespaceThatTakesItsTimeIsNotAnotherHermesctl) {
    collect_garbage(0s);
    const kube::Json name_space = api_.object(names.name_space());
    // Its content goes first, the namespace itself a minute later.
    api_.on_write = [&](const std::string& type, const kube::Json& object) {
        if (type != "DELETED" || kube::ref_of(object) != names.name_space()) return;
        api_.put(name_space);
        transport_.after(60s, [this] { api_.erase(names.name_space()); });
    };
    EXPECT_TRUE(remove(true).name_space);
    EXPECT_TRUE(gone(names.name_space()));
    EXPECT_THAT(api_.log, Contains("DELETE lease/hermes-hermesctl"));
}

TEST_F(Teardown, ANamespaceThatHangsSaysWhatHoldsItUp) {
    collect_garbage(0s);
    const auto condition = [](const char* type, const char* status, const char* message) {
        return kube::Json{{"type", type}, {"status", status}, {"message", message}};
    };
    kube::Json hanging = api_.object(names.name_space());
    hanging["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    hanging["status"] = {
        {"phase", "Terminating"},
        {"conditions",
         {condition("NamespaceDeletionDiscoveryFailure", "False", "All resources discovered"),
          condition("NamespaceContentRemaining", "True", "widgets.example.com has 1 resource instances"),
          condition("NamespaceFinalizersRemaining", "True", "example.com/hold in 1 resource instances")}}};
    api_.on_write = [&](const std::string& type, const kube::Json& object) {
        if (type == "DELETED" && kube::ref_of(object) == names.name_space()) api_.put(hanging);
    };
    try {
        remove(true, 60s);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::timeout);
        EXPECT_EQ(error.message(),
                  "namespace/hermes is still being deleted"
                  "\n  widgets.example.com has 1 resource instances"
                  "\n  example.com/hold in 1 resource instances");
    }
}

TEST_F(Teardown, ANamespaceWithAnythingElseInItStays) {
    const std::vector<std::pair<std::string, std::string>> others{
        {"Secret", "secret/mine"},         {"PersistentVolumeClaim", "persistentvolumeclaim/mine"},
        {"Deployment", "deployment/mine"}, {"Job", "job/mine"},
        {"Ingress", "ingress/mine"},       {"Role", "role/mine"}};
    for (const auto& [kind, shown] : others) {
        put(kind, "mine", {{"metadata", {{"labels", {{"app", "hermes"}}}}}});
        const Removal removal = plan(true);
        EXPECT_FALSE(removal.name_space) << shown;
        EXPECT_THAT(removal.stays, Contains("namespace/hermes: it also has " + shown));
        api_.erase({kind, "hermes", "mine"});
    }
}

TEST_F(Teardown, ANamespaceWithAnotherInstanceOrACustomResourceStays) {
    hermesctl::testing::put_installation(api_, "hermes", "second");
    EXPECT_THAT(plan(true).stays, Contains(HasSubstr("deployment/second")));
    EXPECT_THAT(plan(true).stays, Not(Contains(HasSubstr("pod/second-1-a")))) << "it has an owner";
    const kube::Json widgets{
        {{"name", "widgets"}, {"kind", "Widget"}, {"namespaced", true}, {"verbs", {"list", "delete"}}}};
    api_.pages = {
        {"/apis", answer(200, R"({"groups":[{"preferredVersion":{"groupVersion":"example.com/v1"}}]})")},
        {"/apis/example.com/v1", answer(200, kube::Json{{"resources", widgets}}.dump())},
        {"/apis/example.com/v1/namespaces/hermes/widgets",
         answer(200, R"({"items":[{"metadata":{"name":"w","uid":"1"}}]})")}};
    EXPECT_THAT(plan(true).stays, Contains(HasSubstr("widget/w")));
}

/// As Gateway API's TCPRoute, which its preferred v1 does not have.
TEST_F(Teardown, AKindThatIsInAnOlderVersionAloneIsFoundToo) {
    const auto resources = [](std::initializer_list<std::pair<const char*, const char*>> kinds) {
        kube::Json list = kube::Json::array();
        for (const auto& [name, kind] : kinds)
            list.push_back(
                {{"name", name}, {"kind", kind}, {"namespaced", true}, {"verbs", {"list", "delete"}}});
        return answer(200, kube::Json{{"resources", list}}.dump());
    };
    api_.pages = {{"/apis", answer(200, R"({"groups":[{"preferredVersion":{"groupVersion":"example.com/v1"},
                       "versions":[{"groupVersion":"example.com/v1"},{"groupVersion":"example.com/v1alpha2"}]}]})")},
                  {"/apis/example.com/v1", resources({{"widgets", "Widget"}})},
                  {"/apis/example.com/v1alpha2", resources({{"widgets", "Widget"}, {"gadgets", "Gadget"}})},
                  {"/apis/example.com/v1/namespaces/hermes/widgets",
                   answer(200, R"({"items":[{"metadata":{"name":"w","uid":"1"}}]})")},
                  {"/apis/example.com/v1alpha2/namespaces/hermes/gadgets",
                   answer(200, R"({"items":[{"metadata":{"name":"g","uid":"2"}}]})")}};
    EXPECT_THAT(plan(true).stays, Contains(HasSubstr("widget/w, gadget/g")));
}

TEST_F(Teardown, ANamespaceThatCannotBeSeenIntoStays) {
    api_.deny("list", "secrets");
    EXPECT_THAT(plan(true).stays, Contains("namespace/hermes: Secret may not be listed"));
    api_.pages["/apis/batch/v1"] = hermesctl::testing::refusal(500, "InternalError", "broken");
    EXPECT_THAT(
        plan(true).stays,
        Contains("namespace/hermes: /apis/batch/v1 cannot be listed: broken; Secret may not be listed"));
}

TEST_F(Teardown, WhatComesIntoTheNamespaceMeanwhileSavesIt) {
    collect_garbage();
    transport_.after(2s, [this] { put("Secret", "mine"); });
    const Removal done = remove(true);
    EXPECT_FALSE(done.name_space);
    EXPECT_THAT(done.stays, Contains("namespace/hermes: it also has secret/mine"));
    EXPECT_FALSE(gone(names.name_space()));
    EXPECT_TRUE(gone(names.claim()));
}

}  // namespace
}  // namespace hermesctl::hermes
