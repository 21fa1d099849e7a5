// What must hold of the objects whatever the values are; the whole of them is in tests/golden/render.
#include "hermesctl/hermes/render.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/embedded.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const RenderInput input{
    .secrets = {{"TELEGRAM_BOT_TOKEN", "123456789:token"}, {"K", std::string("\xff\0x", 3)}}, .salt = "0123"};

Json deployment(const Values& values, const RenderInput& given) {
    return render(values, given).at(6);
}

std::string hmac(const RenderInput& given) {
    return kube::text_at(deployment({}, given), "/spec/template/metadata/annotations/hermesctl~1secret-hmac");
}

TEST(Render, NamesWhatLiveReads) {
    const Names names{.ns = "agents", .name = "robin"};
    Values values;
    values.ns = names.ns;
    values.name = names.name;
    std::vector<kube::Ref> refs = names.all();
    refs.insert(refs.begin(), names.name_space());
    const std::vector<Json> objects = render(values, input);
    ASSERT_EQ(objects.size(), refs.size());
    for (std::size_t i = 0; i < refs.size(); ++i)
        EXPECT_EQ(kube::ref_of(objects[i]), refs[i]);
    EXPECT_THAT(Json(objects).dump(-1, ' ', true, Json::error_handler_t::replace),
                Not(HasSubstr("\"hermes-")));
}

TEST(Render, RollsWhenASecretChanges) {
    RenderInput changed = input;
    changed.secrets["K"] = "other";
    RenderInput salted = input;
    salted.salt = "4567";
    EXPECT_EQ(hmac(input).size(), 64u);
    EXPECT_EQ(hmac(input), hmac(input));
    EXPECT_NE(hmac(input), hmac(changed));
    EXPECT_NE(hmac(input), hmac(salted));
}

TEST(Render, KeepsSecretsInTheSecret) {
    for (const Json& object : render({}, input)) {
        const std::string text = object.dump();
        const bool secret = object["kind"] == "Secret";
        EXPECT_EQ(text.find(base64_encode("123456789:token")) != std::string::npos, secret) << object["kind"];
        EXPECT_THAT(text, Not(HasSubstr("123456789:token")));
        EXPECT_THAT(masked(object).dump(), Not(HasSubstr(base64_encode("123456789:token"))));
        EXPECT_FALSE(object.contains("stringData"));
    }
}

TEST(Render, RunsTheEmbeddedProbe) {
    const Json container = kube::at(deployment({}, input), "/spec/template/spec/containers/0");
    for (const char* hook : {"/startupProbe", "/readinessProbe", "/livenessProbe", "/lifecycle/preStop"}) {
        const Json& command = kube::at(kube::at(container, hook), "/exec/command");
        ASSERT_EQ(command.size(), 6u) << hook;
        EXPECT_EQ(command[0], "/usr/bin/python3");
        EXPECT_EQ(command[1], "-I") << "what the agent can write is never imported";
        EXPECT_EQ(command[2], "-S");
        EXPECT_EQ(command[4], std::string(embedded("probe.py")));
    }
}

/// What the guide leaves as Kubernetes has it.
TEST(Render, KeepsTheAgentFromServicesPingAndTheNodesDisk) {
    const Values values = values_of(R"({"resources": {"limits": {"memory": "4Gi"}}})"_json);
    const Json pod = kube::at(deployment(values, input), "/spec/template/spec");
    EXPECT_EQ(kube::at(pod, "/enableServiceLinks"), false);
    EXPECT_EQ(kube::at(pod, "/securityContext/sysctls"),
              R"([{"name": "net.ipv4.ping_group_range", "value": "1 0"}])"_json);
    EXPECT_EQ(kube::text_at(pod, "/containers/0/resources/limits/ephemeral-storage"), "8Gi");
    const Json& tmp = kube::with_name(kube::at(pod, "/containers/0/volumeMounts"), "tmp");
    EXPECT_EQ(kube::text_at(tmp, "/mountPath"), "/tmp");
    EXPECT_EQ(kube::text_at(kube::with_name(kube::at(pod, "/volumes"), "tmp"), "/emptyDir/sizeLimit"), "2Gi");
}

TEST(Render, ProbesLeaveAStartAndADeadGatewayTheirTime) {
    const Json agent = kube::at(deployment({}, input), "/spec/template/spec/containers/0");
    const auto seconds = [&](const std::string& probe) {
        return kube::int_at(agent, "/" + probe + "/periodSeconds") *
               kube::int_at(agent, "/" + probe + "/failureThreshold");
    };
    EXPECT_EQ(seconds("startupProbe"), 15 * 60);
    EXPECT_EQ(kube::int_at(agent, "/readinessProbe/periodSeconds"), 5);
    EXPECT_EQ(seconds("readinessProbe"), 5);
    EXPECT_EQ(seconds("livenessProbe"), 3 * 60);
}

TEST(Render, KeepsAKillSwitchOff) {
    RenderInput stopped = input;
    stopped.replicas = 0;
    EXPECT_EQ(deployment({}, stopped)["spec"]["replicas"], 0);
    EXPECT_FALSE(deployment({}, stopped)["spec"]["strategy"].contains("rollingUpdate"));
}

TEST(Render, LabelsTheVersion) {
    const auto version = [](const char* image) {
        Values values;
        values.image = image;
        return kube::text_at(deployment(values, input), "/metadata/labels/app.kubernetes.io~1version");
    };
    EXPECT_EQ(version("a/b:v2026.9.14"), "v2026.9.14");
    EXPECT_EQ(version("localhost:5000/a/b"), "latest");
    EXPECT_EQ(version("a/b@sha256:0123456789abcdef"), "0123456789ab");
    EXPECT_EQ(version("a/b:v1-_."), "v1");
    EXPECT_EQ(version("a/b:_x"), "unknown");
}

TEST(ConfigYaml, MergesWhatIsAsked) {
    Values values;
    values.config = R"({"terminal": {"timeout": 60}, "mcp_servers": {"a": {"url": "http://a"}}})"_json;
    EXPECT_EQ(kube::parse_yaml(config_yaml(values), "c").at(0),
              R"({"model": {"provider": "minimax", "default": "MiniMax-M2.7"},
                  "terminal": {"backend": "local", "timeout": 60}, "mcp_servers": {"a": {"url": "http://a"}},
                  "platforms": {"telegram": {"extra": {"drop_pending_on_cold_boot": false}}}})"_json);
}

/// A live one's settings are kept, also those that nobody should have put there.
TEST(Masked, HidesWhatMayBeACredentialInAConfigMap) {
    const Json object{
        {"kind", "ConfigMap"},
        {"data",
         {{"config.yaml",
           "model: {provider: minimax-oauth, api_key: hunter2, max_tokens: 4096}\n"
           "mcp_servers: {a: {headers: {Authorization: 'Bearer ${COLONY_PAT}'}, args: [--api-key, hunter2]}}\n"
           "door: {pin: 1234, auth_required: true}\n"
           "alerts: 'https://hooks.slack.com/services/T0/B0/hunter2'\n"},
          {"notes", "the password is hunter2"}}}};
    const Json shown = masked(object);
    EXPECT_EQ(kube::parse_yaml(kube::text_at(shown, "/data/config.yaml"), "c").at(0),
              R"({"model": {"provider": "minimax-oauth", "api_key": "***", "max_tokens": 4096},
                  "mcp_servers": {"a": {"headers": {"Authorization": "Bearer ${COLONY_PAT}"},
                                        "args": ["***", "***"]}},
                  "door": {"pin": "***", "auth_required": true},
                  "alerts": "***"})"_json);
    EXPECT_EQ(kube::text_at(shown, "/data/notes"), "***");
}

TEST(Masked, HidesACredentialAmongThePodsVariables) {
    Values values;
    values.pod.env = {{"API_TOKEN", "hunter2hunter2"},
                      {"HTTPS_PROXY", "http://me:hunter@proxy:3128"},
                      {"MCP_URL", "https://a.example/mcp?token=hunter2hunter2"},
                      {"TZ", "UTC"}};
    const Json container = kube::at(masked(deployment(values, input)), "/spec/template/spec/containers/0");
    for (const char* name : {"API_TOKEN", "HTTPS_PROXY", "MCP_URL"})
        EXPECT_EQ(kube::text_at(kube::with_name(container["env"], name), "/value"), "***") << name;
    EXPECT_EQ(kube::text_at(kube::with_name(container["env"], "TZ"), "/value"), "UTC");
}

TEST(Masked, HidesWhatKubectlKept) {
    const Json secret =
        R"({"kind": "Secret", "stringData": {"A": "hunter2"}, "metadata": {"annotations": {"note": "x",
        "kubectl.kubernetes.io/last-applied-configuration": "hunter2"}}})"_json;
    EXPECT_THAT(masked(secret).dump(), Not(HasSubstr("hunter2")));
    EXPECT_EQ(masked(secret)["metadata"]["annotations"]["note"], "x");
}

}  // namespace
}  // namespace hermesctl::hermes
