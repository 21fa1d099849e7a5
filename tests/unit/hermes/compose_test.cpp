// From wishes and the live cluster to objects: what is asked for, what is kept, what is said.
#include "hermesctl/hermes/compose.hpp"

#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/render.hpp"
#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Names names{.ns = "hermes", .name = "hermes"};

class ComposeTest : public ::testing::Test {
  protected:
    ComposeTest() {
        api_.put(R"({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"},
                     "status": {"addresses": [{"type": "ExternalIP", "address": "85.10.0.7"}]}})"_json);
        api_.put(
            R"({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "dns-default", "namespace": "openshift-dns"},
                "spec": {"clusterIP": "34.118.224.10", "clusterIPs": ["34.118.224.10"], "selector": {"dns": "default"},
                         "ports": [{"port": 53, "targetPort": 5353}, {"port": 9154}]}})"_json);
    }
    Composition compose(Json settings = R"({"telegram": {"allowedUsers": [111]}})"_json) {
        Wish wish{.settings = std::move(settings),
                  .server = "https://192.168.1.20:6443",
                  .readers = {in_, environment_},
                  .ask = ask_};
        return hermes::compose(client_, wish, reporter_);
    }
    std::string complaint(Json settings) {
        try {
            compose(std::move(settings));
            return "";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::usage);
            return error.message();
        }
    }
    void install() {
        answer_questions();
        for (const Json& object : compose().objects)
            client_.apply(object).value();
        reporter_.events.clear();
    }
    void answer_questions() {
        ask_ = [this](const std::string& question, bool hidden) -> std::string {
            asked_.push_back(question);
            if (!hidden) return "111";
            return question.find("bot token") != std::string::npos ? token_ : "key-typed-at-the-prompt";
        };
    }
    std::vector<std::string> told() const {
        std::vector<std::string> all;
        for (const Event& event : reporter_.events)
            all.push_back(event.detail);
        return all;
    }
    static Json policy_of(const Composition& made) {
        for (const Json& object : made.objects) {
            if (object["kind"] == "NetworkPolicy") return object;
        }
        return {};
    }

    testing::FakeClock clock_;
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_;
    kube::Client client_{transport_, clock_, reporter_};
    std::istringstream in_{};
    Environment environment_{};
    std::function<std::string(const std::string&, bool)> ask_{};
    std::vector<std::string> asked_{};
    const std::string token_ = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr";
};

TEST_F(ComposeTest, ListsEverythingThatIsMissingAtOnce) {
    EXPECT_THAT(complaint(Json::object()), AllOf(HasSubstr("--allow-user"), HasSubstr("TELEGRAM_BOT_TOKEN"),
                                                 HasSubstr("MINIMAX_API_KEY")));
}

TEST_F(ComposeTest, WhatIsWrongWithSecretsIsToldWithAllElseThatIsMissing) {
    environment_["TOKEN"] = "malformed-token-of-somebody";
    const Json settings =
        R"({"secrets": {"TELEGRAM_BOT_TOKEN": {"env": "TOKEN"}, "COLONY_PAT": {"env": "NOT_SET"},
        "GITHUB_PAT": {"file": "/"},
        "MINIMAX_API_KEY": {"file": "/nowhere/key"}}})"_json;
    const std::string all = complaint(settings);
    EXPECT_THAT(all, HasSubstr("GITHUB_PAT: / is a directory, not a file"));
    EXPECT_THAT(all, AllOf(HasSubstr("COLONY_PAT: the variable NOT_SET is not set"),
                           HasSubstr("MINIMAX_API_KEY: there is no file /nowhere/key"),
                           HasSubstr("TELEGRAM_BOT_TOKEN: is no bot token"), HasSubstr("--allow-user")));
    EXPECT_THAT(all, AllOf(Not(HasSubstr("malformed-token")), Not(HasSubstr("--secret"))))
        << "no value, and each once";
    answer_questions();
    EXPECT_THAT(complaint(settings), AllOf(HasSubstr("NOT_SET"), HasSubstr("/nowhere/key")));
    EXPECT_THAT(asked_, IsEmpty()) << "nothing is asked for in vain";
}

TEST_F(ComposeTest, ACopyOfASecretIsRefusedWithAllElseThatIsMissing) {
    environment_["KEY"] = "plain-looking-value";
    const Json settings = R"({"secrets": {"MINIMAX_API_KEY": {"env": "KEY"}},
        "config": {"notes": ["it is plain-looking-value"]},
        "pod": {"env": {"NOTE": "plain-looking-value", "TZ": "UTC"}}})"_json;
    EXPECT_THAT(complaint(settings),
                AllOf(HasSubstr("config.notes[0]: ${NAME} in place of a secret's value"),
                      HasSubstr("pod.env.NOTE: anything but a secret's value"), HasSubstr("--allow-user"),
                      Not(HasSubstr("plain-looking")), Not(HasSubstr("TZ"))));
    answer_questions();
    EXPECT_THAT(complaint(settings), HasSubstr("config.notes[0]"));
    EXPECT_THAT(asked_, IsEmpty()) << "nothing is asked for in vain";
    EXPECT_THAT(complaint(R"({"config": {"note": "key-typed-at-the-prompt"}})"_json),
                HasSubstr("config.note"));
    install();
    EXPECT_THAT(complaint(R"({"config": {"note": "key-typed-at-the-prompt"}})"_json),
                HasSubstr("config.note"))
        << "of what the Secret has, too";
    const Composition made = compose(R"({"config": {"home_chat": "111"}})"_json);
    EXPECT_EQ(kube::text_at(made.values.config, "/home_chat"), "111") << "an id is no secret";
}

TEST_F(ComposeTest, AVariableThatIsPutUnderSecretsIsLeftToTheSecret) {
    install();
    Json deployment = api_.object(names.deployment());
    deployment["spec"]["template"]["spec"]["containers"][0]["env"].push_back(
        {{"name", "API_TOKEN"}, {"value", "hunter2hunter2"}});
    api_.put(deployment);
    EXPECT_EQ(compose().values.pod.env.at("API_TOKEN"), "hunter2hunter2") << "kept, as nobody names it";
    EXPECT_THAT(told(), Contains(AllOf(HasSubstr("is a credential, and lies in the Deployment"),
                                       HasSubstr("hermesctl deploy --secret API_TOKEN=-"))));
    reporter_.events.clear();
    environment_["TOKEN"] = "hunter3hunter3";
    const Composition made = compose(R"({"secrets": {"API_TOKEN": {"env": "TOKEN"}}})"_json);
    EXPECT_FALSE(made.values.pod.env.contains("API_TOKEN"));
    EXPECT_THAT(made.objects.back().dump(), Not(HasSubstr("hunter2")));
    EXPECT_THAT(told(), Not(Contains(HasSubstr("is a credential"))));
}

TEST_F(ComposeTest, ALiveVariableThatLetsOthersInIsRefusedWithWhatTakesItOut) {
    install();
    Json deployment = api_.object(names.deployment());
    for (const char* key : {"GATEWAY_ALLOWED_USERS", "TELEGRAM_ALLOW_ALL_USERS", "TZ"})
        deployment["spec"]["template"]["spec"]["containers"][0]["env"].push_back(
            {{"name", key}, {"value", "5"}});
    api_.put(deployment);
    try {
        compose();
        ADD_FAILURE() << "it was not refused";
    } catch (const Error& error) {
        EXPECT_THAT(error.message(), HasSubstr("pod.env.GATEWAY_ALLOWED_USERS: would let others in"));
        EXPECT_EQ(error.hint(),
                  "kubectl -n hermes set env deployment/hermes GATEWAY_ALLOWED_USERS- "
                  "TELEGRAM_ALLOW_ALL_USERS-");
    }
}

TEST_F(ComposeTest, ACredentialThatLiesInTheConfigMapIsToldOf) {
    install();
    api_.merge(names.config(), {{"data", {{"config.yaml", "model: {api_key: hunter2hunter2}\n"}}}});
    compose();
    EXPECT_THAT(told(), Contains(HasSubstr("is a credential, and lies in the ConfigMap")));
    reporter_.events.clear();
    compose(R"({"config": {"model": {"api_key": "${ZAI_API_KEY}"}}})"_json);
    EXPECT_THAT(told(), Not(Contains(HasSubstr("is a credential"))));
}

TEST_F(ComposeTest, RemembersWhatIsTypedSoThatItIsNeverShown) {
    answer_questions();
    compose(Json::object());
    EXPECT_EQ(asked_.size(), 3u);
    EXPECT_THAT(scrub("x key-typed-at-the-prompt y"), Not(HasSubstr("key-typed")));
}

TEST_F(ComposeTest, WhatWasTypedForAWishIsNotAskedForAgain) {
    answer_questions();
    Wish wish{.server = "https://192.168.1.20:6443", .readers = {in_, environment_}, .ask = ask_};
    wish.given = hermes::compose(client_, wish, reporter_).given;
    EXPECT_EQ(asked_.size(), 3u);
    EXPECT_EQ(hermes::compose(client_, wish, reporter_).values.allowed_users, (UserIds{111}));
    EXPECT_EQ(asked_.size(), 3u);
}

TEST_F(ComposeTest, WhatIsAskedLaterIsLeftOpenAndWhatIsReadIsKept) {
    answer_questions();
    environment_["KEY"] = "the-key-of-minimax";
    Wish wish{
        .settings = R"({"secrets": {"MINIMAX_API_KEY": {"env": "KEY"}, "COLONY_PAT": {"stdin": true}}})"_json,
        .server = "https://192.168.1.20:6443",
        .readers = {in_, environment_},
        .ask = ask_,
        .ask_later = true};
    const Composition first = hermes::compose(client_, wish, reporter_);
    EXPECT_TRUE(first.incomplete);
    EXPECT_THAT(first.objects, IsEmpty());
    EXPECT_THAT(asked_, IsEmpty());
    environment_.clear();
    wish.given = first.given;
    wish.ask_later = false;
    wish.given = hermes::compose(client_, wish, reporter_).given;
    EXPECT_EQ(asked_.size(), 3u) << "two secrets, and who may use the bot";
    wish.ask_later = true;
    EXPECT_FALSE(hermes::compose(client_, wish, reporter_).incomplete) << "all is known";
}

TEST_F(ComposeTest, ASecondOneAsksNothingAndKeepsAll) {
    install();
    asked_.clear();
    const Composition again = compose(Json::object());
    EXPECT_THAT(asked_, IsEmpty());
    EXPECT_EQ(again.values.allowed_users, std::vector<std::int64_t>{111});
}

TEST_F(ComposeTest, AListThatCannotBeKeptIsAskedFor) {
    install();
    api_.merge(names.secret(), {{"data", {{"TELEGRAM_ALLOWED_USERS", base64_encode("*")}}}});
    ask_ = {};
    EXPECT_THAT(complaint(Json::object()), HasSubstr("--allow-user"));
    EXPECT_EQ(compose(R"({"telegram": {"allowedUsers": [222]}})"_json).values.allowed_users,
              std::vector<std::int64_t>{222});
}

/// Hermes parts entries at commas alone: such a list lets nobody in.
TEST_F(ComposeTest, AListThatHermesReadsOtherwiseIsWrittenAnew) {
    install();
    api_.merge(names.secret(), {{"data", {{"TELEGRAM_ALLOWED_USERS", base64_encode("111 222")}}}});
    const Composition made = compose(Json::object());
    EXPECT_EQ(made.values.allowed_users, (UserIds{111, 222}));
    EXPECT_EQ(base64_decode(kube::text_at(made.objects.at(3), "/data/TELEGRAM_ALLOWED_USERS")), "111,222");
    EXPECT_THAT(made.kept_users, IsEmpty());
}

class CageTest : public ComposeTest {};

/// A deploy by somebody who may read less leaves the cage as closed as it was.
TEST_F(CageTest, IsNotLoosenedByWhoMayReadLess) {
    install();
    const Json before = policy_of(compose());
    ASSERT_THAT(before.dump(),
                AllOf(HasSubstr("85.10.0.7/32"), HasSubstr("34.118.224.10/32"), HasSubstr("openshift-dns")));
    for (const char* resource : {"nodes", "services", "endpointslices", "servicecidrs", "pods"})
        api_.deny("list", resource);
    EXPECT_EQ(policy_of(compose()), before);
}

/// Nor does it make the gate look at something else, which would roll the pod.
TEST_F(CageTest, KeepsTheGatesWitnessesWhereLessMayBeRead) {
    install();
    const auto witnesses = [this] {
        return kube::text_at(compose().objects.back(), "/spec/template/spec/initContainers/0/command/5");
    };
    ASSERT_EQ(witnesses(), "34.118.224.10:9154");
    api_.deny("list", "nodes");
    reporter_.events.clear();
    EXPECT_EQ(witnesses(), "34.118.224.10:9154");
    EXPECT_THAT(told(), Contains(HasSubstr("no ready pod"))) << "found anew, with its doubt";
    api_.deny("list", "services");
    EXPECT_EQ(witnesses(), "34.118.224.10:9154");
    EXPECT_THAT(told(), Contains(HasSubstr("an earlier deploy knew it")));
}

/// What the gate relies on is known, or it is said that it is not.
TEST_F(CageTest, TellsWhereTheGateMayPassThoughTheCageIsOpen) {
    answer_questions();
    compose();
    EXPECT_THAT(told(), Contains(AllOf(HasSubstr("may pass though the cage is open"),
                                       HasSubstr("34.118.224.10:9154"), HasSubstr("no ready pod"))));
    reporter_.events.clear();
    api_.put(R"({"apiVersion": "v1", "kind": "Pod",
                 "metadata": {"name": "dns-1", "namespace": "openshift-dns", "labels": {"dns": "default"}},
                 "status": {"podIP": "10.128.0.9", "conditions": [{"type": "Ready", "status": "True"}]}})"_json);
    compose();
    EXPECT_THAT(told(), Not(Contains(HasSubstr("the cage is open"))));
}

TEST_F(CageTest, PoliciesOfOthersTakeWhatTheyOpenFromTheGate) {
    install();
    api_.put(R"({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                 "metadata": {"name": "other", "namespace": "hermes"},
                 "spec": {"podSelector": {}, "egress": [{"to": [{"namespaceSelector": {}}]}]}})"_json);
    const Composition made = compose();
    EXPECT_EQ(kube::text_at(made.objects.back(), "/spec/template/spec/initContainers/0/command/5"), "");
    EXPECT_THAT(told(), Contains(HasSubstr("other policies open all")));
    api_.deny("list", "networkpolicies");
    compose();
    EXPECT_THAT(told(), Contains(HasSubstr("whether others open what the gate looks at is not known")));
}

TEST_F(CageTest, IsNotLoosenedByAFailureThatPasses) {
    install();
    const Json before = policy_of(compose());
    api_.fail_always("GET", "Node", testing::answer(503, "not now"));
    EXPECT_EQ(policy_of(compose()), before);
    EXPECT_THAT(told(), Contains(AllOf(HasSubstr("nodes"), HasSubstr("not now"))));
}

TEST_F(CageTest, SaysInASentenceWhatCouldNotBeRead) {
    install();
    api_.deny("list", "nodes");
    api_.deny("list", "services");
    compose();
    EXPECT_THAT(told(), Contains(AllOf(HasSubstr("may not list nodes: "), HasSubstr("grant list on nodes"))));
    EXPECT_THAT(told(), Contains(HasSubstr("may not list services: ")));
    EXPECT_THAT(told(), Contains(HasSubstr("stays closed")));
    std::set<std::string> subjects;
    for (const Event& event : reporter_.events) {
        EXPECT_TRUE(subjects.insert(event.phase + event.subject).second)
            << "the board shows only the last one of a subject: " << event.subject;
    }
}

TEST_F(CageTest, OpensAgainWhatIsGoneOnceAllCanBeRead) {
    install();
    api_.erase({"Node", "", "n"});
    EXPECT_THAT(policy_of(compose()).dump(), Not(HasSubstr("85.10.0.7")));
}

/// As a hint says it, `--secret KEY=-`: read from the terminal it would stand on the screen, and want Ctrl-D.
TEST_F(ComposeTest, AtATerminalASecretFromStdinIsAskedForWithoutEcho) {
    install();
    std::vector<std::string> asked;
    ask_ = [&](const std::string& question, bool hidden) {
        EXPECT_TRUE(hidden) << question;
        asked.push_back(question);
        return std::string("typed-key");
    };
    EXPECT_THAT(complaint(R"({"secrets": {"A_KEY": {"stdin": true}, "B_KEY": {"env": "UNSET"}}})"_json),
                HasSubstr("B_KEY"));
    EXPECT_THAT(asked, IsEmpty()) << "what is wrong is told first";
    const auto made = compose(R"({"secrets": {"MINIMAX_API_KEY": {"stdin": true}}})"_json);
    EXPECT_THAT(asked, ::testing::ElementsAre("MINIMAX_API_KEY"));
    for (const Json& object : made.objects) {
        if (object["kind"] == "Secret") EXPECT_EQ(secret_values(object).at("MINIMAX_API_KEY"), "typed-key");
    }
}

class ForeignNamespaceTest : public ComposeTest {
  protected:
    void put_namespace(const char* level) {
        Json object =
            R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "hermes", "labels": {"team": "a"}}})"_json;
        if (*level != '\0') object["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = level;
        api_.put(object);
        answer_questions();
    }
    void put_pod(const char* name, const char* app) {
        api_.put({{"apiVersion", "v1"},
                  {"kind", "Pod"},
                  {"metadata", {{"name", name}, {"namespace", "hermes"}, {"labels", {{"app", app}}}}}});
    }
};

TEST_F(ForeignNamespaceTest, KeepsItsLabelsAndIsToldWhatItDoesNotEnforce) {
    put_namespace("");
    const Composition made = compose();
    for (const Json& object : made.objects)
        EXPECT_NE(object["kind"], "Namespace");
    EXPECT_THAT(told(), Contains(HasSubstr("keeps its labels")));
    EXPECT_THAT(
        told(),
        Contains(
            AllOf(HasSubstr("nothing in this namespace enforces"),
                  HasSubstr("kubectl label namespace hermes pod-security.kubernetes.io/enforce=baseline"))));
    EXPECT_THAT(told(), Not(Contains(HasSubstr("other"))));
}

TEST_F(ForeignNamespaceTest, WithBaselineHasNothingToType) {
    put_namespace("restricted");
    compose();
    EXPECT_THAT(told(), Contains(HasSubstr("keeps its labels")));
    EXPECT_THAT(told(), Not(Contains(HasSubstr("kubectl label"))));
}

TEST_F(ForeignNamespaceTest, TellsWhoElseIsInIt) {
    put_namespace("baseline");
    put_pod("hermes-1", "hermes");
    put_pod("db-0", "db");
    put_pod("db-1", "db");
    put_pod("other-1", "other");
    api_.merge({"Pod", "hermes", "other-1"},
               {{"metadata", {{"labels", {{"app.kubernetes.io/managed-by", "hermesctl"}}}}}});
    EXPECT_EQ(compose().neighbours, 2u) << "another instance is none";
    EXPECT_THAT(told(), Contains(HasSubstr("2 other pods run in it")));
    EXPECT_THAT(told(), Not(Contains(HasSubstr("let in by it")))) << "it is in force already";
}

TEST_F(ForeignNamespaceTest, TellsWhatTheBaselineWouldMeanForTheOthersOnce) {
    put_namespace("");
    put_pod("db-0", "db");
    compose();
    EXPECT_THAT(told(), Contains(HasSubstr("the server warns of none of them")));
    const char* violation = "existing pods in namespace \"hermes\" violate the new PodSecurity enforce level";
    api_.warn("Namespace", violation);
    const Composition made = compose();
    EXPECT_THAT(told(),
                AllOf(Contains(violation), Contains(HasSubstr("not all of them would be let in by it"))));
    EXPECT_EQ(api_.object({"Namespace", "", "hermes"})["metadata"]["labels"], Json({{"team", "a"}}))
        << "a dry run";
    for (const Json& object : made.objects)
        client_.apply(object).value();
    reporter_.events.clear();
    EXPECT_EQ(compose().neighbours, 0u) << "it has moved in";
    EXPECT_THAT(told(), Not(Contains(HasSubstr("let in by it"))));
    api_.erase({"Deployment", "hermes", "hermes"});
    api_.deny("patch", "namespaces");
    compose();
    EXPECT_THAT(told(), Contains(HasSubstr("what it would mean for them is not known")));
}

/// Its pods are refused later: when the one that ran is gone.
TEST_F(ForeignNamespaceTest, ThatLetsInHardenedPodsAloneIsToldWithWhatToType) {
    put_namespace("restricted");
    EXPECT_FALSE(
        compose(R"({"telegram": {"allowedUsers": [111]}, "pod": {"hardened": true}})"_json).pods_refused);
    EXPECT_THAT(told(), Not(Contains(HasSubstr("--hardened"))));
    EXPECT_TRUE(compose().pods_refused);
    EXPECT_THAT(told(), Contains(HasSubstr("hermesctl deploy --hardened")));
}

TEST_F(ForeignNamespaceTest, IsShownTheServersWarningWhereItsLevelRefusesThePod) {
    api_.warn("Deployment", "would violate PodSecurity \"restricted:latest\": runAsNonRoot != true");
    for (const char* level : {"baseline", "restricted"}) {
        kube::Client client(transport_, clock_, reporter_);
        put_namespace(level);
        Wish wish{.settings = R"({"telegram": {"allowedUsers": [111]}})"_json,
                  .server = "https://192.168.1.20:6443",
                  .readers = {in_, environment_},
                  .ask = ask_};
        reporter_.events.clear();
        client.apply(hermes::compose(client, wish, reporter_).objects.back(), {.dry_run = true}).value();
        EXPECT_EQ(std::string(level) == "restricted",
                  ::testing::Matches(Contains(HasSubstr("would violate PodSecurity")))(told()));
    }
}

TEST_F(ForeignNamespaceTest, ThatIsBeingDeletedTakesNothing) {
    put_namespace("baseline");
    api_.merge({"Namespace", "", "hermes"}, {{"metadata", {{"deletionTimestamp", "2026-01-01T00:00:00Z"}}}});
    try {
        compose();
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::failed);
        EXPECT_EQ(error.message(), "namespace/hermes is being deleted");
        EXPECT_EQ(error.hint(),
                  "kubectl wait --for=delete namespace/hermes --timeout=10m, then run this again");
    }
}

}  // namespace
}  // namespace hermesctl::hermes
