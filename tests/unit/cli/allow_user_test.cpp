// allow-user as a command: what it refuses, shows, changes and proves.
#include "hermesctl/base/crypto.hpp"
#include "support/cli_world.hpp"
#include "support/installation.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using hermesctl::testing::FakeProcess;
using kube::Json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const kube::Ref secret_ref{"Secret", "hermes", "hermes-secrets"};
const kube::Ref deployment_ref{"Deployment", "hermes", "hermes"};

class AllowUser : public ::testing::Test {
  protected:
    AllowUser() {
        hermesctl::testing::put_installation(world_.api);
        list("111,222");
        world_.api.on_exec = [this](FakeProcess& process) { serve(process); };
        // The controller, and a gateway that starts with what the Secret holds then.
        world_.api.on_write = [this](const std::string&, const Json& object) {
            if (kube::ref_of(object) != deployment_ref) return;
            const auto generation = kube::int_at(object, "/metadata/generation");
            world_.api.merge(deployment_ref, {{"status", {{"observedGeneration", generation}}}});
            started_with_ = list();
        };
    }
    void list(const std::string& users) {
        world_.api.merge(secret_ref, {{"data", {{"TELEGRAM_ALLOWED_USERS", base64_encode(users)}}}});
        world_.api.log.clear();
    }
    /// That lets everybody in.
    void grant(const char* name, const char* where) {
        people_["grants"] =
            Json::array({{{"name", name}, {"where", where}, {"ids", Json::array()}, {"everybody", true}}});
    }
    std::string list() const {
        return base64_decode(kube::text_at(world_.api.object(secret_ref), "/data/TELEGRAM_ALLOWED_USERS"))
            .value();
    }
    std::string owner() const {
        return kube::text_at(world_.api.object(secret_ref), "/metadata/annotations/hermesctl~1owner");
    }
    /// The scripts in the pod, told apart by what only one of them has.
    void serve(FakeProcess& process) {
        const auto runs = [&](const char* part) {
            return std::any_of(process.argv.begin(), process.argv.end(),
                               [&](const std::string& word) { return word.find(part) != std::string::npos; });
        };
        if (std::find(process.argv.begin(), process.argv.end(), "revoke") != process.argv.end()) {
            if (revoke_fails_) return process.exit(1);
            revoked_.push_back(process.argv.back());
            people_["paired"].erase(process.argv.back());
            return process.exit(0);
        }
        if (runs("getChat")) {
            process.out(people_.dump() + "\n");
            return process.exit(0);
        }
        if (runs("FAR_BACK")) {
            process.out(log_);
            return process.exit(0);
        }
        if (runs("getMe")) {
            process.out(Json{{"bot", {{"status", 200}, {"username", "cage_bot"}}},
                             {"model", {{"status", model_status_}, {"key", "K"}}},
                             {"live", {{"provider", "minimax"}}}}
                            .dump());
            return process.exit(0);
        }
        if (runs("b64decode")) {
            if (process.input_ended) prove(process);
            return;
        }
        process.out(R"({"alive":true,"ready":true,"gateway":"running","telegram":"connected"})"
                    "\n");
        if (process.argv.back() == "facts") process.exit(0);
    }
    void prove(FakeProcess& process) const {
        const bool same =
            Json::parse(process.input).at("TELEGRAM_ALLOWED_USERS") == base64_encode(started_with_);
        process.out(Json{{"gateways", 1},
                         {"unused", same ? Json::array() : Json{"TELEGRAM_ALLOWED_USERS"}},
                         {"shadowed", Json::array()},
                         {"unread", Json::array()}}
                        .dump());
        process.exit(0);
    }
    std::string run(const std::vector<std::string>& arguments, ExitCode expected = ExitCode::ok) {
        std::vector<std::string> line{"allow-user"};
        line.insert(line.end(), arguments.begin(), arguments.end());
        EXPECT_EQ(world_.run(line), expected) << world_.out.str() << world_.err.str();
        return world_.out.str() + world_.err.str();
    }
    bool wrote() const {
        return std::any_of(world_.api.log.begin(), world_.api.log.end(), [](const std::string& line) {
            return line.starts_with("PATCH secret") || line.starts_with("PATCH deployment");
        });
    }

    testing::CliWorld world_;
    Json people_{{"gateway", true},          {"list", {{"ids", {111, 222}}}},
                 {"grants", Json::array()},  {"paired", Json::object()},
                 {"asking", Json::object()}, {"names", {{"111", "Ann (@ann)"}}},
                 {"zone", "+0100"},          {"unread", Json::array()}};
    std::string log_{};
    std::string started_with_{};
    std::vector<std::string> revoked_{};
    bool revoke_fails_ = false;
    int model_status_ = 200;
};

TEST_F(AllowUser, WhoWasPutOutByAKilledCommandStaysOutThoughTheModelIsMute) {
    world_.api.merge({"ConfigMap", "hermes", "hermes-config"},
                     {{"data", {{"config.yaml", "model: {provider: minimax}\n"}}}});
    const auto kubelet = world_.api.on_write;
    world_.api.on_write = [&](const std::string&, const Json& object) {
        if (kube::ref_of(object) == secret_ref) world_.api.down = true;
    };
    run({"--remove", "222", "-y"}, ExitCode::unreachable);
    world_.api.down = false;
    world_.api.on_write = kubelet;
    world_.clock.advance(std::chrono::minutes{10});
    model_status_ = 402;
    EXPECT_THAT(run({"333"}), AllOf(HasSubstr("half-done change"), HasSubstr("no balance")));
    EXPECT_EQ(list(), "111,333");
}

TEST_F(AllowUser, WhatIsNoUserIsRefusedWithClearWords) {
    const std::vector<std::pair<std::string, std::string>> cases{{"@bob", "@userinfobot"},
                                                                 {"bob", "is a name, not an id"},
                                                                 {"*", "everybody"},
                                                                 {"0", "is no user id"},
                                                                 {"", "nobody is named"},
                                                                 {"-100123", "is a group's id"},
                                                                 {"1234567890123456789", "is too long"},
                                                                 {"12x", "is no user id"}};
    for (const auto& [word, said] : cases)
        EXPECT_THAT(run({word}, ExitCode::usage), HasSubstr(said)) << word;
    EXPECT_THAT(run({"-100123"}, ExitCode::usage), HasSubstr("TELEGRAM_GROUP_ALLOWED_CHATS"));
    EXPECT_THAT(run({}, ExitCode::usage), HasSubstr("nobody is named"));
    EXPECT_THAT(run({"--replace"}, ExitCode::usage), HasSubstr("an empty list"));
    EXPECT_THAT(run({"--list", "5"}, ExitCode::usage), HasSubstr("take no ids"));
    for (const std::vector<std::string>& flags : {std::vector<std::string>{"--owner", "5"},
                                                  {"--force"},
                                                  {"--dry-run"},
                                                  {"--no-restart"},
                                                  {"--drain", "5s"}}) {
        for (const char* shows : {"--list", "--pending"}) {
            std::vector<std::string> line{shows};
            line.insert(line.end(), flags.begin(), flags.end());
            EXPECT_THAT(run(line, ExitCode::usage), HasSubstr("excludes " + flags.front())) << shows;
        }
    }
    EXPECT_THAT(world_.api.log, IsEmpty()) << "before anything is sent";
    EXPECT_THAT(run({"--dry-run", "5", "5"}), HasSubstr("is named twice"));
}

TEST_F(AllowUser, TheListNeverBecomesEmptyNorLosesItsOwnerByAccident) {
    EXPECT_THAT(run({"--remove", "111", "222", "--force", "-y"}, ExitCode::failed),
                HasSubstr("would be empty"));
    EXPECT_THAT(run({"--remove", "111", "-y"}, ExitCode::failed),
                AllOf(HasSubstr("111 owns the bot"), HasSubstr("--force")));
    EXPECT_THAT(run({"--replace", "333", "-y"}, ExitCode::failed), HasSubstr("111 owns the bot"));
    EXPECT_THAT(run({"--owner", "333"}, ExitCode::failed), HasSubstr("hermesctl allow-user 333 --owner 333"));
    EXPECT_FALSE(wrote());
    run({"--owner", "222"});
    EXPECT_EQ(owner(), "222");
    EXPECT_EQ(list(), "111,222") << "only the owner was asked for";
    EXPECT_THAT(run({"--remove", "222", "-y"}, ExitCode::failed), HasSubstr("222 owns the bot"));
    run({"--remove", "222", "--force", "--no-restart", "-y"});
    EXPECT_EQ(list(), "111");
    EXPECT_EQ(owner(), "111");
}

TEST_F(AllowUser, TheNewListIsProvedInTheRunningGateway) {
    EXPECT_THAT(run({"333"}),
                AllOf(HasSubstr("+ 333 may use the bot"), HasSubstr("in force: the running gateway")));
    EXPECT_EQ(started_with_, "111,222,333");
    people_["list"]["ids"] = {111, 333};
    EXPECT_THAT(run({"--remove", "222", "-y", "-o", "json"}), HasSubstr(R"("inForce": true)"));
    EXPECT_EQ(started_with_, "111,333");
    // A gateway that does not take it is told, and the list stays for the next one.
    world_.api.on_write = [this](const std::string&, const Json& object) {
        if (kube::ref_of(object) != deployment_ref) return;
        const auto generation = kube::int_at(object, "/metadata/generation");
        world_.api.merge(deployment_ref, {{"status", {{"observedGeneration", generation}}}});
    };
    EXPECT_THAT(run({"444"}, ExitCode::failed), HasSubstr("has another value of TELEGRAM_ALLOWED_USERS"));
    EXPECT_EQ(list(), "111,333,444");
}

TEST_F(AllowUser, WhoIsPutOutStaysOutWhateverKeepsTheNewPodFromAnswering) {
    const Json pull{{"running", nullptr},
                    {"waiting", {{"reason", "ImagePullBackOff"}, {"message", "429 Too Many Requests"}}}};
    const Json crash{{"waiting", nullptr}, {"terminated", {{"reason", "Error"}, {"exitCode", 1}}}};
    for (const auto& [state, others] : {std::pair{pull, "111"}, {crash, "111,333"}}) {
        list(others + std::string(",222"));
        world_.api.on_write = [&, state = state](const std::string&, const Json& object) {
            if (kube::ref_of(object) != deployment_ref) return;
            const Json status{{"name", "hermes"}, {"image", "i"}, {"state", state}, {"restartCount", 3}};
            world_.api.merge({"Pod", "hermes", "hermes-1-a"},
                             {{"status", {{"containerStatuses", Json::array({status})}}}});
            const auto generation = kube::int_at(object, "/metadata/generation");
            world_.api.merge(deployment_ref, {{"status", {{"observedGeneration", generation}}}});
        };
        EXPECT_THAT(run({"--remove", "222", "-y"}, ExitCode::failed),
                    AllOf(HasSubstr("the change of TELEGRAM_ALLOWED_USERS stays"),
                          HasSubstr("hermesctl wait, then hermesctl allow-user --remove 222: not before "
                                    "that is it sure who is out")));
        EXPECT_EQ(list(), others) << state;
        EXPECT_TRUE(world_.api.object({"Secret", "hermes", "hermes-secrets-previous"}).is_null())
            << "no later command lets that one in again";
        list("*");
        EXPECT_THAT(run({"--replace", "111", "-y"}, ExitCode::failed),
                    HasSubstr("hermesctl wait, then the same again: not before that is it sure who is out"));
    }
}

TEST_F(AllowUser, OneThatWasCutOffIsEndedThoughTheListIsAsItShouldBe) {
    const auto well = world_.api.on_write;
    world_.api.on_write = [this](const std::string&, const Json& object) {
        if (kube::ref_of(object) == deployment_ref) world_.api.down = true;
    };
    run({"--remove", "222", "-y"}, ExitCode::unreachable);
    world_.api.down = false;
    world_.api.on_write = well;
    const auto generation = kube::int_at(world_.api.object(deployment_ref), "/metadata/generation");
    world_.api.merge(deployment_ref, {{"status", {{"observedGeneration", generation}}}});
    started_with_ = list();
    people_["list"]["ids"] = {111};
    world_.clock.advance(std::chrono::minutes(10));
    const kube::Ref record{"Secret", "hermes", "hermes-secrets-previous"};
    ASSERT_FALSE(world_.api.object(record).is_null());
    EXPECT_THAT(run({"--remove", "222", "--dry-run"}), HasSubstr("half-done change"));
    EXPECT_THAT(run({"--remove", "222", "-y"}), AllOf(HasSubstr("half-done change of TELEGRAM_ALLOWED_USERS"),
                                                      HasSubstr("nothing to change")));
    EXPECT_TRUE(world_.api.object(record).is_null());
    EXPECT_EQ(list(), "111");
}

TEST_F(AllowUser, JsonOfADryRunHasTheShapeOfWhatIsDone) {
    run({"333", "--dry-run", "-o", "json"});
    Json planned = Json::parse(world_.out.str());
    EXPECT_EQ(planned["added"], Json::array({333}));
    EXPECT_EQ(planned["changes"], true);
    EXPECT_EQ(planned["changed"], false);
    run({"333", "-o", "json"});
    Json done = Json::parse(world_.out.str());
    EXPECT_EQ(done["changes"], true);
    EXPECT_EQ(done["changed"], true);
    for (const auto& [key, value] : done.items())
        EXPECT_TRUE(planned.contains(key)) << key;
    run({"333", "--dry-run", "-o", "json"});
    EXPECT_EQ(Json::parse(world_.out.str())["changes"], false);
}

TEST_F(AllowUser, JsonOfAFailureSaysWhetherTheListWasChanged) {
    run({"--remove", "111", "-y", "-o", "json"}, ExitCode::failed);
    EXPECT_EQ(Json::parse(world_.out.str())["changed"], false) << "the owner stays";
    world_.api.on_write = [this](const std::string&, const Json& object) {
        if (kube::ref_of(object) == secret_ref) world_.api.down = true;
    };
    run({"--remove", "222", "-y", "-o", "json"}, ExitCode::unreachable);
    EXPECT_EQ(Json::parse(world_.out.str())["changed"], true);
}

TEST_F(AllowUser, WhetherAPairingWasRevokedIsNotKnownWhereThatFails) {
    people_["paired"] = {{"222", "Bob"}};
    revoke_fails_ = true;
    run({"--remove", "222", "-y", "-o", "json"}, ExitCode::failed);
    EXPECT_EQ(Json::parse(world_.out.str())["changed"], nullptr) << world_.out.str();
    EXPECT_EQ(list(), "111,222");
    EXPECT_THAT(run({"--remove", "222", "-y"}, ExitCode::failed),
                HasSubstr("hermesctl exec -- hermes pairing revoke telegram 222, then "
                          "hermesctl allow-user --remove 222: not before that is it sure who is out"));
    EXPECT_THAT(run({"--replace", "111", "-y"}, ExitCode::failed),
                HasSubstr("then the same again, and hermesctl allow-user --remove 222"));
    people_["paired"] = {{"111", "Ann"}};
    EXPECT_THAT(run({"--remove", "111", "--force", "-y"}, ExitCode::failed),
                HasSubstr("hermesctl allow-user --remove 111 --force: not before"))
        << "without it the owner's removal is refused";
    EXPECT_THAT(run({"--remove", "111", "--owner", "222", "-y"}, ExitCode::failed),
                HasSubstr("hermesctl allow-user --remove 111 --owner 222: not before"));
    world_.api.on_exec = [this](FakeProcess& process) {  // the pod goes as soon as it was looked into
        serve(process);
        world_.api.merge({"Pod", "hermes", "hermes-1-a"},
                         {{"metadata", {{"deletionTimestamp", "2026-01-01T00:00:00Z"}}}});
    };
    people_["paired"] = {{"222", "Bob"}};
    EXPECT_THAT(
        run({"--remove", "222", "-y"}, ExitCode::failed),
        AllOf(HasSubstr("no agent runs"), HasSubstr("hermesctl allow-user --remove 222: not before")));
}

TEST_F(AllowUser, WithoutARestartTheListWaitsForOne) {
    list("111, 222,");
    EXPECT_THAT(run({"333", "--no-restart", "-o", "json"}),
                AllOf(HasSubstr(R"("inForce": false)"), HasSubstr(R"("changed": true)")));
    EXPECT_EQ(list(), "111, 222,333");
    EXPECT_EQ(owner(), "111") << "noted with the first change";
    EXPECT_THAT(run({"444", "--no-restart"}), HasSubstr("not in force yet; hermesctl restart"));
    EXPECT_THAT(world_.api.log, Not(Contains(HasSubstr("PATCH deployment"))));
    EXPECT_THAT(run({"444", "--no-restart"}), HasSubstr("nothing to change"));
}

TEST_F(AllowUser, WhatTakesAccessNeedsAYesAndADryRunChangesNothing) {
    EXPECT_THAT(run({"--remove", "222"}, ExitCode::usage),
                AllOf(HasSubstr("- 222 loses access"), HasSubstr("--yes")));
    EXPECT_THAT(run({"--replace", "111", "333", "--dry-run"}),
                AllOf(HasSubstr("+ 333 may use the bot"), HasSubstr("- 222 loses access")));
    EXPECT_FALSE(wrote());
    EXPECT_EQ(list(), "111,222");
}

TEST_F(AllowUser, WhoIsNotOnTheListIsSaidToBeSo) {
    people_["list"]["ids"] = {111, 222};
    EXPECT_THAT(run({"--remove", "333", "-y"}),
                AllOf(HasSubstr("333"), HasSubstr("is not on the list"), HasSubstr("nothing to change")));
}

TEST_F(AllowUser, APairingGoesWithItsUser) {
    people_["paired"] = {{"222", "Bob"}, {"555", "Eve"}};
    EXPECT_THAT(run({"--remove", "222", "--no-restart", "-y"}),
                HasSubstr("- revoke  Hermes' pairing of 222 (Bob)"));
    EXPECT_EQ(list(), "111");
    EXPECT_THAT(run({"--remove", "555", "-y", "-q"}), HasSubstr("- revoke  Hermes' pairing of 555"));
    EXPECT_THAT(revoked_, ::testing::ElementsAre("222", "555")) << "one who is not on the list, too";
}

TEST_F(AllowUser, WhoIsStillLetInByAnotherSourceIsNotOut) {
    people_["grants"] = {{{"name", "GATEWAY_ALLOWED_USERS"},
                          {"where", "/opt/data/.env"},
                          {"ids", {222}},
                          {"everybody", false}}};
    EXPECT_THAT(run({"--remove", "222", "--no-restart", "-y"}, ExitCode::failed),
                AllOf(HasSubstr("off the list, but not out"),
                      HasSubstr("222: GATEWAY_ALLOWED_USERS in /opt/data/.env names that one")));
    EXPECT_EQ(list(), "111");
    people_["grants"] = Json::array();
    people_["changed"] = {"/opt/data/.env"};
    people_["list"]["ids"] = {111};
    EXPECT_THAT(run({"--remove", "222", "-y"}, ExitCode::failed),
                AllOf(HasSubstr("/opt/data/.env was changed after the gateway's start"),
                      HasSubstr("hermesctl restart")));
    EXPECT_THAT(run({"--list"}), HasSubstr("/opt/data/.env was changed after the gateway's start"));
    world_.api.deny("create", "pods/exec");
    world_.api.deny("get", "pods/exec");
    EXPECT_THAT(run({"--remove", "222", "--no-restart", "-y"}, ExitCode::failed), HasSubstr("is not known"));
}

TEST_F(AllowUser, AChangeTellsWhatDecidesBesideTheList) {
    people_["grants"] = {{{"name", "GATEWAY_ALLOW_ALL_USERS"},
                          {"where", "the gateway's environment"},
                          {"ids", Json::array()},
                          {"everybody", true}},
                         {{"name", "GATEWAY_ALLOWED_USERS"},
                          {"where", "/opt/data/.env"},
                          {"ids", {333, 444}},
                          {"everybody", false}}};
    people_["paired"] = {{"555", "Eve"}};
    const auto all =
        AllOf(HasSubstr("GATEWAY_ALLOW_ALL_USERS in the gateway's environment lets in everybody"),
              HasSubstr("GATEWAY_ALLOWED_USERS in /opt/data/.env lets in 444, too"),
              HasSubstr("Hermes' pairing lets in 555 (Eve), too"));
    EXPECT_THAT(run({"333", "--dry-run"}), all);
    EXPECT_THAT(run({"333"}), AllOf(HasSubstr("in force: the running gateway has this list"), all));
    EXPECT_THAT(run({"--replace", "111", "222", "333"}), AllOf(HasSubstr("nothing to change"), all))
        << "nobody goes, and yet all are in";
    people_["unread"] = {"/opt/data/.env"};
    run({"333", "-o", "json"});
    const Json json = Json::parse(world_.out.str());
    EXPECT_EQ(json["others"].size(), 2u);
    EXPECT_EQ(json["others"][0]["everybody"], true);
    EXPECT_EQ(json["paired"], Json::array({555}));
    EXPECT_EQ(json["unread"], Json::array({"/opt/data/.env"}));
    EXPECT_EQ(json["asked"], true);
    EXPECT_EQ(json["changed"], false) << "333 was let in before";
}

TEST_F(AllowUser, WhileTheAgentIsStoppedNobodyIsIn) {
    world_.api.merge(deployment_ref, {{"spec", {{"replicas", 0}}}});
    world_.api.erase({"Pod", "hermes", "hermes-1-a"});
    EXPECT_THAT(
        run({"--remove", "222", "-y"}),
        AllOf(HasSubstr("hermesctl start brings the list in force"), HasSubstr("nobody is in now"),
              HasSubstr("after the start: hermesctl allow-user --remove 222"), Not(HasSubstr("not out"))));
    EXPECT_EQ(list(), "111");
    EXPECT_THAT(run({"222", "--no-restart", "-o", "json"}), HasSubstr(R"("inForce": null)"));
    EXPECT_THAT(run({"333"}), AllOf(HasSubstr("hermesctl start"), Not(HasSubstr("nobody is in now"))));
}

TEST_F(AllowUser, AListInAFileIsNotTakenForTheSecrets) {
    people_["grants"] = {{{"name", "TELEGRAM_ALLOWED_USERS"},
                          {"where", "/opt/data/.env"},
                          {"ids", {111}},
                          {"everybody", false}}};
    EXPECT_THAT(run({"333"}, ExitCode::failed), HasSubstr("/opt/data/.env stands in for the Secret's list"));
    EXPECT_FALSE(wrote());
    EXPECT_THAT(run({"--list"}), HasSubstr("stands in for the list: by it 111 may use the bot"));
}

TEST_F(AllowUser, AnOpenListIsClosedOnlyOnPurpose) {
    list("*,111");
    EXPECT_THAT(run({"333"}, ExitCode::failed), HasSubstr("--replace"));
    EXPECT_THAT(run({"--remove", "111"}, ExitCode::failed), HasSubstr("--replace"));
    EXPECT_THAT(run({"--replace", "111", "--no-restart"}, ExitCode::usage),
                HasSubstr("everybody (*) loses access"));
    run({"--replace", "111", "--no-restart", "-y"});
    EXPECT_EQ(list(), "111");
}

TEST_F(AllowUser, TheListTellsNamesTheOwnerAndWhatElseLetsPeopleIn) {
    people_["paired"] = {{"555", "Eve\x1b[2J"}};
    people_["list"]["ids"] = {111};
    people_["grants"] = {{{"name", "GATEWAY_ALLOWED_USERS"},
                          {"where", "the gateway's environment"},
                          {"ids", {444}},
                          {"everybody", false}},
                         {{"name", "telegram.allow_from"},
                          {"where", "/opt/data/config.yaml"},
                          {"ids", {111}},
                          {"everybody", false}}};
    const std::string text = run({"--list"});
    EXPECT_THAT(text, AllOf(HasSubstr("Ann (@ann)"), HasSubstr("the owner"), HasSubstr("paired with Hermes"),
                            HasSubstr("lets in 444, too"), HasSubstr("comes before the list"),
                            HasSubstr("hermesctl restart brings this one in force"), Not(HasSubstr("\x1b"))));
    run({"--list", "-o", "json"});
    const Json json = Json::parse(world_.out.str());
    EXPECT_EQ(json["users"].size(), 3u);
    EXPECT_EQ(json["users"][0]["owner"], true);
    EXPECT_EQ(json["users"][2]["by"], "pairing");
    EXPECT_EQ(json["inForce"], false);
    world_.api.merge({"Pod", "hermes", "hermes-1-a"},
                     {{"metadata", {{"deletionTimestamp", "2026-01-01T00:00:00Z"}}}});
    EXPECT_THAT(run({"--list"}), AllOf(HasSubstr("222"), HasSubstr("could not be asked in the pod")));
}

TEST_F(AllowUser, TheListTellsWhatTheDeploymentItselfOpens) {
    const auto everybody = [this] {
        run({"--list", "-o", "json"});
        return Json::parse(world_.out.str())["everybody"];
    };
    EXPECT_EQ(everybody(), false);
    const Json variable{{"name", "TELEGRAM_ALLOW_ALL_USERS"}, {"value", "true"}};
    world_.api.merge(
        deployment_ref,
        {{"spec",
          {{"template", {{"spec", {{"containers", {{{"name", "hermes"}, {"env", {variable}}}}}}}}}}}});
    EXPECT_THAT(
        run({"--list"}),
        HasSubstr("TELEGRAM_ALLOW_ALL_USERS in deployment/hermes lets everybody in; kubectl -n hermes "
                  "set env deployment/hermes TELEGRAM_ALLOW_ALL_USERS- ends that"));
    EXPECT_EQ(everybody(), true);
    grant("TELEGRAM_ALLOW_ALL_USERS", "the gateway's environment");
    EXPECT_THAT(run({"--list"}), Not(HasSubstr("the gateway's environment"))) << "once is enough";
    world_.api.deny("get", "deployments");
    EXPECT_THAT(run({"--list"}), HasSubstr("111"));
    EXPECT_EQ(everybody(), nullptr) << "nobody could tell";
}

TEST_F(AllowUser, JsonOfTheListTellsWhoeverOpensItToEverybody) {
    const auto everybody = [this](const char* name, const char* where) {
        grant(name, where);
        run({"--list", "-o", "json"});
        return Json::parse(world_.out.str())["everybody"];
    };
    for (const char* where : {"/opt/data/.env", "the gateway's environment"}) {
        EXPECT_EQ(everybody("GATEWAY_ALLOW_ALL_USERS", where), true);
        EXPECT_EQ(everybody("GATEWAY_ALLOWED_USERS", where), true);
        EXPECT_EQ(everybody("TELEGRAM_GROUP_ALLOWED_CHATS", where), false) << "in groups only";
    }
    EXPECT_EQ(everybody("TELEGRAM_ALLOWED_USERS", "/opt/data/.env"), true);
    EXPECT_EQ(everybody("telegram.allow_from", "/opt/data/config.yaml"), false) << "it comes before the list";
    people_["unread"] = {"/opt/data/.env"};
    EXPECT_EQ(everybody("telegram.allow_from", "/opt/data/config.yaml"), nullptr);
    people_["unread"] = Json::array();
    people_["changed"] = {"/opt/data/.env"};
    EXPECT_EQ(everybody("telegram.allow_from", "/opt/data/config.yaml"), nullptr) << "what it said before";
    people_["changed"] = Json::array();
    people_["list"]["everybody"] = true;
    EXPECT_EQ(everybody("telegram.allow_from", "/opt/data/config.yaml"), true) << "the gateway has it yet";
    EXPECT_THAT(run({"--list"}), HasSubstr("the gateway started with another list (everybody)"));
}

TEST_F(AllowUser, PendingTellsWhoTriedAndTheCommandThatLetsThemIn) {
    people_["names"] = {{"333", "Bob"}};
    log_ =
        "2026-05-10 16:00:01,000 WARNING p: [Telegram] Blocked unauthorized user 333 in chat 333\n"
        "2026-05-10 16:00:02,000 WARNING p: [Telegram] Blocked unauthorized user 222 in chat 222\n";
    const std::string text = run({"--pending"});
    EXPECT_THAT(text, AllOf(HasSubstr("Bob"), HasSubstr("2026-05-10 16:00:01 +0100"),
                            HasSubstr("hermesctl allow-user 333"), Not(HasSubstr("222"))))
        << "who is on the list by now is not pending";
    run({"--pending", "-o", "json"});
    EXPECT_EQ(Json::parse(world_.out.str())["pending"][0]["name"], "Bob");
    log_ = "";
    EXPECT_THAT(run({"--pending"}), HasSubstr("nobody has been refused"));
}

}  // namespace
}  // namespace hermesctl::cli
