// The objects as YAML, and the plain files of manifests/ beside them.
#include "hermesctl/hermes/render.hpp"

#include "hermesctl/hermes/embedded.hpp"
#include "hermesctl/hermes/policy.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "support/golden.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::hermesctl::testing::expect_golden;

/// The probe's script has its own tests; in a golden file it would only be noise.
void shorten_probes(Json& value) {
    if (value == std::string(embedded("probe.py"))) value = "(probe.py)";
    if (!value.is_structured()) return;
    for (Json& item : value)
        shorten_probes(item);
}

std::string shown(const Values& values, const RenderInput& input) {
    std::vector<Json> objects;
    for (Json& object : render(values, input)) {
        shorten_probes(object);
        objects.push_back(masked(std::move(object)));
    }
    return kube::dump_yaml_documents(objects);
}

RenderInput some_input() {
    return {
        .secrets = {{"TELEGRAM_BOT_TOKEN", "t"}, {"TELEGRAM_ALLOWED_USERS", "1"}, {"MINIMAX_API_KEY", "k"}},
        .salt = "salt"};
}

ClusterFacts some_cluster() {
    ClusterFacts facts;
    facts.dns_selector = {{"k8s-app", "coredns"}};
    facts.dns_addresses = {"169.254.20.10", "10.43.0.10", "fd43::a"};
    facts.dns_target_ports = {53, 5353};
    facts.node_addresses = {"192.168.1.20", "85.10.0.7", "2a01:4f8:1:2::7"};
    facts.api_addresses = {"85.10.0.7", "85.10.0.8"};
    facts.pod_ranges = {"10.42.0.0/24"};
    facts.service_ranges = {"10.43.0.0/16"};
    facts.balancer_addresses = {"85.10.0.9"};
    return facts;
}

TEST(RenderGolden, Minimal) {
    expect_golden("render/minimal.yaml", shown(Values{}, {}));
}

TEST(RenderGolden, AnOrdinaryInstallation) {
    RenderInput input = some_input();
    input.cluster = some_cluster();
    expect_golden("render/default.yaml", shown(Values{}, input));
}

constexpr std::string_view everything = R"(apiVersion: hermesctl/v1
kind: Hermes
name: robin
namespace: agents
image: registry.example:5000/hermes@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
model: {provider: minimax-cn, default: MiniMax-M3}
telegram: {allowedUsers: [987654321, 123456789]}
storage: {size: 20Gi, class: fast}
resources: {requests: {memory: 1Gi}, limits: {cpu: 4}}
network:
  mustNotReach: ["192.168.1.206:30002"]
  except: [85.10.0.0/24, "2a01:4f8:9::/48"]
  allow: ["192.168.1.10:8080", "[fd00:1::/64]:443"]
  dns: [192.168.1.53]
  nat64: ["64:ff9b::/96"]
  ipv6: true
pod:
  env: {TZ: Europe/Berlin, S6_KILL_GRACETIME: "9000"}
  nodeSelector: {disk: ssd}
  tolerations: [{key: agents, operator: Exists, effect: NoSchedule}]
  imagePullSecrets: [registry]
  runtimeClassName: gvisor
owner: 987654321
config:
  model: {streaming: false}
  mcp_servers: {tools: {url: "https://mcp.example/mcp", headers: {Authorization: "Bearer ${TOOLS_PAT}"}}}
)";

TEST(RenderGolden, Everything) {
    RenderInput input = some_input();
    input.cluster = some_cluster();
    input.replicas = 0;
    input.kept_rules =
        R"([{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "colony-app"}}}],
                            "ports": [{"protocol": "TCP", "port": 8002}]}])"_json;
    const Values values = values_of(settings_of_file(everything, "hermes.yaml").at(0));
    expect_golden("render/everything.yaml", shown(values, input));
}

/// Filling in the defaults changes nothing but what a plain file cannot have.
TEST(Manifests, AreWhatIsRenderedByDefault) {
    const std::vector<Json> objects = render(Values{}, {});
    const std::vector<const char*> files{
        "00-namespace.yaml", "10-serviceaccount.yaml", "20-claim.yaml",     "30-secret.yaml",
        "40-config.yaml",    "50-networkpolicy.yaml",  "60-deployment.yaml"};
    ASSERT_EQ(objects.size(), files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        const std::vector<Json> documents = kube::parse_yaml(embedded(files[i]), files[i]);
        ASSERT_EQ(documents.size(), 1u) << files[i];
        std::vector<std::string> changes;
        for (const Json& step : Json::diff(documents[0], objects[i]))
            changes.push_back(step["path"]);
        std::erase_if(changes, [](const std::string& path) {
            return path.starts_with("/metadata/labels") || path.starts_with("/metadata/annotations") ||
                   path.find("/template/metadata/") != std::string::npos || path.ends_with("/command/4") ||
                   path == "/data/config.yaml";
        });
        EXPECT_THAT(changes, ::testing::IsEmpty()) << files[i];
    }
    EXPECT_EQ(kube::parse_yaml(config_yaml(Values{}), "ours").at(0), seeded_config());
}

}  // namespace
}  // namespace hermesctl::hermes
