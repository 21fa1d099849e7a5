// What a person reads of a change: nothing that goes is left out, nothing secret is in it.
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/plan.hpp"
#include "hermesctl/hermes/policy.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

TEST(DifferingFields, AreLeavesWithoutBookkeeping) {
    const Json before =
        R"({"metadata": {"uid": "1", "managedFields": [1], "labels": {"a": "b"}}, "spec": {"replicas": 1,
        "template": {"spec": {"containers": [{"name": "x", "image": "i"}, {"name": "hermes", "image": "a:1"}]}}}})"_json;
    Json after = before;
    after["metadata"]["uid"] = "2";
    after["metadata"]["managedFields"] = {2};
    after["status"] = {{"replicas", 1}};
    EXPECT_THAT(differing_fields(before, after), IsEmpty());
    after["spec"]["replicas"] = 2;
    after["spec"]["template"]["spec"]["containers"][1]["image"] = "a:2";
    after["metadata"]["labels"]["c"] = "d";
    EXPECT_THAT(differing_fields(before, after),
                UnorderedElementsAre("spec.replicas: 1 -> 2",
                                     "spec.template.spec.containers[hermes].image: a:1 -> a:2",
                                     "metadata.labels.c: (none) -> d"));
}

TEST(DifferingFields, ShowTheLinesOfAText) {
    EXPECT_THAT(differing_fields(R"({"data": {"c": "a: 1\nb: 2\n"}})"_json,
                                 R"({"data": {"c": "a: 1\nb: 3\n"}})"_json),
                ElementsAre("data.c:", "  - b: 2", "  + b: 3"));
    EXPECT_THAT(differing_fields(R"({"data": {"c": "a\nb\n"}})"_json, R"({"data": {"c": "b\na\n"}})"_json),
                ElementsAre("data.c:", "  (its lines in another order)"));
}

TEST(DifferingFields, NeverShowASecret) {
    const Json before{{"kind", "Secret"}, {"data", {{"A", "b2xk"}, {"B", "Z29uZQ=="}}}};
    const Json after{{"kind", "Secret"},
                     {"data", {{"A", "bmV3"}, {"C", "bW9yZQ=="}}},
                     {"metadata", {{"annotations", {{"hermesctl/salt", "5a17"}, {"note", "x"}}}}}};
    EXPECT_THAT(differing_fields(before, after),
                UnorderedElementsAre("data.A: changed", "data.B: removed", "data.C: added",
                                     "metadata.annotations.hermesctl/salt: added",
                                     "metadata.annotations.note: (none) -> x"));
    const Json nothing{{"kind", "Secret"}};
    EXPECT_THAT(differing_fields(nothing, after), Contains("data.C: added"));
    EXPECT_THAT(differing_fields(after, nothing), Contains("data.C: removed"));
}

TEST(DifferingFields, ShowAConfigMapsFileByWhatItSays) {
    const auto file = [](const std::string& text) {
        return Json{{"kind", "ConfigMap"}, {"data", {{"config.yaml", text}}}};
    };
    EXPECT_THAT(
        differing_fields(file("model:\n  default: a\nnas:\n  passwd: hunter1\n  port: 1\n"),
                         file("nas: {passwd: hunter2, port: 2}\nmodel: {default: b, provider: xai-oauth}\n")),
        ElementsAre("data.config.yaml.model.default: a -> b",
                    "data.config.yaml.model.provider: (none) -> xai-oauth",
                    "data.config.yaml.nas.passwd: changed", "data.config.yaml.nas.port: 1 -> 2"));
    EXPECT_THAT(differing_fields(file("a: 1\nb: 2\n"), file("# mine\nb: 2\na: 1\n")),
                ElementsAre("data.config.yaml: says the same, written otherwise"));
    // What is no YAML, and what only one of them has.
    EXPECT_THAT(differing_fields(file("a: [\nb\n"), file("a: [\nc\n")),
                ElementsAre("data.config.yaml:", "  - b", "  + c"));
    EXPECT_THAT(differing_fields(file("a: [\npasswd: hunter1\n"), file("a: [\npasswd: hunter2\n")),
                ElementsAre("data.config.yaml: changed"));
    EXPECT_THAT(differing_fields({{"kind", "ConfigMap"}}, file("passwd: hunter2\n")),
                ElementsAre("data.config.yaml: added"));
    Json copied{{"kind", "ConfigMap"}};
    copied["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "hunter2";
    EXPECT_THAT(
        differing_fields(copied, {{"kind", "ConfigMap"}}),
        ElementsAre("metadata.annotations.kubectl.kubernetes.io/last-applied-configuration: removed"));
}

TEST(DifferingFields, NeverShowACredentialAmongThePodsVariables) {
    const auto pod = [](const Json& variables) {
        return Json{{"containers", Json::array({{{"name", "hermes"}, {"env", variables}}})}};
    };
    const Json both =
        R"([{"name": "API_TOKEN", "value": "hunter2hunter2"}, {"name": "TZ", "value": "UTC"}])"_json;
    const Json others =
        R"([{"name": "API_TOKEN", "value": "hunter3hunter3"}, {"name": "TZ", "value": "CET"}])"_json;
    const Json one = R"([{"name": "TZ", "value": "UTC"}])"_json;
    const std::string token = "containers[hermes].env[API_TOKEN]";
    EXPECT_THAT(differing_fields(pod(both), pod(others)),
                ElementsAre(token + ".value: changed", "containers[hermes].env[TZ].value: UTC -> CET"));
    EXPECT_THAT(differing_fields(pod(both), pod(one)),
                ElementsAre(token + ".name: API_TOKEN -> (none)", token + ".value: removed"));
    EXPECT_THAT(differing_fields(pod(one), pod(both)),
                ElementsAre(token + ".name: (none) -> API_TOKEN", token + ".value: added"));
    EXPECT_THAT(differing_fields(pod(nullptr), pod(both)), Not(Contains(HasSubstr("hunter2"))));
}

TEST(DifferingSettings, MaskWhatMayBeACredential) {
    const auto change = [](const char* path, const Json& before, const Json& after) {
        const Json::json_pointer pointer(path);
        Json one;
        Json other;
        one[pointer] = before;
        other[pointer] = after;
        return differing_settings(one, other);
    };
    EXPECT_THAT(change("/terminal/backend", "local", "ssh"), ElementsAre("terminal.backend: local -> ssh"));
    EXPECT_THAT(change("/prompt", "a\nb\n", "a\nc\n"), ElementsAre("prompt:", "  - b", "  + c"));
    for (const char* name :
         {"COLONY_PAT", "db_passwd", "api_keys", "tokens", "OAuth", "Cookie", "credentials"})
        EXPECT_THAT(change(("/x/" + std::string(name)).c_str(), "one", "two"),
                    ElementsAre(fmt::format("x.{}: changed", name)));
    EXPECT_THAT(
        change("/x/url", "https://a.example/c?sig=hunter2hunter2", "https://a.example/c?sig=hunter3hunter3"),
        ElementsAre("x.url: changed"));
    // A block's lines no longer say whose they are, and the first and the last of a PEM are the same.
    EXPECT_THAT(change("/a/private_key", "begin\none\n", "begin\ntwo\n"),
                ElementsAre("a.private_key: changed"));
    const auto pem = [](const std::string& body) {
        return "-----BEGIN PRIVATE KEY-----\n" + body + "\n-----END PRIVATE KEY-----\n";
    };
    EXPECT_THAT(change("/a/pem", pem("one"), pem("two")), ElementsAre("a.pem: changed"));
    EXPECT_THAT(change("/mcp/env/NAS", "one", nullptr), ElementsAre("mcp.env.NAS: removed"));
    EXPECT_THAT(change("/mcp", nullptr, {{"nas", {{"password", "one"}, {"port", 9}}}}),
                ElementsAre("mcp.nas.password: added", "mcp.nas.port: (none) -> 9"));
    EXPECT_THAT(change("/mcp", "none", {{"token", "one"}}), ElementsAre("mcp: changed"));
    EXPECT_THAT(change("/list", Json::array(), Json::array({{{"name", "a"}, {"token", "one"}}})),
                ElementsAre("list: + ***"));
    EXPECT_THAT(change("/args", R"({"api_key": "one"})", "none"), ElementsAre("args: changed"));
    EXPECT_THAT(change("/args", Json::array({"--api-key"}), Json::array({"--api-key", "one"})),
                ElementsAre("args: + ***"))
        << "what follows such a word has no name of its own";
    EXPECT_THAT(change("/args", Json::array({"-u"}), Json::array({"-u", "one:two"})),
                ElementsAre("args: + ***"));
    EXPECT_THAT(change("/db", nullptr, "postgresql://one:two@db"), ElementsAre("db: added"));
    for (const char* value :
         {"https://hooks.slack.com/services/T0/B0/one", "https://discord.com/api/webhooks/1/one",
          "curl -u one:two https://a.example", "curl -sSu one:two https://a.example", "the door's PIN: 1234"})
        EXPECT_THAT(change("/x", nullptr, value), ElementsAre("x: added")) << value;
    EXPECT_THAT(change("/door/pin", 1234, 5678), ElementsAre("door.pin: changed"));
    EXPECT_THAT(change("/a/token", "${hunter-2}", "${A}hunter2"), ElementsAre("a.token: changed"));
    EXPECT_THAT(change("/display/spinner", "dots", "bars"), ElementsAre("display.spinner: dots -> bars"));
    EXPECT_THAT(change("/model/provider", "minimax", "minimax-oauth"),
                ElementsAre("model.provider: minimax -> minimax-oauth"));
    // The end of a key by its shape, of which the beginning is the same.
    const std::string lead = "https://example.org/a/path/that/is/quite/long?sk-";
    EXPECT_THAT(change("/url", lead + std::string(20, 'a'), lead + std::string(20, 'b')),
                ElementsAre("url: changed"));
}

TEST(DifferingSettings, ShowWhatIsSurelyNone) {
    const auto shown = [](const char* before, const char* after) {
        return differing_settings(Json::parse(before), Json::parse(after));
    };
    EXPECT_THAT(
        shown(R"({"a": {"headers": {"X": "${OLD}"}}})", R"({"a": {"headers": {"X": "Bearer ${env:NEW}"}}})"),
        ElementsAre("a.headers.X: ${OLD} -> Bearer ${env:NEW}"));
    EXPECT_THAT(shown("{}", R"({"a": {"headers": {"X": "Bearer ${COLONY_PAT}"}}})"),
                ElementsAre("a.headers.X: (none) -> Bearer ${COLONY_PAT}"));
    EXPECT_THAT(shown(R"({"max_tokens": 4096, "auth_required": true})",
                      R"({"max_tokens": 8192, "auth_required": false})"),
                ElementsAre("auth_required: true -> false", "max_tokens: 4096 -> 8192"));
}

TEST(DifferingFields, TellWhoGetsAndWhoLosesAccess) {
    const auto secret = [](const std::string& users) {
        return Json{{"kind", "Secret"}, {"data", {{"TELEGRAM_ALLOWED_USERS", base64_encode(users)}}}};
    };
    EXPECT_THAT(differing_fields(secret("111, 999,333"), secret("222,333")),
                ElementsAre("data.TELEGRAM_ALLOWED_USERS: + 222 may use the bot",
                            "data.TELEGRAM_ALLOWED_USERS: - 111 loses access",
                            "data.TELEGRAM_ALLOWED_USERS: - 999 loses access"));
    EXPECT_THAT(differing_fields(secret("*"), secret("222")),
                Contains("data.TELEGRAM_ALLOWED_USERS: - everybody (*) loses access"));
    EXPECT_THAT(differing_fields(secret("1, 2"), secret("1,2")),
                ElementsAre("data.TELEGRAM_ALLOWED_USERS: changed"));
    // What is no id is not shown: it may be a secret that was put under the wrong key.
    EXPECT_THAT(differing_fields(secret("hunter2hunter2"), secret("1")), Not(Contains(HasSubstr("hunter2"))));
}

TEST(DifferingFields, ListWhatGoesLeafByLeaf) {
    EXPECT_THAT(differing_fields(R"({"a": {"b": {"c": 1, "d": {}}, "e": [1, 2]}, "f": {}})"_json, "{}"_json),
                UnorderedElementsAre("a.b.c: 1 -> (none)", "a.b.d: {} -> (none)", "a.e: - 1", "a.e: - 2",
                                     "f: {} -> (none)"));
}

TEST(DifferingFields, ShowAListWithoutKeysItemByItem) {
    EXPECT_THAT(differing_fields(R"({"args": ["a", "b", "c"]})"_json, R"({"args": ["a", "x", "c"]})"_json),
                ElementsAre("args: - b", "args: + x"));
    EXPECT_THAT(differing_fields(R"({"args": ["a", "b"]})"_json, R"({"args": ["b", "a"]})"_json),
                ElementsAre("args: in another order"));
    EXPECT_THAT(differing_fields(R"({"t": []})"_json, R"({"t": [{"key": "a", "operator": "Exists"}]})"_json),
                ElementsAre("t: + key: a, operator: Exists"));
}

TEST(DifferingFields, ShowARuleOfThePolicyAsWhatItOpens) {
    const Json world =
        R"({"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "85.10.0.7/32", "192.168.0.0/16"]}}],
            "ports": [{"protocol": "TCP", "port": 443}]})"_json;
    const Json colony =
        R"({"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "colony-app"}},
                    "podSelector": {"matchLabels": {"app": "mcp"}}}], "ports": [{"protocol": "TCP", "port": 8002}]})"_json;
    const Json nas =
        R"({"to": [{"ipBlock": {"cidr": "192.168.1.10/32"}}], "ports": [{"protocol": "TCP", "port": 80}]})"_json;
    const auto policy = [](const Json& rules) { return Json{{"spec", {{"egress", rules}}}}; };
    EXPECT_THAT(differing_fields(policy({world, colony}), policy({world, nas})),
                ElementsAre("spec.egress: - TCP 8002 to pods app=mcp in namespaces "
                            "kubernetes.io/metadata.name=colony-app",
                            "spec.egress: + TCP 80 to 192.168.1.10/32"));
    // One exception less in a long list is what is shown, not the list twice.
    Json looser = world;
    looser["to"][0]["ipBlock"]["except"].erase(1);
    EXPECT_THAT(differing_fields(policy({colony, world}), policy({looser, colony})),
                ElementsAre("spec.egress[1].to[0].ipBlock.except: - 85.10.0.7/32"));
}

TEST(DifferingFields, ShowWhereLongTextsDiffer) {
    const std::string same(100, 'a');
    const auto lines = differing_fields({{"x", same + "-old"}}, {{"x", same + "-new"}});
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_THAT(lines[0], HasSubstr("-old -> "));
    EXPECT_THAT(lines[0], HasSubstr("-new"));
    // JSON in an annotation, as what it says.
    EXPECT_THAT(differing_fields({{"x", R"({"a": 1, "network": {"dns": ["1.1.1.1"]}})"}},
                                 {{"x", R"({"a": 1, "network": {"dns": []}})"}}),
                ElementsAre("x.network.dns: - 1.1.1.1"));
}

TEST(RuleText, SaysWhatARuleOpens) {
    EXPECT_EQ(rule_text("{}"_json), "every port to everywhere");
    EXPECT_EQ(rule_text(R"({"ports": [{"protocol": "UDP", "port": 53}, {"port": 53}]})"_json),
              "UDP 53, TCP 53 to everywhere");
    EXPECT_EQ(rule_text(R"({"ports": [{"port": 1000, "endPort": 2000}],
                            "to": [{"podSelector": {}}, {"namespaceSelector": {}}]})"_json),
              "TCP 1000-2000 to all pods of this namespace, all pods in all namespaces");
    EXPECT_EQ(
        rule_text(
            R"({"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "9.0.0.0/8"]}}]})"_json),
        "every port to 0.0.0.0/0 less 10.0.0.0/8, 9.0.0.0/8");
}

}  // namespace
}  // namespace hermesctl::hermes
