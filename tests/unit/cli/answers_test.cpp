// status and wait: Telegram connected is not enough, the provider has to take the key.
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/hermes/secrets.hpp"
#include "hermesctl/hermes/target.hpp"
#include "support/cli_world.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <csignal>
#include <optional>

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using namespace nlohmann::json_literals;
using namespace std::chrono_literals;
using kube::Json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AnswersTest : public ::testing::Test {
  protected:
    void SetUp() override {
        api().put(
            R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"hermes","namespace":"hermes",
            "uid":"d","generation":1,"annotations":{"deployment.kubernetes.io/revision":"1"}},
            "spec":{"replicas":1,"template":{"spec":{"containers":[{"name":"hermes","image":"hermes:1"}]}}},
            "status":{"observedGeneration":1,"updatedReplicas":1}})"_json);
        api().put(
            R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"hermes-1","namespace":"hermes",
            "uid":"r","labels":{"app":"hermes"},"annotations":{"deployment.kubernetes.io/revision":"1"},
            "ownerReferences":[{"uid":"d"}]}})"_json);
        api().put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"hermes-1-a","namespace":"hermes",
            "uid":"p","labels":{"app":"hermes"},"ownerReferences":[{"uid":"r"}]},
            "spec":{"nodeName":"hz"},"status":{"phase":"Running","containerStatuses":[
            {"name":"hermes","started":true,"state":{"running":{}}}]}})"_json);
        api().put(
            R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"hermes-config","namespace":"hermes"},
            "data":{"config.yaml":"model: {provider: minimax, default: M1}"}})"_json);
        Json secret = R"({"apiVersion":"v1","kind":"Secret",
            "metadata":{"name":"hermes-secrets","namespace":"hermes"}})"_json;
        secret["data"]["TELEGRAM_ALLOWED_USERS"] = base64_encode("1");
        api().put(secret);
        api().on_exec = [this](hermesctl::testing::FakeProcess& process) { answer(process); };
    }

    void answer(hermesctl::testing::FakeProcess& process) {
        if (fmt::format("{}", fmt::join(process.argv, " ")).find("cat config.yaml") != std::string::npos) {
            process.out("\n" + live_config_);
            return process.exit(0);
        }
        const bool asks_lifelines = process.argv.at(4).find("getMe") != std::string::npos;
        if (!asks_lifelines) {
            process.out(facts_.dump() + "\n");
            return process.argv.back() == "watch" ? void() : process.exit(0);
        }
        ++asked_;
        if (asked_ <= lost_) return process.lose("connection reset");
        process.out(lines_.dump());
        process.exit(0);
    }

    hermesctl::testing::FakeApi& api() { return world_.api; }
    ExitCode run(const std::vector<std::string>& arguments) { return world_.run(arguments); }
    std::string out() const { return world_.out.str(); }
    std::string err() const { return world_.err.str(); }

    hermesctl::testing::CliWorld world_{};
    Json lines_ =
        R"({"bot":{"status":200,"username":"cage_bot"},"model":{"status":200,"key":"MINIMAX_API_KEY"},
        "live":{"provider":"minimax","model":"M1"}})"_json;
    Json facts_ = R"({"alive":true,"gateway":"running","telegram":"connected","ready":true})"_json;
    std::string live_config_ = "model: {provider: minimax, default: M1}\n";
    int asked_ = 0;
    int lost_ = 0;  // so many checks lose their connection
};

TEST_F(AnswersTest, BothAcceptedIsAnAnswer) {
    EXPECT_EQ(run({"status"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("it answers"));
    EXPECT_THAT(out(), HasSubstr("@cage_bot"));
    EXPECT_THAT(out(), HasSubstr("key accepted"));
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("message @cage_bot"));
    EXPECT_EQ(asked_, 2);
}

TEST_F(AnswersTest, OnlyAKeyThatWasTakenIsAnAnswer) {
    const auto says_no_more_than_connected = [this](const std::vector<std::string>& line, const char* why) {
        world_.out.str("");
        EXPECT_EQ(run(line), ExitCode::ok) << err();
        EXPECT_THAT(out(),
                    AllOf(HasSubstr(why), Not(HasSubstr("it answers")), Not(HasSubstr("the bot answers"))));
        auto json = line;
        json.insert(json.end(), {"-o", "json"});
        world_.out.str("");
        run(json);
        EXPECT_EQ(Json::parse(out()).at("answering"), nullptr) << line[0];
    };
    says_no_more_than_connected({"status", "--no-check"}, "whether the model answers was not asked");
    says_no_more_than_connected({"wait", "--no-check"}, "whether the model answers was not checked");
    lines_["model"] = {{"status", -1}};
    says_no_more_than_connected({"status"}, "does not know how to ask minimax");
    says_no_more_than_connected({"wait"}, "whether the model answers was not checked");
    for (const char* verb : {"get", "create"})
        api().deny(verb, "pods/exec");
    api().merge({"Pod", "hermes", "hermes-1-a"},
                {{"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
    says_no_more_than_connected({"status"}, "pods/exec");
    says_no_more_than_connected({"wait"}, "whether the model answers was not checked");
}

TEST_F(AnswersTest, ADeafBotIsAFailureForStatusAndForWait) {
    lines_["bot"]["webhook"] = true;
    EXPECT_EQ(run({"status"}), ExitCode::failed);
    EXPECT_THAT(out(), AllOf(HasSubstr("connected but deaf"), HasSubstr("next: hermesctl restart"),
                             Not(HasSubstr("it answers"))));
    EXPECT_EQ(run({"wait"}), ExitCode::failed);
    EXPECT_THAT(err(), HasSubstr("connected but deaf"));
    EXPECT_EQ(asked_, 6) << "it may have been gone with the next try";
    lines_["bot"].erase("webhook");
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << err();
}

/// Not every 403 is a matter of rights.
TEST_F(AnswersTest, AWebhookThatRefusesExecLeavesItToThePodsReady) {
    world_.transport.open = [](const net::Request&, std::span<const std::string>) {
        return net::Upgrade{
            nullptr, hermesctl::testing::refusal(403, "Forbidden",
                                                 "admission webhook \"exec.example\" denied the request")};
    };
    api().merge({"Pod", "hermes", "hermes-1-a"},
                {{"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("whether the model answers was not checked"));
    EXPECT_EQ(run({"status"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("admission webhook"));
}

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

TEST_F(AnswersTest, WatchingTellsEachStateOnceUntilAnInterrupt) {
    catch_interrupts();
    int looks = 0;
    api().on_exec = [&](hermesctl::testing::FakeProcess& process) {
        ++looks;
        if (looks == 3) facts_["telegram"] = "retrying", facts_["ready"] = false;
        if (looks == 5) ::raise(SIGINT);
        answer(process);
    };
    EXPECT_EQ(run({"status", "--watch"}), ExitCode::interrupted) << err();
    EXPECT_EQ(looks, 5);
    const std::string said = out();
    const std::size_t first = said.find("Telegram is connected; ");
    const std::size_t second = said.find("it does not answer");
    EXPECT_EQ(first, 0U) << said;
    EXPECT_EQ(said.rfind("Telegram is connected; "), first) << said;
    EXPECT_NE(second, std::string::npos) << said;
    EXPECT_EQ(said.rfind("it does not answer"), second) << said;
    EXPECT_EQ(err(), "") << "to end it so is no error";
}

TEST_F(AnswersTest, WatchingHasNoTimeout) {
    catch_interrupts();
    api().on_exec = [this](hermesctl::testing::FakeProcess& process) {
        ::raise(SIGINT);  // or a watch would have no end
        answer(process);
    };
    EXPECT_EQ(run({"status", "--watch", "--timeout", "5m"}), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr("has no --timeout"), HasSubstr("hermesctl wait --timeout")));
}

TEST_F(AnswersTest, WatchingTellsOnceThatTheServerIsAwayAndGoesOn) {
    catch_interrupts();
    int looks = 0;
    api().on_exec = [&](hermesctl::testing::FakeProcess& process) {
        if (++looks == 2) ::raise(SIGINT);
        answer(process);
        if (looks != 1) return;
        api().down = true;
        world_.transport.after(30s, [this] { api().down = false; });
    };
    EXPECT_EQ(run({"status", "--watch"}), ExitCode::interrupted) << err();
    EXPECT_EQ(looks, 2);
    EXPECT_EQ(err(), "warn  server  cannot reach the API server: connection refused\n");
}

/// Until its caches are filled.
TEST_F(AnswersTest, WatchingBearsWithAServerThatHasJustStartedForAWhile) {
    const auto serve = world_.transport.serve;
    std::optional<int> says;
    world_.transport.serve = [&](net::Transport::Ticket ticket, const net::Request& request) {
        if (!says) return serve(ticket, request);
        world_.transport.finish(ticket, hermesctl::testing::refusal(*says, "Odd", "not yet"));
    };
    for (const int code : {401, 403, 404}) {
        catch_interrupts();
        int looks = 0;
        api().on_exec = [&](hermesctl::testing::FakeProcess& process) {
            answer(process);
            if (++looks == 2) return void(::raise(SIGINT));
            says = code;
            world_.transport.after(25s, [&] { says.reset(); });
        };
        EXPECT_EQ(run({"status", "--watch"}), ExitCode::interrupted) << code << err();
        EXPECT_EQ(looks, 2);
        EXPECT_EQ(std::ranges::count(err(), '\n'), 1) << err();
        catch_interrupts();  // and forget the one that came
        says.reset();
        api().on_exec = [&](hermesctl::testing::FakeProcess& process) {
            answer(process);
            says = code;
        };
        const auto begun = world_.clock.elapsed();
        EXPECT_NE(run({"status", "--watch"}), ExitCode::interrupted) << "it stays so";
        EXPECT_GE(world_.clock.elapsed() - begun, 30s);
        EXPECT_LE(world_.clock.elapsed() - begun, 40s);
        EXPECT_NE(run({"status", "--watch"}), ExitCode::interrupted) << "it was so from the start";
        says.reset();
    }
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
    EXPECT_THAT(out(), HasSubstr("LEAKS"));
    api().put(
        R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"hermes-egress",
        "namespace":"hermes"},"spec":{"podSelector":{},"policyTypes":["Ingress","Egress"]}})"_json);
    world_.out.str("");
    run({"status", "-o", "json"});
    EXPECT_THAT(out(), HasSubstr("opens what it should"));
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

TEST_F(AnswersTest, AMuteBotIsAFailureForStatusAndForWait) {
    struct Case {
        Json change;
        const char* said;
    };
    for (const Case& one :
         {Case{{{"model", {{"status", 401}}}}, "refuses MINIMAX_API_KEY"},
          Case{{{"model", {{"status", 402}}}}, "no balance"},
          Case{{{"model", {{"status", 503}}}}, "answers with 503"},
          Case{{{"model", {{"status", 0}}}}, "cannot be reached"},
          Case{{{"model", {{"status", 0}, {"key", ""}, {"reason", "K is not set in the pod"}}}},
               "not set in the pod"},
          Case{{{"bot", {{"status", 401}}}}, "rejected the bot token"},
          Case{{{"live", {{"provider", "openrouter"}}}}, "uses the provider openrouter"}}) {
        const Json before = lines_;
        lines_.merge_patch(one.change);
        EXPECT_EQ(run({"status"}), ExitCode::failed) << one.said;
        EXPECT_THAT(out(), HasSubstr(one.said));
        EXPECT_THAT(out(), Not(HasSubstr("it answers")));
        EXPECT_EQ(run({"wait"}), ExitCode::failed) << one.said;
        EXPECT_THAT(err(), HasSubstr(one.said));
        lines_ = before;
    }
}

TEST_F(AnswersTest, ALostCheckIsRepeatedAndThenAPlainFailure) {
    lost_ = 2;
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << err();
    EXPECT_EQ(asked_, 3);
    lost_ = 100;
    EXPECT_EQ(run({"wait"}), ExitCode::failed);
    EXPECT_THAT(err(), HasSubstr("connection reset"));
    EXPECT_EQ(run({"status"}), ExitCode::failed);
    EXPECT_THAT(out(), HasSubstr("connection reset"));
    EXPECT_THAT(out(), Not(HasSubstr("it answers\n")));
}

/// By a server that has just started, say.
TEST_F(AnswersTest, ACheckThatIsRefusedOnceIsRepeated) {
    const auto serve = world_.transport.open;
    int checks = 0;
    world_.transport.open = [&](const net::Request& request, std::span<const std::string> protocols) {
        const bool refused = request.target.find("getMe") != std::string::npos && ++checks == 1;
        if (refused) return net::Upgrade{nullptr, hermesctl::testing::refusal(403, "Forbidden", "not yet")};
        return serve(request, protocols);
    };
    EXPECT_EQ(run({"wait"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("message @cage_bot"));
}

TEST_F(AnswersTest, WhatTheAgentWroteDoesNotDriveTheTerminal) {
    facts_.update({{"ready", false}, {"telegram", "retrying"}, {"message", "no\x1b[2J route"}});
    EXPECT_EQ(run({"status"}), ExitCode::failed);
    EXPECT_THAT(out(), HasSubstr("route"));
    EXPECT_THAT(out(), Not(HasSubstr("\x1b")));
}

TEST_F(AnswersTest, StatusTellsOfAFullVolumeWhetherTheBotAnswersOrNot) {
    facts_["free"] = 7;
    EXPECT_EQ(run({"status"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), AllOf(HasSubstr("it answers"), HasSubstr("its volume is full: 7 bytes are free")));
    EXPECT_THAT(out(), HasSubstr("hermesctl exec -- du"));
    facts_.update({{"ready", false}, {"gateway", "starting"}, {"telegram", ""}});
    EXPECT_EQ(run({"status"}), ExitCode::failed);
    EXPECT_THAT(out(), HasSubstr("it does not answer: pod/hermes-1-a: its volume is full: 7 bytes"));
}

TEST_F(AnswersTest, AnotherLiveModelIsSaid) {
    lines_["live"]["model"] = "M2";
    live_config_ = "model: {provider: minimax, default: M2}\n";
    EXPECT_EQ(run({"wait"}), ExitCode::ok);
    EXPECT_THAT(err(), HasSubstr("uses the model M2, not M1"));
    EXPECT_EQ(run({"status", "-o", "json"}), ExitCode::ok);
    EXPECT_EQ(Json::parse(out())["model"], "minimax M2");
    EXPECT_EQ(Json::parse(out())["modelFrom"], "live");
    EXPECT_EQ(Json::parse(out())["keyAccepted"], true);
    EXPECT_THAT(Json::parse(out())["drift"].dump(), HasSubstr("model.default: M1 -> M2"));
    EXPECT_EQ(run({"status"}), ExitCode::ok);
    EXPECT_THAT(out(), HasSubstr("model     minimax M2, key accepted\n"));
    EXPECT_EQ(run({"status", "--no-check"}), ExitCode::ok);
    EXPECT_THAT(out(), HasSubstr("model     minimax M1 (of configmap/hermes-config)\n")) << "nobody asked";
}

TEST_F(AnswersTest, WhatTheAgentCallsItsModelSaysNothingOfTheKey) {
    lines_["live"]["model"] = "M2, key accepted";
    lines_["model"] = {{"status", -1}};
    EXPECT_EQ(run({"status", "-o", "json"}), ExitCode::ok) << err();
    EXPECT_EQ(Json::parse(out())["model"], "minimax M2, key accepted");
    EXPECT_EQ(Json::parse(out())["keyAccepted"], false);
}

TEST_F(AnswersTest, AModelIsOfTheConfigMapOnlyWhereThatIsThere) {
    const auto from = [this] {
        EXPECT_EQ(run({"status", "--no-check", "-o", "json"}), ExitCode::ok) << err();
        return Json::parse(out())["modelFrom"];
    };
    EXPECT_EQ(from(), "configmap");
    api().erase({"ConfigMap", "hermes", "hermes-config"});
    EXPECT_EQ(from(), "default");
    EXPECT_EQ(run({"status", "--no-check"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("MiniMax-M2.7 (the default; there is no configmap/hermes-config)\n"));
}

}  // namespace
}  // namespace hermesctl::cli
