// hermes.yaml: what is taken, what is refused and where, and how settings merge.
#include "hermesctl/hermes/values.hpp"

#include "hermes/credentials.hpp"
#include "hermes/settings_check.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "support/credential_cases.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string refusal_of_file(const std::string& text) {
    try {
        settings_of_file(text, "hermes.yaml");
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        return error.message();
    }
    return "";
}

std::string refusal_of(const Json& settings) {
    try {
        values_of(settings);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        return error.message();
    }
    return "";
}

TEST(SettingsOfFile, ReadsEachDocument) {
    const auto all = settings_of_file("kind: Hermes\nname: a\n---\nname: b\nowner: 7\n", "hermes.yaml");
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0], R"({"name": "a"})"_json);
    EXPECT_EQ(all[1], R"({"name": "b", "owner": 7})"_json);
}

TEST(SettingsOfFile, TellsWhereAndWhatWasMeant) {
    EXPECT_EQ(refusal_of_file("telegram:\n  alowedUsers: [1]\n"),
              "hermes.yaml:2:3: unknown key 'alowedUsers'; did you mean allowedUsers?");
    EXPECT_THAT(refusal_of_file("zebra: 1\n"), HasSubstr("hermes.yaml:1:8: unknown key 'zebra'"));
    EXPECT_EQ(
        refusal_of_file("model: {provider: minimax-ch}\n"),
        "hermes.yaml:1:19: 'minimax-ch' is no model provider that Hermes knows; did you mean minimax-cn?");
}

TEST(SettingsOfFile, TellsEverythingAtOnce) {
    const std::string message = refusal_of_file("image: 'Not An Image'\nstorage: {size: big}\npod: []\n");
    EXPECT_THAT(message, HasSubstr("hermes.yaml:1:8: 'Not An Image' is no image name"));
    EXPECT_THAT(message, HasSubstr("\nhermes.yaml:2:17: 'big' is no quantity"));
    EXPECT_THAT(message, HasSubstr("\nhermes.yaml:3:1: must be a mapping"));
}

TEST(SettingsOfFile, RefusesTwoDocumentsOfOneInstance) {
    EXPECT_EQ(refusal_of_file("name: a\n---\nname: b\n---\nname: a\nnamespace: hermes\n"),
              "hermes.yaml:5:7: a in namespace hermes is in this file already: name and namespace tell "
              "instances apart");
    EXPECT_EQ(refusal_of_file("name: a\n---\nname: a\nnamespace: other\n"), "");
    EXPECT_THAT(refusal_of_file("- a\n---\n- b\n---\nname: hermes\n"),
                AllOf(HasSubstr("must be a mapping"), Not(HasSubstr("in this file already"))))
        << "a list is no instance";
}

TEST(SettingsOfFile, RefusesAnythingElse) {
    EXPECT_THAT(refusal_of_file("apiVersion: apps/v1\nkind: Deployment\n"), HasSubstr("2:7: must be Hermes"));
    EXPECT_THAT(refusal_of_file("- a\n"), HasSubstr("must be a mapping"));
    EXPECT_THAT(refusal_of_file("# nothing\n"), HasSubstr("there is nothing in it"));
    EXPECT_THAT(refusal_of_file("a: b: c\n"), HasSubstr("hermes.yaml:1:"));
}

TEST(SettingsOfFile, WantsIdsOfUsers) {
    EXPECT_THAT(refusal_of_file("telegram: {allowedUsers: ['@alice']}"),
                AllOf(StartsWith("hermes.yaml:1:27: '@alice' is a name"), HasSubstr("@userinfobot")));
    EXPECT_THAT(refusal_of_file("telegram: {allowedUsers: [-100123]}"), HasSubstr("a group's id"));
    EXPECT_THAT(refusal_of_file("telegram: {allowedUsers: ['*']}"), HasSubstr("everybody"));
    EXPECT_THAT(refusal_of_file("telegram: {allowedUsers: [0]}"), HasSubstr("is no user id"));
    EXPECT_THAT(refusal_of_file("telegram: {allowedUsers: [1, null]}"), HasSubstr("is empty"));
    EXPECT_THAT(refusal_of_file("telegram: {allowedUsers: 987654321}"), HasSubstr("must be a list"));
    EXPECT_THAT(refusal_of_file("telegram: {allowedUsers: []}"), HasSubstr("nobody could talk to the bot"));
    EXPECT_THAT(refusal_of_file("telegram: {allowedUsers: [1]}\nowner: 2\n"),
                HasSubstr("2:8: 2 is not among"));
}

TEST(SettingsOfFile, LetsNobodyInBesideTheListOfUsers) {
    for (const char* key : {"TELEGRAM_ALLOWED_USERS", "TELEGRAM_ALLOW_ALL_USERS", "GATEWAY_ALLOW_ALL_USERS",
                            "GATEWAY_ALLOWED_USERS"}) {
        EXPECT_THAT(refusal_of_file(fmt::format("secrets: {{{}: {{env: X}}}}\n", key)),
                    HasSubstr("telegram.allowedUsers"));
        EXPECT_THAT(refusal_of_file(fmt::format("pod: {{env: {{{}: 'true'}}}}\n", key)),
                    HasSubstr("telegram.allowedUsers"));
    }
}

TEST(SettingsOfFile, NeverRepeatsASecret) {
    const std::string message = refusal_of_file("secrets: {MINIMAX_API_KEY: sk-verysecret}\n");
    EXPECT_THAT(message, HasSubstr("hermes.yaml:1:28: must be a mapping"));
    EXPECT_THAT(message, Not(HasSubstr("verysecret")));
    EXPECT_THAT(refusal_of_file("secrets: {A: {file: a, env: B}}\n"), HasSubstr("one source"));
    EXPECT_THAT(refusal_of_file("secrets: {A: {stdin: true}, B: {stdin: true}}\n"),
                HasSubstr("only one secret"));
    EXPECT_THAT(refusal_of_file("pod: {env: {TELEGRAM_BOT_TOKEN: x}}\n"), HasSubstr("is a secret"));
}

TEST(SettingsOfFile, RefusesACredentialUnderConfigWithAllElseThatIsWrong) {
    const std::string message = refusal_of_file(
        "owner: bob\n"
        "config:\n"
        "  model: {api_key: hunter2hunter2}\n"
        "  mcp_servers:\n"
        "    colony:\n"
        "      headers: {Authorization: Bearer hunter2hunter2}\n"
        "      env: {COLONY_PAT: hunter2hunter2}\n"
        "      args: [--key, sk-hunter2hunter2hunter2]\n");
    EXPECT_THAT(message, HasSubstr("hermes.yaml:1:8: 'bob' is a name"));
    for (const char* place :
         {"3:20: config.model.api_key", "6:32: config.mcp_servers.colony.headers.Authorization",
          "7:25: config.mcp_servers.colony.env.COLONY_PAT", "8:21: config.mcp_servers.colony.args[1]"}) {
        EXPECT_THAT(message,
                    HasSubstr(fmt::format("\nhermes.yaml:{} is a credential; put it under secrets: and "
                                          "write ${{NAME}} in its place",
                                          place)));
    }
    EXPECT_THAT(message, Not(HasSubstr("hunter2")));
}

TEST(IsCredential, SaysTheSameAsVerifyInThePod) {
    for (const auto& [is, setting] : testing::credential_cases()) {
        const Json settings = kube::parse_yaml(setting, "a case").at(0);
        EXPECT_EQ(credentials_in(settings, "", {}).size(), is ? 1u : 0u) << setting;
    }
}

TEST(IsCredential, IsAlsoWhatFollowsAFlagInAList) {
    const auto found = [](const Json& list) { return credentials_in(list, "", {}); };
    EXPECT_THAT(found({"--port", "8080", "--api-key", "Hunter2Hunter2"}), ElementsAre("/3"));
    EXPECT_THAT(found({"--api-key=hunter2hunter2", "argument2"}), ElementsAre("/0"));
    EXPECT_THAT(found({"--api-key-file", "Hunter2Hunter2", "--ask-password", "hunter2hunter2", "--token"}),
                IsEmpty());
}

TEST(SettingsOfFile, RefusesACredentialInAUrl) {
    for (const char* url :
         {"http://me:hunter@proxy:3128", "https://a.example/mcp?token=hunter2hunter2",
          "https://a.example/?x=1&api_key=hunter2hunter2", "https://a.example/?access_token=hunter2hunter2#b",
          "https://a.example/#access_token=hunter2hunter2", "https://a.example/?key=hunter2hunter2",
          "https://a.example/?Sig=hunter2hunter2", "https://a.example/a?x=1&api-key=hunter2hunter2"}) {
        EXPECT_THAT(refusal_of_file(fmt::format("config: {{a: '{}'}}\n", url)),
                    StartsWith("hermes.yaml:1:13: config.a is a credential"))
            << url;
        EXPECT_THAT(refusal_of_file(fmt::format("pod: {{env: {{A: '{}'}}}}\n", url)),
                    StartsWith("hermes.yaml:1:16: pod.env.A is a credential"))
            << url;
    }
    for (const char* url :
         {"http://me@proxy:3128", "http://me:${PROXY_PASSWORD}@proxy:3128", "http://USER:PASSWORD@proxy:3128",
          "http://{user}:{password}@proxy:3128", "http://me:$PASS@proxy:3128",
          "https://a.example/?page=12345678", "https://a.example/?token=${A_TOKEN}&max_tokens=4096",
          "https://a.example/?token=none", "https://a.example/?key={{KEY_1}}",
          "https://a.example/?signal=hunter2hunter2", "https://a.example/?auth=oauth2-pkce",
          "https://a.example/#section-12345678", "/mcp?token=hunter2hunter2"}) {
        EXPECT_EQ(refusal_of_file(fmt::format("config: {{a: '{0}'}}\npod: {{env: {{A: '{0}'}}}}\n", url)),
                  "");
    }
}

TEST(IsCredential, UrlsInUrlsAreLookedThroughOnceHoweverDeep) {
    std::string url = "https";
    while (url.size() < (1u << 20))
        url += "://?a=https";
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(is_credential("a", url));
    EXPECT_TRUE(is_credential("a", url + "://?token=hunter2hunter2"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(SettingsOfFile, RefusesACredentialAmongThePodsVariables) {
    EXPECT_EQ(
        refusal_of_file("pod: {env: {API_TOKEN: hunter2hunter2, TZ: Europe/Berlin}}\n"),
        "hermes.yaml:1:24: pod.env.API_TOKEN is a credential; put it under secrets:, of which the agent gets each as a "
        "variable");
    EXPECT_EQ(
        refusal_of_file("pod: {env: {TELEGRAM_BOT_TOKEN: '123456789:AAbbccddeeffgghhiijjkkllmmnnooppq'}}\n"),
        "hermes.yaml:1:33: is a secret; its place is under secrets")
        << "once";
}

TEST(SettingsOfFile, TakesWhatOnlyLooksLikeACredential) {
    EXPECT_EQ(refusal_of_file(R"(config:
  model: {api_key: "${ZAI_API_KEY}", max_tokens: 4096, max_token: 1000000000}
  session_key_prefix: agent-of-robin
  custom_providers:
  - {name: lan, base_url: "http://10.0.0.5/v1", api_key: none}
  - {name: a, api_key: not-needed}
  - {name: b, api_key: no-key-required}
  - {name: c, api_key: sk-no-key-is-required-here}
  - {name: d, api_key: "{{API_KEY_1}}", password: "[password]", token: "%TOKEN_1%"}
  - {name: f, hot_key: ctrl+shift+f12, ssh_key: ~/.ssh/id_ed25519, password: $PASS_12345}
  - {name: e, api_key: your-api-key-1, password: YOUR-password, token: "00000000"}
  voice: {record_key: ctrl+space, sort_key: created_at, bypass: localhost1}
  note: Bearer authentication, as RFC 6750 has it
  door: {pin: 1234, auth_required: true}
  mcp_servers:
    a:
      auth: oauth
      tries: [{auth: oauth2-device}, {auth: hmac-sha256}, {auth: "https://b/v2/auth"}, {auth: "Basic ${AUTH_1}"}]
      args: ["--api-key=${COLONY_KEY_1}", --api-key=COLONY_KEY_1, --token-file=/run/token1, --log-key=created]
      cookies: [{Cookie: "session=${SESSION_1}; theme=dark"}, {cookie: "no"}, {cookie_name: hermes_sid_01}]
      set: [{cookie: hermes_sid_01}, {Cookie: "consent=20260101"}, {Set-Cookie: "a=b; Max-Age=31536000"}]
      kinds: [{auth: oauth2ClientCredentials}, {auth: OAuth2AuthorizationCode}]
      run: ["-c", "server --password=\"$DB_PASSWORD\" --token='$TOKEN_1' --api-key=\"COLONY_KEY_1\""]
      more: ['--password="{password}"', --tls-secret=ingress-tls, --kube-secret=my-app-secret]
      files: [--ssl-key=./certs/mcp2025.key, --ssh-key=keys/id_ed25519, --tls-key=certificates/of/a/long/path-2026.pem]
      url: "https://b/?X-Amz-Signature=${SIGNATURE_1}&signature_version=version2"
      token: ""
      client_secret: /run/secrets/a
      api_key: COLONY_API_KEY
      headers: {Authorization: "Bearer ${env:COLONY_PAT}"}
)"),
              "");
}

TEST(SettingsOfFile, ChecksTheNetwork) {
    EXPECT_THAT(refusal_of_file("network: {except: [10.0.0.1/8]}"), HasSubstr("the range is 10.0.0.0/8"));
    EXPECT_THAT(refusal_of_file("network: {except: [lan]}"), HasSubstr("no address range"));
    EXPECT_THAT(refusal_of_file("network: {allow: ['nas.example:443']}"), HasSubstr("knows no names"));
    EXPECT_THAT(refusal_of_file("network: {allow: ['192.168.1.10']}"), HasSubstr("ADDRESS:PORT"));
    EXPECT_THAT(refusal_of_file("network: {allow: ['0.0.0.0/0:22']}"), HasSubstr("every address"));
    EXPECT_THAT(refusal_of_file("network: {dns: [pihole]}"), HasSubstr("no IP address"));
    EXPECT_THAT(refusal_of_file("network: {mustNotReach: ['nas']}"), HasSubstr("HOST:PORT"));
    EXPECT_THAT(refusal_of_file("network: {ipv6: 'yes'}"), HasSubstr("true or false"));
    EXPECT_EQ(
        refusal_of_file("network: {allow: ['192.168.1.10/32:8080', '[fd00::1]:443'], except: [1.2.3.4]}"),
        "");
}

TEST(SettingsOfFile, DoesNotOpenNat64AsAWhole) {
    for (const char* range : {"64:ff9b::/96", "64:ff9b::/64", "64:ff9b:1::/48", "64:ff9b:1::/96"}) {
        EXPECT_THAT(refusal_of_file(fmt::format("network: {{allow: ['[{}]:443']}}", range)),
                    HasSubstr("network.nat64"))
            << range;
    }
    EXPECT_EQ(refusal_of_file("network: {allow: ['[64:ff9b::808:808]:443'], nat64: ['64:ff9b::/96']}"), "");
    for (const char* prefix : {"64:ff9b::/64", "10.0.0.0/8", "2001:db8::1", "64:ff9b::1/96"})
        EXPECT_THAT(refusal_of_file(fmt::format("network: {{nat64: ['{}']}}", prefix)), HasSubstr(prefix));
}

TEST(SettingsOfFile, RefusesWhatIsNotThereYet) {
    EXPECT_THAT(refusal_of_file("mcp: {colony: {path: /mcp}}"), HasSubstr("not supported yet"));
    EXPECT_THAT(refusal_of_file("config: {model: {default: x}}"), HasSubstr("its place is model.default"));
}

std::string page() {
    std::ostringstream text;
    text << std::ifstream(SOURCE_DIR "/docs/hermes-yaml.md").rdbuf();
    return text.str();
}

TEST(HermesYamlPage, HasExamplesThatAreTaken) {
    const std::string text = page();
    const std::string opening = "```yaml\n";
    int examples = 0;
    for (std::size_t at = text.find(opening); at != std::string::npos; at = text.find(opening, at + 1)) {
        const std::size_t begin = at + opening.size();
        const std::string example = text.substr(begin, text.find("```", begin) - begin);
        ASSERT_EQ(refusal_of_file(example), "");
        for (const Json& settings : settings_of_file(example, "hermes.yaml"))
            EXPECT_EQ(refusal_of(settings), "");
        ++examples;
    }
    EXPECT_EQ(examples, 2);
}

TEST(HermesYamlPage, HasARowForEachKeyAndNoOther) {
    std::set<std::string> rows;
    std::istringstream lines(page());
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("| `")) rows.insert(line.substr(3, line.find('`', 3) - 3));
    }
    std::set<std::string> keys;
    for (const std::string_view path : known_settings()) {
        std::string key(path.substr(1));
        for (const auto& [step, shown] : {std::pair{"/-", "[]"}, {"*", "NAME"}}) {
            if (const std::size_t at = key.find(step); at != std::string::npos)
                key.replace(at, std::string_view(step).size(), shown);
        }
        std::replace(key.begin(), key.end(), '/', '.');
        keys.insert(key);
    }
    EXPECT_EQ(rows, keys);
}

TEST(Merged, MergesObjectsAndReplacesTheRest) {
    const Json base =
        R"({"image": "a", "pod": {"env": {"A": "1", "B": "2"}}, "telegram": {"allowedUsers": [1]},
                          "secrets": {"K": {"env": "X"}, "L": {"file": "l"}}})"_json;
    const Json over = R"({"pod": {"env": {"B": "3", "A": null}}, "telegram": {"allowedUsers": [2, 3]},
                          "secrets": {"K": {"stdin": true}}})"_json;
    EXPECT_EQ(merged(base, over),
              R"({"image": "a", "pod": {"env": {"B": "3"}}, "telegram": {"allowedUsers": [2, 3]},
                  "secrets": {"K": {"stdin": true}, "L": {"file": "l"}}})"_json);
}

/// As a variable of the pod it would win over the Secret's, and no rotation would have an effect.
TEST(Merged, ASecretTakesTheVariablesPlace) {
    const Json base = R"({"pod": {"env": {"A": "1", "B": "2", "C": "3"}}})"_json;
    EXPECT_EQ(kube::at(merged(base, R"({"secrets": {"A": {"env": "X"}, "C": null}})"_json), "/pod/env"),
              R"({"B": "2", "C": "3"})"_json);
    EXPECT_EQ(merged(R"({"name": "a"})"_json, R"({"secrets": {"A": {"env": "X"}}})"_json),
              R"({"name": "a", "secrets": {"A": {"env": "X"}}})"_json);
}

TEST(ValuesOf, HasDefaults) {
    const Values values = values_of(Json::object());
    EXPECT_EQ(values.name, "hermes");
    EXPECT_EQ(values.provider, "minimax");
    EXPECT_EQ(values.storage_size, "5Gi");
    EXPECT_FALSE(values.storage_class.has_value());
    EXPECT_TRUE(values.allowed_users.empty());
    EXPECT_EQ(values.resources.limits.at("memory"), "2Gi");
}

TEST(ValuesOf, TakesWhatIsSaid) {
    const Values values =
        values_of(R"({"telegram": {"allowedUsers": [5, "7", 5]}, "owner": 7, "storage": {"class": ""},
        "resources": {"limits": {"cpu": 4, "memory": "3Gi"}}, "network": {"ipv6": true, "dns": ["9.9.9.9"]},
        "pod": {"env": {"TZ": "UTC"}, "runtimeClassName": null}})"_json);
    EXPECT_THAT(values.allowed_users, ElementsAre(5, 7));
    EXPECT_EQ(values.owner, 7);
    EXPECT_EQ(values.storage_class, "");
    EXPECT_EQ(values.resources.limits.at("cpu"), "4");
    EXPECT_EQ(values.resources.limits.at("ephemeral-storage"), "8Gi");
    EXPECT_TRUE(values.network.ipv6);
    EXPECT_EQ(values.pod.env.at("TZ"), "UTC");
}

TEST(ValuesOf, NamesEveryProblem) {
    const std::string message =
        refusal_of(R"({"name": "Robin", "telegram": {"allowedUsers": [1, "bob"]}})"_json);
    EXPECT_THAT(message, HasSubstr("name: 'Robin'"));
    EXPECT_THAT(message, HasSubstr("\ntelegram.allowedUsers[1]: 'bob' is a name"));
    EXPECT_THAT(refusal_of({{"name", std::string(48, 'a')}}), HasSubstr("more than 47 characters"));
    EXPECT_EQ(refusal_of({{"name", std::string(47, 'a')}}), "");
    EXPECT_EQ(refusal_of({{"model", {{"default", "m\xff"}}}}), "model.default: is not text (UTF-8)");
}

/// As an exception they would be left out: the API takes none that is as wide as its range.
TEST(ValuesOf, RefusesToCloseEveryAddress) {
    const std::string v4 = "would close every public IPv4 address, Telegram's too";
    const std::string v6 =
        "would close every public IPv6 address; beside IPv4 it stays closed without network.ipv6";
    EXPECT_THAT(refusal_of(R"({"network": {"except": ["0.0.0.0/0"]}})"_json), HasSubstr("'0.0.0.0/0' " + v4));
    for (const char* all : {"::/0", "2000::/3"})
        EXPECT_THAT(refusal_of({{"network", {{"except", {all}}}}}), HasSubstr(v6));
    for (const auto& [together, what] :
         {std::pair{Json::array({"0.0.0.0/1", "10.0.0.0/8", "128.0.0.0/1"}), v4},
          {Json::array({"3000::/4", "2000::/4"}), v6},
          {Json::array({"0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"}), v4}}) {  // the rest is nobody's
        const std::size_t last = together.size() - 1;
        EXPECT_EQ(refusal_of({{"network", {{"except", together}}}}),
                  fmt::format("network.except[{}]: '{}' and those before it {}", last,
                              together[last].get<std::string>(), what));
    }
    EXPECT_EQ(refusal_of({{"network", {{"except", {"0.0.0.0/1", "128.0.0.0/2", "2000::/4"}}}}}), "");
}

TEST(ValuesOf, KnowsImageNames) {
    for (const char* image :
         {"hermes", "nousresearch/hermes-agent", "localhost:5000/a/b_c:v1.2", "a.example/x@sha256:"}) {
        std::string name = image;
        if (name.ends_with(':')) name += std::string(64, 'a');
        EXPECT_EQ(refusal_of({{"image", name}}), "") << name;
    }
    for (const char* image : {"", "a:", "a/", "Upper", "a b", "https://x/y", "x@sha256:12", "a::b"}) {
        EXPECT_THAT(refusal_of({{"image", image}}), HasSubstr("no image name")) << image;
    }
}

}  // namespace
}  // namespace hermesctl::hermes
