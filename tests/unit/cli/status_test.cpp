// status: what it tells of the agent, its users and its cage beside whether it answers.
#include "answers_world.hpp"
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/hermes/live.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "support/scratch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(AnswersTest, StatusTellsWhatTheAgentsOwnFileSetsInTheSecretsStead) {
    const auto warnings = [this] {
        world_.out.str("");
        EXPECT_EQ(run({"status", "-o", "json"}), ExitCode::ok) << err();
        return Json::parse(out())["warnings"].dump();
    };
    EXPECT_THAT(warnings(), Not(HasSubstr("wins over the Secret")));
    lines_["shadowed"] = {{"PATH", "/opt/data/.env"}, {"TELEGRAM_ALLOWED_USERS", "/opt/data/.env"}};
    EXPECT_THAT(warnings(), AllOf(HasSubstr("TELEGRAM_ALLOWED_USERS has another value in /opt/data/.env"),
                                  HasSubstr("rotate-secret --unshadow TELEGRAM_ALLOWED_USERS"),
                                  Not(HasSubstr("PATH has another"))));
    lines_["shadowed"] = {{"TELEGRAM_ALLOWED_USERS", "/etc/hermes/.env"}};
    EXPECT_THAT(warnings(), AllOf(HasSubstr("TELEGRAM_ALLOWED_USERS has another value in /etc/hermes/.env"),
                                  HasSubstr("whoever manages that file"), Not(HasSubstr("--unshadow"))));
}

TEST_F(AnswersTest, StatusTellsWhatTheLiveConfigHasOtherwise) {
    const auto status = [this] {
        world_.out.str("");
        run({"status", "-o", "json"});
        return Json::parse(out());
    };
    EXPECT_EQ(status()["drift"].dump().find("config.yaml"), std::string::npos);
    live_config_ = "model: {provider: minimax, default: M1}\nadded_by_hermes: 1\n";
    EXPECT_EQ(status()["drift"].dump().find("config.yaml"), std::string::npos)
        << "what Hermes adds is its own";
    api().merge(
        {"ConfigMap", "hermes", "hermes-config"},
        {{"data", {{"config.yaml", "model: {provider: minimax, default: M1}\nterminal: {backend: local}"}}}});
    live_config_ += "terminal: {backend: ssh}\n";
    EXPECT_THAT(status()["drift"].dump(), AllOf(HasSubstr("terminal.backend: local -> ssh"),
                                                HasSubstr("hermesctl deploy --config replace")));
    api().merge({"ConfigMap", "hermes", "hermes-config"},
                {{"data",
                  {{"config.yaml",
                    "model: {provider: minimax, default: M1}\nnas: {NAS_PAT: hunter1, pem: \"a\\n-----BEGIN "
                    "PRIVATE KEY-----\\nhunter1\\n-----END PRIVATE KEY-----\"}"}}}});
    live_config_ +=
        "nas: {NAS_PAT: hunter2, pem: \"a\\n-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE "
        "KEY-----\"}\n";
    const std::string drift = status()["drift"].dump();
    EXPECT_THAT(drift, AllOf(HasSubstr("nas.NAS_PAT: changed"), HasSubstr("nas.pem: changed")));
    EXPECT_EQ(drift.find("hunter"), std::string::npos);
    EXPECT_EQ(run({"status"}), ExitCode::ok) << err();
    EXPECT_EQ((out() + err()).find("hunter"), std::string::npos);
    live_config_ = "model: [broken";
    EXPECT_THAT(status()["warnings"].dump(), HasSubstr("could not be told"));
}

TEST_F(AnswersTest, StatusWarnsOfABotThatIsOpenToEverybody) {
    const auto set = [this](const std::string& key, const std::string& value) {
        Json secret = api().object({"Secret", "hermes", "hermes-secrets"});
        secret["data"] = {{"TELEGRAM_ALLOWED_USERS", base64_encode("111")}};
        secret["data"][key] = base64_encode(value);
        api().put(secret);
        run({"status", "-o", "json"});
        const Json said = Json::parse(out());
        run({"status"});
        return said;
    };
    for (const char* list : {"*", "111,*"}) {
        const Json said = set("TELEGRAM_ALLOWED_USERS", list);
        EXPECT_EQ(said["everybody"], true) << list;
        EXPECT_THAT(said["warnings"].dump(),
                    AllOf(HasSubstr("TELEGRAM_ALLOWED_USERS in secret/hermes-secrets lets everybody in"),
                          HasSubstr("hermesctl allow-user --replace")));
        EXPECT_THAT(out(), HasSubstr("users     everybody\n"));
    }
    EXPECT_EQ(set("TELEGRAM_ALLOWED_USERS", "111,*")["users"], Json::array({111}));
    for (const auto& [key, value] : {std::pair{"GATEWAY_ALLOWED_USERS", "*"},
                                     {"GATEWAY_ALLOW_ALL_USERS", "true"},
                                     {"TELEGRAM_ALLOW_ALL_USERS", "1"}}) {
        EXPECT_THAT(set(key, value)["warnings"].dump(),
                    HasSubstr(fmt::format("hermesctl rotate-secret --remove {}", key)));
        EXPECT_THAT(out(), HasSubstr("users     everybody\n"));
    }
    for (const auto& [key, value] :
         {std::pair{"GATEWAY_ALLOWED_USERS", "222"}, {"TELEGRAM_ALLOW_ALL_USERS", "off"}}) {
        const Json said = set(key, value);
        EXPECT_EQ(said["everybody"], false) << key;
        EXPECT_THAT(said["warnings"].dump(), Not(HasSubstr("lets everybody in")));
        EXPECT_THAT(out(), HasSubstr("users     111\n"));
    }
}

TEST_F(AnswersTest, WhatTheDeploymentItselfOpensIsToldByEachThatLooks) {
    api().put(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"hermes"}})"_json);
    const auto set = [this](const char* name, const char* value) {
        Json deployment = api().object({"Deployment", "hermes", "hermes"});
        deployment["spec"]["template"]["spec"]["containers"][0]["env"] = {{{"name", name}, {"value", value}}};
        api().put(deployment);
    };
    for (const auto& [name, value] : {std::pair{"TELEGRAM_ALLOW_ALL_USERS", "true"},
                                      {"GATEWAY_ALLOW_ALL_USERS", "1"},
                                      {"TELEGRAM_ALLOWED_USERS", "111,*"}}) {
        set(name, value);
        const std::string told = fmt::format(
            "{0} in deployment/hermes lets everybody in; kubectl -n hermes set env deployment/hermes {0}-",
            name);
        run({"status"});
        EXPECT_THAT(out(), AllOf(HasSubstr(told), HasSubstr("users     everybody\n")));
        EXPECT_EQ(run({"wait"}), ExitCode::ok);
        EXPECT_THAT(err(), HasSubstr(told));
    }
    set("TELEGRAM_ALLOW_ALL_USERS", "false");
    run({"status"});
    EXPECT_THAT(out(), HasSubstr("users     1\n"));
    EXPECT_EQ(run({"wait"}), ExitCode::ok);
    EXPECT_THAT(err(), Not(HasSubstr("everybody")));
    set("TELEGRAM_ALLOW_ALL_USERS", "true");
    for (const char* command : {"start", "restart"}) {
        EXPECT_EQ(run({command, "--no-wait"}), ExitCode::ok);
        EXPECT_THAT(err(), HasSubstr("TELEGRAM_ALLOW_ALL_USERS in deployment/hermes lets")) << command;
    }
}

TEST_F(AnswersTest, WhatTheSecretOrAFileOnTheVolumeOpensIsToldByAWaitToo) {
    lines_["open"] = {{"GATEWAY_ALLOW_ALL_USERS", "/opt/data/.env"}, {"PATH", "/opt/data/.env"}};
    const auto told = AllOf(HasSubstr("GATEWAY_ALLOW_ALL_USERS in /opt/data/.env lets everybody in; "
                                      "hermesctl rotate-secret --unshadow GATEWAY_ALLOW_ALL_USERS"),
                            Not(HasSubstr("PATH")));
    run({"status"});
    EXPECT_THAT(out(), AllOf(told, HasSubstr("users     everybody\n")));
    api().merge({"Secret", "hermes", "hermes-secrets"},
                {{"data", {{"TELEGRAM_ALLOWED_USERS", base64_encode("*")}}}});
    EXPECT_EQ(run({"wait"}), ExitCode::ok);
    EXPECT_THAT(err(), AllOf(told, HasSubstr("TELEGRAM_ALLOWED_USERS in secret/hermes-secrets lets")));
    api().deny("get", "secrets");
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << "who may not look may wait: " << err();
}

TEST_F(AnswersTest, StatusTellsWhetherTheCageLeaks) {
    run({"status", "-o", "json"});
    EXPECT_THAT(out(), HasSubstr("NO NetworkPolicy"));
    EXPECT_THAT(out(), HasSubstr(", and it LEAKS"));
    EXPECT_EQ(Json::parse(out())["leaks"], true);
    api().put(
        R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"hermes-egress",
        "namespace":"hermes"},"spec":{"podSelector":{},"policyTypes":["Ingress","Egress"]}})"_json);
    world_.out.str("");
    run({"status", "-o", "json"});
    EXPECT_THAT(out(), HasSubstr("opens what it should"));
    EXPECT_EQ(Json::parse(out())["leaks"], false);
    EXPECT_THAT(out(), HasSubstr("it lacks: ")) << "what deploy would open is drift";
}

TEST_F(AnswersTest, StatusSaysThatItDidNotLookAtTheCage) {
    run({"status", "--no-check", "-o", "json"});
    EXPECT_THAT(out(), AllOf(HasSubstr("NO NetworkPolicy"), Not(HasSubstr("looked at"))));
    api().put(
        R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"hermes-egress",
        "namespace":"hermes"},"spec":{"podSelector":{},"policyTypes":["Ingress","Egress"]}})"_json);
    world_.out.str("");
    run({"status", "--no-check", "-o", "json"});
    EXPECT_THAT(out(), AllOf(HasSubstr("is there; what it opens was not looked at"),
                             HasSubstr("Telegram is connected; whether the model answers was not asked"),
                             HasSubstr("\"answering\": null"), Not(HasSubstr("it answers"))));
}

TEST_F(AnswersTest, StatusDoesNotCallACageGoodThatCouldNotBeJudged) {
    api().put(
        R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"hermes-egress",
        "namespace":"hermes"},"spec":{"podSelector":{},"policyTypes":["Ingress","Egress"]}})"_json);
    for (const char* resource : {"nodes", "networkpolicies"}) {
        api().deny("list", resource);
        world_.out.str("");
        run({"status", "-o", "json"});
        const Json said = Json::parse(out());
        EXPECT_THAT(said["cage"].get<std::string>(), HasSubstr("could not be told (")) << resource;
        EXPECT_THAT(said["cage"].get<std::string>(), Not(HasSubstr("what it should"))) << resource;
        EXPECT_EQ(said["drift"].dump().find("cannot be read"), std::string::npos) << "not known is no drift";
    }
}

TEST_F(AnswersTest, StatusDoesNotCallACageGoodThatOtherKindsMayOpen) {
    api().put(
        R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"hermes-egress",
        "namespace":"hermes"},"spec":{"podSelector":{},"policyTypes":["Ingress","Egress"]}})"_json);
    const std::string version = "/apis/cilium.io/v2";
    const std::string path = version + "/namespaces/hermes/ciliumnetworkpolicies";
    api().pages[version] =
        hermesctl::testing::answer(200, R"({"resources":[{"name":"ciliumnetworkpolicies"}]})");
    for (const auto& answer :
         {hermesctl::testing::answer(200, R"({"items":[{"metadata":{"name":"open"}}]})"),
          hermesctl::testing::refusal(403, "Forbidden", "ciliumnetworkpolicies is forbidden")}) {
        api().pages[path] = answer;
        run({"status", "-o", "json"});
        EXPECT_THAT(Json::parse(out())["cage"].get<std::string>(),
                    AllOf(HasSubstr("could not be told (not counting ciliumnetworkpolicies.cilium.io"),
                          Not(HasSubstr("what it should"))));
    }
}

TEST_F(AnswersTest, StatusWarnsOfWhatTheCageMayNotClose) {
    const auto warnings = [this] {
        run({"status", "-o", "json"});
        return Json::parse(out())["warnings"].dump();
    };
    EXPECT_THAT(warnings(), AllOf(HasSubstr("k8s.example"), HasSubstr("network.except")));
    world_.context.resolve = [](const std::string&) { return std::vector<std::string>{"192.168.1.20"}; };
    EXPECT_THAT(warnings(), Not(HasSubstr("k8s.example")));
}

TEST_F(AnswersTest, StatusDoesNotCallACageGoodOverAnOpeningThatIsWarnedOf) {
    const auto judged = [this](const Json& rule) {
        api().put({{"apiVersion", "networking.k8s.io/v1"},
                   {"kind", "NetworkPolicy"},
                   {"metadata", {{"name", "hermes-egress"}, {"namespace", "hermes"}}},
                   {"spec",
                    {{"podSelector", Json::object()},
                     {"policyTypes", {"Ingress", "Egress"}},
                     {"egress", {rule}}}}});
        run({"status", "-o", "json"});
        return Json::parse(out());
    };
    const Json named = R"({"to":[{"podSelector":{"matchLabels":{"app":"nas"}}}],
        "ports":[{"protocol":"TCP","port":"web"}]})"_json;
    Json anywhere = R"({"to":[{"podSelector":{"matchLabels":{"app":"nas"}},"namespaceSelector":{}}],
        "ports":[{"protocol":"TCP","port":80}]})"_json;
    for (const auto& [rule, hint] :
         {std::pair{named, "write the number"}, {anywhere, "name the pods and their namespace"}}) {
        const Json said = judged(rule);
        EXPECT_THAT(said["warnings"].dump(), HasSubstr(hint));
        EXPECT_THAT(said["cage"].get<std::string>(),
                    AllOf(HasSubstr("opens what is warned of"), Not(HasSubstr("what it should"))));
    }
    anywhere["to"][0].erase("namespaceSelector");
    EXPECT_THAT(judged(anywhere)["cage"].get<std::string>(), HasSubstr("opens what it should"));
}

TEST_F(AnswersTest, StatusWarnsWhereTheGateIsOff) {
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--no-check"}}) {
        std::vector<std::string> line{"status"};
        line.insert(line.end(), more.begin(), more.end());
        run(line);
        EXPECT_THAT(out(), HasSubstr("warning   the gate is off")) << out();
        EXPECT_THAT(out(), HasSubstr("hermesctl deploy --gate"));
    }
    run({"status", "-o", "json"});
    EXPECT_EQ(Json::parse(out())["gate"], "off");
    const Json gate{{"initContainers", Json::array({{{"name", "gate"}}})}};
    api().merge({"Deployment", "hermes", "hermes"}, {{"spec", {{"template", {{"spec", gate}}}}}});
    run({"status", "-o", "json"});
    EXPECT_EQ(Json::parse(out())["gate"], "on");
    EXPECT_THAT(out(), Not(HasSubstr("the gate is off")));
    const Json beside{{"initContainers", Json::array({{{"name", "mine"}}, {{"name", "gate"}}})}};
    const Json template_with{{"spec", {{"template", {{"spec", beside}}}}}};
    Json deployment = api().object({"Deployment", "hermes", "hermes"});
    deployment.merge_patch(template_with);
    api().put(deployment);
    run({"status", "-o", "json"});
    EXPECT_EQ(Json::parse(out())["gate"], "off") << "what comes before it is not held";
}

TEST_F(AnswersTest, AFileThatWantsTheGateTooIsNotSaidToUndoTheCommandForIt) {
    const hermesctl::testing::Scratch scratch;
    const auto says = [&](const char* gate) {
        run({"status", "--no-check", "-f",
             scratch.write("h.yaml", fmt::format("network: {{gate: {}}}\n", gate))});
        EXPECT_THAT(out(), HasSubstr(" --gate brings it back"));
        return out();
    };
    EXPECT_THAT(says("true"), Not(HasSubstr("sets that, too")));
    EXPECT_THAT(says("false"), HasSubstr("h.yaml sets that, too: change it there"));
}

TEST_F(AnswersTest, StatusTellsThatTheAgentLacksWhatTheSecretHolds) {
    const hermes::Names names{.ns = "hermes", .name = "hermes"};
    const auto drift = [&](const std::vector<std::string>& more) {
        std::vector<std::string> line{"status", "-o", "json"};
        line.insert(line.end(), more.begin(), more.end());
        world_.out.str("");
        run(line);
        return Json::parse(out())["drift"].dump();
    };
    const auto has = [&](const std::string& users) {
        const Json mark{{"hermesctl/secret-hmac",
                         hermes::secrets_mark("salt", {{std::string(hermes::users_key), users}})}};
        api().merge(names.deployment(), {{"spec", {{"template", {{"metadata", {{"annotations", mark}}}}}}}});
    };
    has("1,2");
    EXPECT_EQ(drift({"--no-check"}), "[]") << "without a salt it cannot be told";
    api().merge(names.secret(), {{"metadata", {{"annotations", {{"hermesctl/salt", "salt"}}}}}});
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--no-check"}})
        EXPECT_THAT(drift(more), HasSubstr("the running agent may not have it yet; hermesctl restart"));
    has("1");
    EXPECT_EQ(drift({"--no-check"}), "[]");
    has("1,2");
    api().merge(names.deployment(), {{"spec", {{"replicas", 0}}}});
    EXPECT_EQ(drift({"--no-check"}), "[]") << "a start brings it in force, too";
}

TEST_F(AnswersTest, StatusTellsOfASecretThatIsNotThereWhileTheBotAnswersYet) {
    api().erase({"Secret", "hermes", "hermes-secrets"});
    run({"status"});
    EXPECT_THAT(out(),
                AllOf(HasSubstr("secret/hermes-secrets is not there, and no new pod starts without it"),
                      HasSubstr("next: hermesctl deploy\n")));
}

TEST_F(AnswersTest, WhereTheGateWaitsForAPolicyThatIsNotThereStatusSaysNotToWait) {
    api().merge({"Pod", "hermes", "hermes-1-a"}, R"({"status": {"containerStatuses": null,
        "initContainerStatuses": [{"name": "gate", "state": {"running": {}}}]}})"_json);
    EXPECT_EQ(run({"status"}), ExitCode::failed);
    EXPECT_THAT(out(), AllOf(HasSubstr("its gate waits until"), HasSubstr("next: hermesctl deploy\n")));
}

TEST_F(AnswersTest, StatusTellsWhatDeployWouldNotTakeAndGoesOn) {
    const hermes::Names names{.ns = "hermes", .name = "hermes"};
    api().merge(names.config(), {{"data", {{"config.yaml", "a: ["}}}});
    EXPECT_EQ(run({"status", "--no-check", "-o", "json"}), ExitCode::ok) << err();
    EXPECT_THAT(Json::parse(out())["drift"].dump(), HasSubstr("deploy would refuse what somebody set: "));
    lines_["live"]["provider"] = "openrouter";
    world_.out.str("");
    EXPECT_EQ(run({"status"}), ExitCode::ok) << "whether another provider is wrong is not known";
    EXPECT_THAT(out(), HasSubstr("not known"));
}

}  // namespace
}  // namespace hermesctl::cli
