// What is live, as settings: of a guide's install, of one that its owner changed, and of our own.
#include "hermesctl/hermes/live.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/render.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::ElementsAre;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

const Names names{.ns = "hermes", .name = "hermes"};

Live live_of(const std::vector<Json>& objects) {
    Live live;
    for (const Json& object : objects)
        live.objects[kube::ref_of(object)] = object;
    return live;
}

/// The guide's objects as far as they are read, with what an owner may have added.
constexpr std::string_view by_hand = R"(
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: hermes-data, namespace: hermes}
spec: {storageClassName: local-path, resources: {requests: {storage: 8Gi}}}
---
apiVersion: v1
kind: Secret
metadata: {name: hermes-secrets, namespace: hermes}
data: {TELEGRAM_ALLOWED_USERS: MTExLCAyMjI=, TELEGRAM_BOT_TOKEN: dG9rZW4=}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: hermes-config, namespace: hermes}
data:
  config.yaml: |
    model:
      provider: anthropic
      default: some-model
      context_length: 100000
    terminal:
      backend: local
    mcp_servers:
      colony: {url: "http://colony/mcp"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hermes, namespace: hermes}
spec:
  template:
    spec:
      nodeSelector: {disk: ssd}
      tolerations: [{key: a, operator: Exists}]
      imagePullSecrets: [{name: registry}]
      containers:
        - name: sidecar
          image: other
        - name: hermes
          image: docker.io/nousresearch/hermes-agent:v2026.9.14
          env:
            - {name: TZ, value: Europe/Berlin}
            - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
          resources: {limits: {memory: 3Gi}}
)";

TEST(SettingsOf, SaysNothingAboutNothing) {
    EXPECT_EQ(settings_of({}, names), Json::object());
}

TEST(SettingsOf, KeepsWhatAnOwnerMade) {
    EXPECT_EQ(settings_of(live_of(kube::parse_yaml(by_hand, "by hand")), names),
              R"({"image": "docker.io/nousresearch/hermes-agent:v2026.9.14",
                  "model": {"provider": "anthropic", "default": "some-model"},
                  "telegram": {"allowedUsers": [111, 222]},
                  "storage": {"size": "8Gi", "class": "local-path"},
                  "resources": {"limits": {"memory": "3Gi"}},
                  "pod": {"env": {"TZ": "Europe/Berlin"}, "nodeSelector": {"disk": "ssd"},
                          "tolerations": [{"key": "a", "operator": "Exists"}], "imagePullSecrets": ["registry"]},
                  "config": {"model": {"context_length": 100000},
                             "mcp_servers": {"colony": {"url": "http://colony/mcp"}}}})"_json);
}

TEST(SettingsOf, KeepsAnEmptyVariable) {
    std::vector<Json> objects = kube::parse_yaml(by_hand, "by hand");
    Json& env = objects[3]["spec"]["template"]["spec"]["containers"][1]["env"];
    env.push_back({{"name", "QUIET"}});  // as the API gives back an empty value
    const Json kept = kube::at(settings_of(live_of(objects), names), "/pod/env");
    EXPECT_EQ(kept, R"({"TZ": "Europe/Berlin", "QUIET": ""})"_json);
}

/// An exception that its owner added closes something: deploy must not open it again.
TEST(SettingsOf, KeepsWhatWasClosedByHand) {
    const Json policy = kube::parse_yaml(R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: hermes-egress, namespace: hermes}
spec:
  egress:
    - to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 192.168.0.0/16, 85.10.0.0/24]}}]
      ports: [{protocol: TCP, port: 443}, {protocol: TCP, port: 80}]
)",
                                         "by hand")
                            .at(0);
    EXPECT_EQ(settings_of(live_of({policy}), names), R"({"network": {"except": ["85.10.0.0/24"]}})"_json);
}

TEST(SettingsOf, LeavesOutAListThatCannotBeKept) {
    std::vector<Json> objects = kube::parse_yaml(by_hand, "by hand");
    objects[1]["data"]["TELEGRAM_ALLOWED_USERS"] = base64_encode("*");
    EXPECT_TRUE(kube::at(settings_of(live_of(objects), names), "/telegram").is_null());
}

TEST(SettingsOf, RefusesAConfigThatIsNoYaml) {
    std::vector<Json> objects = kube::parse_yaml(by_hand, "by hand");
    objects[2]["data"]["config.yaml"] = "a: [";
    try {
        settings_of(live_of(objects), names);
        FAIL() << "it would be overwritten";
    } catch (const Error& error) {
        EXPECT_THAT(error.trail(), ElementsAre("reading configmap/hermes-config"));
    }
}

/// Who looks has to see it, whatever somebody made of it.
TEST(StandingOf, WhatDeployWouldRefuseIsLeftAtItsDefaultAndTold) {
    std::vector<Json> objects = kube::parse_yaml(by_hand, "by hand");
    objects[2]["data"]["config.yaml"] = "model: {provider: nobodys}";
    Json& container = objects[3]["spec"]["template"]["spec"]["containers"][1];
    container["env"].push_back({{"name", "GATEWAY_ALLOW_ALL_USERS"}, {"value", "true"}});
    container["resources"]["limits"]["memory"] = "0";
    objects[3]["spec"]["template"]["spec"]["imagePullSecrets"] = R"([{}, {"name": "one"}, {}])"_json;
    const Standing standing = standing_of(live_of(objects), names);
    EXPECT_EQ(standing.values.provider, "") << "a default would be taken for what is live";
    EXPECT_EQ(standing.values.model, "");
    EXPECT_EQ(standing.values.pod.env, R"({"TZ": "Europe/Berlin"})"_json);
    EXPECT_EQ(standing.values.resources.limits, Values{}.resources.limits);
    EXPECT_EQ(standing.values.pod.image_pull_secrets, R"(["one"])"_json);
    EXPECT_EQ(standing.values.image, "docker.io/nousresearch/hermes-agent:v2026.9.14");
    EXPECT_THAT(standing.refused,
                UnorderedElementsAre(
                    StartsWith("model.provider: "), StartsWith("resources.limits.memory: "),
                    "pod.env.GATEWAY_ALLOW_ALL_USERS: would let others in than telegram.allowedUsers says",
                    "pod.imagePullSecrets[0]: is empty", "pod.imagePullSecrets[1]: is empty"));

    objects[2]["data"]["config.yaml"] = "a: [";
    EXPECT_EQ(standing_of(live_of(objects), names).refused.size(), 5u) << "the ConfigMap is one of them";
    EXPECT_EQ(standing_of(live_of(objects), names).values.provider, "");
}

TEST(StandingOf, WhatDeployNotedIsLeftOutWhereSomebodyMadeSomethingElseOfIt) {
    std::vector<Json> objects = kube::parse_yaml(by_hand, "by hand");
    Json& annotations = objects[3]["metadata"]["annotations"];
    for (const char* noted : {R"({"model":"x"})", R"({"telegram":"x"})", R"({"network":[]})"}) {
        annotations = {{"hermesctl/settings", noted}};
        const Standing standing = standing_of(live_of(objects), names);
        EXPECT_THAT(standing.refused, ElementsAre(StartsWith("the annotation hermesctl/settings of ")))
            << noted;
        EXPECT_EQ(standing.values.provider, "anthropic") << noted;
        EXPECT_THROW(settings_of(live_of(objects), names), Error) << noted;
    }
    annotations = {{"hermesctl/settings", R"({"secrets":{"X":{"env":null}}})"}};
    EXPECT_NO_THROW(standing_of(live_of(objects), names));
}

/// A second deploy without the first one's flags changes nothing.
TEST(SettingsOf, GivesBackWhatWasRendered) {
    const Json settings = R"({"image": "a/b:1", "model": {"provider": "zai", "default": "m"},
        "telegram": {"allowedUsers": [5, 6]}, "owner": 5, "storage": {"size": "7Gi", "class": "fast"},
        "resources": {"requests": {"memory": "1Gi"}, "limits": {"cpu": "3"}},
        "network": {"mustNotReach": ["nas:1"], "except": ["9.0.0.0/8"], "allow": ["192.168.1.1:80"],
                    "dns": ["9.9.9.9"], "ipv6": true},
        "pod": {"env": {"TZ": "UTC", "S6_KILL_GRACETIME": "9000"}, "nodeSelector": {"a": "b"},
                "tolerations": [{"key": "a"}], "imagePullSecrets": ["r"], "runtimeClassName": "gvisor"},
        "config": {"model": {"streaming": false}, "terminal": {"timeout": 9}}})"_json;
    RenderInput input{.secrets = {{"TELEGRAM_ALLOWED_USERS", "5,6"}}, .salt = "s"};
    const std::vector<Json> first = render(values_of(settings), input);
    const Json read = settings_of(live_of(first), names);
    EXPECT_EQ(render(values_of(read), input), first);
    // And the defaults stay defaults.
    const std::vector<Json> plain = render(Values{}, input);
    EXPECT_EQ(render(values_of(settings_of(live_of(plain), names)), input), plain);
}

TEST(SecretValues, AreDecoded) {
    const auto values = secret_values(R"({"data": {"A": "aGVsbG8=", "B": "???"}})"_json);
    EXPECT_EQ(values, (std::map<std::string, std::string>{{"A", "hello"}}));
}

class ReadLive : public ::testing::Test {
  protected:
    testing::FakeClock clock_;
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_;
    kube::Client client_{transport_, clock_, reporter_};
};

TEST_F(ReadLive, TakesWhatIsThere) {
    for (const Json& object : kube::parse_yaml(by_hand, "by hand"))
        api_.put(object);
    const Live live = read_live(client_, names);
    EXPECT_TRUE(live.installed(names));
    EXPECT_EQ(live.objects.size(), 4u);
    EXPECT_TRUE(live.of(names.account()).is_null());
}

TEST_F(ReadLive, DoesNotTakeRefusedForMissing) {
    api_.deny("get", "secrets");
    EXPECT_THROW(read_live(client_, names), kube::ApiError);
}

}  // namespace
}  // namespace hermesctl::hermes
