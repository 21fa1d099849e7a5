// Whose fields are whose: what an apply would leave as it is, told from managedFields alone.
#include "hermesctl/hermes/ownership.hpp"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;

/// As it was sent, and as an API server keeps it: defaults filled in, zero values left out, and an item, a
/// label and an annotation of others beside ours.
const Json sent = R"({
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "hermes", "namespace": "hermes", "labels": {"app": "hermes"}},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "hermes"}}, "paused": false, "template": {"spec": {
        "tolerations": [],
        "containers": [{"name": "hermes", "image": "a:1", "args": ["run"], "env": [
            {"name": "B", "value": "2"}, {"name": "A", "value": "1"}]}]}}}})"_json;

Json live() {
    return R"({
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "hermes", "namespace": "hermes", "uid": "1", "resourceVersion": "7",
        "labels": {"app": "hermes", "theirs": "x"},
        "managedFields": [
            {"manager": "argocd", "operation": "Update", "apiVersion": "apps/v1",
             "fieldsV1": {"f:metadata": {"f:labels": {"f:theirs": {}}}}},
            {"manager": "hermesctl", "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": {}},
            {"manager": "hermesctl", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": {
                "f:metadata": {"f:labels": {"f:app": {}}},
                "f:spec": {"f:replicas": {}, "f:selector": {}, "f:paused": {}, "f:template": {"f:spec": {
                    "f:tolerations": {},
                    "f:containers": {"k:{\"name\":\"hermes\"}": {".": {}, "f:name": {}, "f:image": {}, "f:args": {},
                        "f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}},
                                  "k:{\"name\":\"B\"}": {".": {}, "f:name": {}, "f:value": {}}}}}}}}}}]},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "hermes"}}, "progressDeadlineSeconds": 600,
        "template": {"spec": {"containers": [
            {"name": "sidecar", "image": "b"},
            {"name": "hermes", "image": "a:1", "args": ["run"], "imagePullPolicy": "Always", "env": [
                {"name": "B", "value": "2"}, {"name": "THEIRS", "value": "x"}, {"name": "A", "value": "1"}]}]}}},
    "status": {"replicas": 1}})"_json;
}

TEST(IsApplied, WhenOthersAddedDefaultsAndItemsOfTheirOwn) {
    EXPECT_TRUE(is_applied(sent, live()));
}

/// Each of these the server has to be asked about.
TEST(IsApplied, NotWhenAnythingOfOursDiffers) {
    struct Case {
        const char* name;
        Json change;  // of what is sent (RFC 6902)
    };
    const std::vector<Case> cases{
        {"value", R"([{"op": "replace", "path": "/spec/replicas", "value": 2}])"_json},
        {"new field", R"([{"op": "add", "path": "/spec/minReadySeconds", "value": 5}])"_json},
        {"new empty field", R"([{"op": "add", "path": "/metadata/labels/new", "value": ""}])"_json},
        {"field that goes", R"([{"op": "remove", "path": "/spec/replicas"}])"_json},
        {"no longer empty",
         R"([{"op": "add", "path": "/spec/template/spec/tolerations/0", "value": {"key": "v"}}])"_json},
        {"item",
         R"([{"op": "replace", "path": "/spec/template/spec/containers/0/env/1/value", "value": "3"}])"_json},
        {"item that goes", R"([{"op": "remove", "path": "/spec/template/spec/containers/0/env/0"}])"_json},
        {"item that comes",
         R"([{"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "C"}}])"_json},
        {"order", R"([{"op": "move", "from": "/spec/template/spec/containers/0/env/0",
                       "path": "/spec/template/spec/containers/0/env/1"}])"_json},
        {"part of what is owned whole",
         R"([{"op": "add", "path": "/spec/selector/matchLabels/x", "value": "y"}])"_json},
        {"less of what is owned whole",
         R"([{"op": "remove", "path": "/spec/selector/matchLabels/app"}])"_json},
        {"argument",
         R"([{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "x"}])"_json},
        {"kind of value", R"([{"op": "replace", "path": "/metadata/labels", "value": "x"}])"_json},
        {"apiVersion", R"([{"op": "replace", "path": "/apiVersion", "value": "apps/v2"}])"_json},
    };
    for (const Case& one : cases)
        EXPECT_FALSE(is_applied(sent.patch(one.change), live())) << one.name;
}

/// As after `hermesctl stop`, whose patch is an entry of its own.
TEST(IsApplied, WhenAFieldThatIsOursNoMoreSaysTheSame) {
    Json stopped = live();
    stopped["metadata"]["managedFields"][2]["fieldsV1"]["f:spec"].erase("f:replicas");
    EXPECT_TRUE(is_applied(sent, stopped));
    stopped["spec"]["replicas"] = 0;
    EXPECT_FALSE(is_applied(sent, stopped));
}

/// What the server writes otherwise, and a set without keys, are not looked into.
TEST(IsApplied, NotWhereItCannotBeTold) {
    const auto with = [](const char* value, const char* fields) {
        Json object = sent;
        object["spec"]["extra"] = Json::parse(value);
        Json there = live();
        there["spec"]["extra"] = Json::parse(value);
        there["metadata"]["managedFields"][2]["fieldsV1"]["f:spec"]["f:extra"] = Json::parse(fields);
        return std::pair(object, there);
    };
    auto [cpu, normal] = with(R"("1000m")", "{}");
    EXPECT_TRUE(is_applied(cpu, normal));
    normal["spec"]["extra"] = "1";
    EXPECT_FALSE(is_applied(cpu, normal));
    const auto [set, there] = with(R"(["a"])", R"({"v:\"a\"": {}})");
    EXPECT_FALSE(is_applied(set, there));
}

TEST(IsApplied, NotWhenSomebodyChangedOrTookWhatIsOurs) {
    Json changed = live();
    changed["spec"]["template"]["spec"]["containers"][1]["image"] = "evil:1";
    EXPECT_FALSE(is_applied(sent, changed));
    Json removed = live();
    removed["spec"]["template"]["spec"]["containers"][1]["env"].erase(0);
    EXPECT_FALSE(is_applied(sent, removed));
    EXPECT_FALSE(is_applied(sent, Json())) << "it is not there";
    Json never = live();
    never["metadata"]["managedFields"].erase(2);
    EXPECT_FALSE(is_applied(sent, never));
}

/// Its fields may have to be taken over, also those that say the same.
TEST(IsApplied, NotWhereKubectlOwnsAnything) {
    Json kubectls = live();
    kubectls["metadata"]["managedFields"][0]["manager"] = "kubectl-edit";
    EXPECT_FALSE(is_applied(sent, kubectls));
    kubectls["metadata"]["managedFields"][0]["subresource"] = "scale";
    EXPECT_TRUE(is_applied(sent, kubectls)) << "that is not taken over";
}

}  // namespace
}  // namespace hermesctl::hermes
