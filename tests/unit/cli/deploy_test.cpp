// deploy and diff as a whole, against a server in memory: what is shown, asked, changed and left alone.
#include "hermesctl/base/crypto.hpp"
#include "hermesctl/base/file.hpp"
#include "hermesctl/kube/yaml.hpp"
#include "support/cli_world.hpp"
#include "support/installation.hpp"
#include "support/recording_reporter.hpp"
#include "support/scratch.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using kube::Json;
using kube::Ref;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Ref secret_ref{"Secret", "hermes", "hermes-secrets"};
const Ref deployment_ref{"Deployment", "hermes", "hermes"};
const Ref lease_ref{"Lease", "hermes", "hermes-hermesctl"};

class DeployTest : public ::testing::Test {
  protected:
    DeployTest() {
        world_.context.environment["TOKEN"] = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr";
        world_.context.environment["KEY"] = "the-key-of-minimax";
    }
    ExitCode deploy(std::vector<std::string> more = {}) {
        std::vector<std::string> line{"deploy", "--no-wait"};
        line.insert(line.end(), more.begin(), more.end());
        world_.api.log.clear();
        return world_.run(line);
    }
    void install(const std::string& users = "111") {
        ASSERT_EQ(deploy({"--allow-user", users, "--secret", "TELEGRAM_BOT_TOKEN=env:TOKEN", "--secret",
                          "MINIMAX_API_KEY=env:KEY"}),
                  ExitCode::ok)
            << err();
    }
    void edit(const Json& change, const char* manager) {
        kube::Client client(world_.transport, world_.clock, reporter_);
        client.patch(deployment_ref, kube::Patch::merge, change, {.manager = manager}).value();
    }
    std::string users() const {
        return base64_decode(kube::text_at(world_.api.object(secret_ref), "/data/TELEGRAM_ALLOWED_USERS"))
            .value();
    }
    std::vector<std::string> writes() const {
        std::vector<std::string> found;
        for (const std::string& line : world_.api.log) {
            const bool reads =
                line.starts_with("GET ") || line.starts_with("LIST ") || line.ends_with(" (dry run)");
            if (!reads) found.push_back(line);
        }
        return found;
    }
    /// Of a hermes.yaml.
    static std::string document(const std::string& name, const std::string& ns,
                                const std::string& key = "KEY") {
        return "apiVersion: hermesctl/v1\nkind: Hermes\nname: " + name + "\nnamespace: " + ns +
               "\ntelegram: {allowedUsers: [111]}\n"
               "secrets: {TELEGRAM_BOT_TOKEN: {env: TOKEN}, MINIMAX_API_KEY: {env: " +
               key + "}}\n";
    }
    std::string out() const { return world_.out.str(); }
    std::string err() const { return world_.err.str(); }

    testing::RecordingReporter reporter_;
    testing::CliWorld world_;
    testing::Scratch scratch_;
};

TEST_F(DeployTest, FromNothingMakesAll) {
    install();
    EXPECT_EQ(users(), "111");
    EXPECT_FALSE(world_.api.object(deployment_ref).is_null());
    EXPECT_TRUE(world_.api.object(lease_ref).is_null()) << "given back";
    EXPECT_THAT(err(), AllOf(HasSubstr("+ create  deployment/hermes"), Not(HasSubstr("the-key-of-minimax"))));
}

TEST_F(DeployTest, WithNothingToChangeOnlyReads) {
    install();
    ASSERT_EQ(deploy({"-o", "json"}), ExitCode::ok) << err();
    EXPECT_EQ(Json::parse(out())["changed"], false);
    ASSERT_EQ(deploy({"--image", "a/b:2", "-o", "json"}), ExitCode::ok) << err();
    EXPECT_EQ(Json::parse(out())["changed"], true);
    ASSERT_EQ(deploy(), ExitCode::ok) << err();
    EXPECT_EQ(out(), "nothing to change\n");
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_THAT(world_.api.log, Not(Contains(HasSubstr("PATCH"))));
    EXPECT_LE(world_.api.log.size(), 8u + 8u) << ::testing::PrintToString(world_.api.log);
}

/// The policy is the same for whoever may use the bot.
TEST_F(DeployTest, TheExplanationOfThePolicyWantsNeitherUsersNorSecrets) {
    EXPECT_EQ(world_.run({"render"}), ExitCode::usage);
    EXPECT_THAT(err(), HasSubstr("this is needed"));
    EXPECT_EQ(world_.run({"render", "--explain"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("10.0.0.0/8"));
    const std::string file = scratch_.write("hermes.yaml",
                                            "apiVersion: hermesctl/v1\nkind: Hermes\n"
                                            "secrets: {TELEGRAM_BOT_TOKEN: {env: UNSET}}\n");
    EXPECT_EQ(world_.run({"render", "--explain", "-f", file}), ExitCode::ok) << "it is not read: " << err();
}

TEST_F(DeployTest, DryRunAndDiffChangeNothing) {
    install();
    EXPECT_EQ(deploy({"--dry-run", "--image", "a/b:2"}), ExitCode::ok);
    EXPECT_THAT(out(), HasSubstr("-> a/b:2"));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_EQ(world_.run({"diff", "--image", "a/b:2", "-o", "json"}), ExitCode::pending);
    EXPECT_EQ(Json::parse(out())["rollsPod"], true);
    EXPECT_EQ(world_.run({"diff"}), ExitCode::ok);
}

TEST_F(DeployTest, ACredentialUnderConfigIsNeitherSentNorShown) {
    const std::string file = scratch_.write(
        "hermes.yaml", document("hermes", "hermes") + "config: {model: {api_key: hunter2hunter2}}\n");
    for (const char* command : {"deploy", "diff", "render"}) {
        world_.api.log.clear();
        EXPECT_EQ(world_.run({command, "-f", file}), ExitCode::usage);
        EXPECT_THAT(err(), AllOf(HasSubstr("hermes.yaml:7:27: config.model.api_key is a credential"),
                                 HasSubstr("${NAME}")));
        EXPECT_THAT(out() + err(), Not(HasSubstr("hunter2")));
        EXPECT_THAT(world_.api.log, IsEmpty()) << command;
    }
}

TEST_F(DeployTest, AnImageByItsDigestIsShownWhole) {
    install();
    const std::string image = "a.example/hermes@sha256:" + sha256_hex("an image");
    EXPECT_EQ(deploy({"--image", image}), ExitCode::ok) << err();
    EXPECT_THAT(err(), HasSubstr("-> " + image.substr(0, 40)));
    EXPECT_EQ(world_.run({"list"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr(image));
}

/// Somebody let in since the file was written is not put out by it.
TEST_F(DeployTest, WhoMayUseTheBotNowStaysThoughNotNamed) {
    install("111,999");
    world_.api.merge(secret_ref, {{"data", {{"TELEGRAM_ALLOWED_USERS", base64_encode("111, 999,")}}}});
    EXPECT_EQ(deploy({"--allow-user", "222", "-o", "json"}), ExitCode::ok) << err();
    EXPECT_EQ(users(), "111, 999,222") << "what was there stays as it is written";
    EXPECT_THAT(err(), AllOf(HasSubstr("111, 999 may use the bot now"), HasSubstr("--replace-users"),
                             HasSubstr("+ 222 may use the bot"), Not(HasSubstr("loses access"))));
    EXPECT_EQ(Json::parse(out())["keptUsers"], Json({111, 999}));
    EXPECT_EQ(deploy({"--allow-user", "222"}), ExitCode::ok);
    EXPECT_EQ(out(), "nothing to change\n");
    EXPECT_THAT(err(), HasSubstr("111, 999 may use the bot now")) << "told, though nothing changes";
    EXPECT_EQ(world_.run({"diff", "--allow-user", "222"}), ExitCode::ok);
    EXPECT_THAT(err(), HasSubstr("--replace-users"));
}

TEST_F(DeployTest, NobodyLosesAccessWithoutAYes) {
    install("111,999");
    EXPECT_EQ(deploy({"--allow-user", "222", "--allow-user", "111", "--replace-users"}), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr("+ 222 may use the bot"), HasSubstr("- 999 loses access"),
                             Not(HasSubstr("- 111 loses access")), HasSubstr("--yes")));
    EXPECT_EQ(users(), "111,999");
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_EQ(deploy({"--allow-user", "222", "--allow-user", "111", "--replace-users", "-y"}), ExitCode::ok);
    EXPECT_EQ(users(), "222,111");
    EXPECT_EQ(deploy({"--replace-users", "-y"}), ExitCode::usage);
    EXPECT_THAT(err(), HasSubstr("nobody is named"));
}

TEST_F(DeployTest, TheFirstOneEverAllowedIsTheOwnerAndStays) {
    const auto owner = [&] {
        return kube::text_at(world_.api.object(secret_ref), "/metadata/annotations/hermesctl~1owner");
    };
    install("111,999");
    EXPECT_EQ(owner(), "111");
    EXPECT_EQ(deploy({"--allow-user", "222", "--replace-users", "-y"}), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr("111 owns the bot"), HasSubstr("hermesctl allow-user ID --owner ID")));
    EXPECT_EQ(users(), "111,999");
    // One that was made by hand has an owner, too: the first of its list.
    world_.api.merge(secret_ref, {{"metadata", {{"annotations", {{"hermesctl/owner", nullptr}}}}}});
    EXPECT_EQ(deploy({"--allow-user", "222", "--replace-users", "-y"}), ExitCode::usage);
    EXPECT_THAT(err(), HasSubstr("111 owns the bot"));
    const std::string file = scratch_.write(
        "h.yaml", "apiVersion: hermesctl/v1\nkind: Hermes\ntelegram: {allowedUsers: [222]}\nowner: 222\n");
    EXPECT_EQ(deploy({"-f", file, "--replace-users", "-y"}), ExitCode::ok) << err();
    EXPECT_EQ(users(), "222");
    EXPECT_EQ(owner(), "222");
    EXPECT_EQ(deploy({"--allow-user", "333"}), ExitCode::ok) << err();
    EXPECT_EQ(owner(), "222") << "a later one moves nothing";
}

TEST_F(DeployTest, ForcedConflictsAreShownWithTheirOwnerAndAskedFor) {
    install();
    edit({{"spec", {{"revisionHistoryLimit", 9}}}}, "argocd");
    EXPECT_EQ(deploy(), ExitCode::failed);
    EXPECT_THAT(err(), AllOf(HasSubstr(".spec.revisionHistoryLimit belongs to argocd"),
                             HasSubstr("run this again with --force-conflicts")));
    EXPECT_EQ(deploy({"--force-conflicts"}), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr(".spec.revisionHistoryLimit belongs to argocd"), HasSubstr("--yes")));
    EXPECT_EQ(world_.api.object(deployment_ref)["spec"]["revisionHistoryLimit"], 9);
    EXPECT_EQ(deploy({"--force-conflicts", "-y"}), ExitCode::ok) << err();
}

/// Between the plan and the yes a person may have taken minutes.
TEST_F(DeployTest, WhatSomebodyElseChangedMeanwhileIsNotOverwritten) {
    install();
    world_.api.on_write = [&](const std::string&, const Json& object) {
        if (object["kind"] != "Lease") return;
        world_.api.on_write = nullptr;
        world_.api.merge(secret_ref, {{"data", {{"MINIMAX_API_KEY", base64_encode("rotated-by-another")}}}});
    };
    EXPECT_EQ(deploy({"--allow-user", "111", "--allow-user", "222"}), ExitCode::failed);
    EXPECT_THAT(err(), HasSubstr("secret/hermes-secrets was changed meanwhile"));
    EXPECT_EQ(users(), "111");
    EXPECT_TRUE(world_.api.object(lease_ref).is_null());
}

TEST_F(DeployTest, UsersAreNoSecret) {
    EXPECT_EQ(deploy({"--secret", "TELEGRAM_ALLOWED_USERS=env:KEY"}), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr("--allow-user"), HasSubstr("telegram.allowedUsers")));
    const std::string file = scratch_.write(
        "h.yaml", "apiVersion: hermesctl/v1\nkind: Hermes\nsecrets:\n  TELEGRAM_ALLOWED_USERS: {env: KEY}\n");
    EXPECT_EQ(deploy({"-f", file}), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr("h.yaml:4:"), HasSubstr("--allow-user")));
    EXPECT_THAT(world_.api.log, IsEmpty()) << "before anything is sent";
}

TEST_F(DeployTest, PathsOfFlagsAreRelativeToWhereOneIs) {
    const auto here = std::filesystem::current_path();
    std::filesystem::current_path(scratch_.path());
    scratch_.write("token", world_.context.environment["TOKEN"]);
    scratch_.write("conf/key", "the-key-beside-the-file");
    scratch_.write("conf/hermes.yaml",
                   "apiVersion: hermesctl/v1\nkind: Hermes\ntelegram: {allowedUsers: [111]}\n"
                   "secrets: {MINIMAX_API_KEY: {file: key}}\n");
    EXPECT_EQ(deploy({"-f", "conf/hermes.yaml", "--secret", "TELEGRAM_BOT_TOKEN=@token"}), ExitCode::ok)
        << err();
    std::filesystem::current_path(here);
    EXPECT_EQ(kube::text_at(world_.api.object(secret_ref), "/data/MINIMAX_API_KEY"),
              base64_encode("the-key-beside-the-file"));
}

TEST_F(DeployTest, WhatWasDoneIsToldBeforeTheSecondOneFails) {
    const std::string file =
        scratch_.write("two.yaml", document("one", "one") + "---\n" + document("two", "two"));
    world_.api.fail("PATCH", "Deployment", 2, testing::refusal(422, "Invalid", "no such image"));
    EXPECT_EQ(deploy({"-f", file, "-o", "json"}), ExitCode::failed);
    EXPECT_FALSE(world_.api.object({"Deployment", "one", "one"}).is_null());
    Json document_out = Json::parse(out());
    EXPECT_EQ(document_out["changed"], true);
    ASSERT_EQ(document_out["instances"].size(), 2u);
    EXPECT_EQ(document_out["instances"][0]["name"], "one");
    EXPECT_EQ(document_out["instances"][1]["namespace"], "two");
    EXPECT_EQ(document_out["instances"][1]["changed"], true) << "all but its Deployment is there";
    EXPECT_THAT(document_out["error"]["message"].dump(), HasSubstr("no such image"));
    EXPECT_THAT(document_out["error"]["while"].dump(), HasSubstr("deploying two in namespace two"));
}

TEST_F(DeployTest, ADiffOfAFileOfSeveralNamesEachInstance) {
    const std::string file =
        scratch_.write("two.yaml", document("one", "one") + "---\n" + document("two", "two"));
    ASSERT_EQ(deploy({"-f", file}), ExitCode::ok) << err();
    world_.api.erase({"Deployment", "two", "two"});
    EXPECT_EQ(world_.run({"diff", "-f", file, "-o", "json"}), ExitCode::pending) << err();
    Json said = Json::parse(out());
    EXPECT_EQ(said["changes"], true);
    ASSERT_EQ(said["instances"].size(), 2u);
    EXPECT_EQ(said["instances"][0]["namespace"], "one");
    EXPECT_EQ(said["instances"][0]["name"], "one");
    EXPECT_EQ(said["instances"][0]["changes"], false);
    EXPECT_EQ(said["instances"][1]["namespace"], "two");
    EXPECT_EQ(said["instances"][1]["name"], "two");
    EXPECT_EQ(said["instances"][1]["changes"], true);
}

TEST_F(DeployTest, WhatWasChangedIsToldThoughItFails) {
    EXPECT_EQ(deploy({"-o", "json"}), ExitCode::usage);
    EXPECT_EQ(Json::parse(out())["changed"], false);
    world_.api.fail("PATCH", "Deployment", 1, testing::refusal(422, "Invalid", "no such image"));
    EXPECT_EQ(deploy({"--allow-user", "111", "--secret", "TELEGRAM_BOT_TOKEN=env:TOKEN", "--secret",
                      "MINIMAX_API_KEY=env:KEY", "-o", "json"}),
              ExitCode::failed);
    Json said = Json::parse(out());
    EXPECT_EQ(said["namespace"], "hermes");
    EXPECT_EQ(said["name"], "hermes");
    EXPECT_EQ(said["changed"], true);
    ASSERT_EQ(said["objects"].size(), 7u);
    for (const Json& object : said["objects"])
        EXPECT_EQ(object["changed"], object["kind"] != "Deployment") << object;
    EXPECT_THAT(said["error"]["message"].dump(), HasSubstr("no such image"));
}

TEST_F(DeployTest, WhatIsWrongWithAnyOfAFileIsToldBeforeTheFirstIsChanged) {
    const std::string file =
        scratch_.write("three.yaml", document("one", "one") + "---\n" + document("two", "two", "UNSET") +
                                         "---\n" + document("three", "three", "NOT_SET"));
    EXPECT_EQ(deploy({"-f", file, "-o", "json"}), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr("two in namespace two: this is needed:"), HasSubstr("variable UNSET"),
                             HasSubstr("three in namespace three: this is needed:"),
                             HasSubstr("variable NOT_SET"), Not(HasSubstr("one in namespace one:"))));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_EQ(Json::parse(out())["changed"], false);
}

TEST_F(DeployTest, QuietShowsThePlanOnlyWhereItTakesSomethingOrAnErrorIsAboutIt) {
    install();
    ASSERT_EQ(deploy({"-q", "--image", "a/b:2"}), ExitCode::ok) << "nobody is asked: " << err();
    EXPECT_THAT(err(), Not(HasSubstr("~ change")));
    world_.terminal.input = true;
    ASSERT_EQ(deploy({"-q", "-y", "--image", "a/b:3"}), ExitCode::ok) << err();
    EXPECT_THAT(err(), Not(HasSubstr("~ change"))) << "only what is ours is updated";
    world_.terminal.input = false;
    edit({{"spec", {{"revisionHistoryLimit", 9}}}}, "argocd");
    EXPECT_EQ(deploy({"-q", "-y"}), ExitCode::failed);
    EXPECT_THAT(err(), AllOf(HasSubstr("~ change"), HasSubstr("(see the plan)")));
    EXPECT_EQ(deploy({"-q", "--force-conflicts"}), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr("~ change"), HasSubstr("a yes is needed")));
    EXPECT_EQ(deploy({"-q", "-y", "--force-conflicts"}), ExitCode::ok) << err();
    EXPECT_THAT(err(), HasSubstr(".spec.revisionHistoryLimit belongs to argocd")) << "whose field it takes";
}

TEST_F(DeployTest, WhatAPlanOfAFileIsRefusedForIsToldBeforeTheFirstIsChanged) {
    install();
    const std::string file =
        scratch_.write("two.yaml", document("one", "one") + "---\n" + document("hermes", "hermes"));
    edit({{"spec", {{"revisionHistoryLimit", 9}}}}, "argocd");
    EXPECT_EQ(deploy({"-f", file}), ExitCode::failed);
    EXPECT_THAT(err(),
                AllOf(HasSubstr(".spec.revisionHistoryLimit belongs to argocd"),
                      HasSubstr("while checking hermes in namespace hermes, before anything is changed"),
                      Not(HasSubstr("deployment/one"))));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_EQ(deploy({"-f", file, "--force-conflicts"}), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr("hermes in namespace hermes: a yes is needed"), HasSubstr("--yes")));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_EQ(deploy({"-f", file, "--force-conflicts", "-y"}), ExitCode::ok) << err();
}

TEST_F(DeployTest, ASecretOfAFileOfSeveralIsReadOnceAndNoProgramInheritsOne) {
    world_.context.environment["OTHER"] = "a-key-that-is-no-program's";
    const std::string program = scratch_.write(
        "program", "#!/bin/sh\necho started >> $0.ran\n/usr/bin/env >> $0.ran\necho the-key-of-a-program\n",
        true);
    const std::string one =
        "name: one\nnamespace: one\ntelegram: {allowedUsers: [111]}\nsecrets:\n"
        "  TELEGRAM_BOT_TOKEN: {stdin: true}\n"
        "  MINIMAX_API_KEY: {cmd: [" +
        program + "]}\n";
    const std::string file = scratch_.write("two.yaml", one + "---\n" + document("two", "two", "OTHER"));
    world_.in.str(world_.context.environment["TOKEN"]);
    ASSERT_EQ(deploy({"-f", file}), ExitCode::ok) << err();
    const Json& secret = world_.api.object({"Secret", "one", "one-secrets"});
    EXPECT_EQ(kube::text_at(secret, "/data/MINIMAX_API_KEY"), base64_encode("the-key-of-a-program"));
    EXPECT_EQ(kube::text_at(secret, "/data/TELEGRAM_BOT_TOKEN"),
              base64_encode(world_.context.environment["TOKEN"]));
    const std::string ran = read_file(program + ".ran").value();
    EXPECT_EQ(ran.find("started"), ran.rfind("started")) << ran;
    EXPECT_THAT(ran, Not(HasSubstr("no-program")));
}

TEST_F(DeployTest, NoProgramInheritsASecretOfAnotherInstance) {
    for (const std::string& command : std::vector<std::string>{"render", "diff", "deploy"}) {
        world_.context.environment["OTHER"] = "no-value-for-the-program-of-" + command;
        const std::string program =
            scratch_.write(command, "#!/bin/sh\n/usr/bin/env > $0.ran\necho the-key-of-a-program\n", true);
        const std::string one =
            "name: one\nnamespace: one\ntelegram: {allowedUsers: [111]}\nsecrets:\n"
            "  TELEGRAM_BOT_TOKEN: {env: TOKEN}\n  MINIMAX_API_KEY: {cmd: [" +
            program + "]}\n";
        const std::string file = scratch_.write("two.yaml", one + "---\n" + document("two", "two", "OTHER"));
        if (command == "deploy") {
            EXPECT_EQ(deploy({"-f", file}), ExitCode::ok) << err();
        } else {
            EXPECT_NE(world_.run({command, "-f", file}), ExitCode::usage) << err();
        }
        EXPECT_THAT(read_file(program + ".ran").value(),
                    AllOf(HasSubstr("HOME="), Not(HasSubstr("no-value"))))
            << command;
    }
}

TEST_F(DeployTest, AnEmptyValueOfAFlagIsNotIgnored) {
    for (const auto& [flag, place] : {std::pair{"--provider", "model.provider: "},
                                      {"--model", "model.default: "},
                                      {"--image", "image: "},
                                      {"--storage-size", "storage.size: "},
                                      {"--allow-user", "--allow-user names nobody"}}) {
        EXPECT_EQ(deploy({flag, ""}), ExitCode::usage) << flag;
        EXPECT_THAT(err(), HasSubstr(place));
    }
    ASSERT_EQ(deploy({"-f", scratch_.write("h.yaml", document("hermes", "hermes") + "storage: {class: a}\n"),
                      "--storage-class", ""}),
              ExitCode::ok)
        << err();
    const Json& claim = world_.api.object({"PersistentVolumeClaim", "hermes", "hermes-data"});
    EXPECT_EQ(kube::at(claim, "/spec/storageClassName"), "") << "none, and not the cluster's default";
}

TEST_F(DeployTest, ACommandThatTheFileWouldUndoSaysSo) {
    world_.api.put(testing::object_of("Namespace", "", "hermes"));
    world_.api.merge({"Namespace", "", "hermes"},
                     {{"metadata", {{"labels", {{"pod-security.kubernetes.io/enforce", "restricted"}}}}}});
    const std::string said = document("hermes", "hermes") + "pod: {hardened: false}\n";
    const std::string file = scratch_.write("h.yaml", said);
    EXPECT_EQ(deploy({"-f", file, "-y"}), ExitCode::failed);
    EXPECT_THAT(err(), HasSubstr("hint: hermesctl deploy -f " + file +
                                 " --hardened, if the image starts without root; " + file +
                                 " sets that, too: change it there; else kubectl label"));
    EXPECT_EQ(deploy({"-f", scratch_.write("h.yaml", document("hermes", "hermes")), "-y"}), ExitCode::failed);
    EXPECT_THAT(err(), Not(HasSubstr("sets that, too")));
}

TEST_F(DeployTest, CommandsToTypeMeanTheOneOfTheFileThatTheyAreAbout) {
    const std::string file =
        scratch_.write("two.yaml", document("one", "hermes") + "---\n" + document("two", "hermes"));
    ASSERT_EQ(deploy({"-f", file, "-y"}), ExitCode::ok) << err();
    for (const char* name : {"one", "two"})
        world_.api.merge({"Deployment", "hermes", name}, {{"spec", {{"replicas", 0}}}});
    EXPECT_EQ(deploy({"-f", file, "-y"}), ExitCode::ok) << err();
    for (const char* name : {"one", "two"})
        EXPECT_THAT(out(), HasSubstr("hermesctl start -f " + file + " -n hermes --name " + name + " lets"));
}

TEST_F(DeployTest, CommandsToTypeOfOneAreNotCompletedByTheNext) {
    const std::string both = document("hermes", "hermes") + "---\n" + document("two", "b");
    world_.in.str(both);
    ASSERT_EQ(deploy({"-f", "-", "-y"}), ExitCode::ok) << err();
    world_.api.merge(deployment_ref, {{"spec", {{"replicas", 0}}}});
    world_.in.clear();
    world_.in.str(both);
    EXPECT_EQ(deploy({"-f", "-", "-y"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("hermesctl start lets it answer"));
}

TEST_F(DeployTest, CommandsToTypeDoNotReadStdinAgain) {
    install();
    world_.api.merge(deployment_ref, {{"spec", {{"replicas", 0}}}});
    world_.in.str("apiVersion: hermesctl/v1\nkind: Hermes\n");
    EXPECT_EQ(deploy({"-f", "-"}), ExitCode::ok) << err();
    EXPECT_THAT(out(), HasSubstr("hermesctl start lets it answer"));
}

TEST_F(DeployTest, AnImageThatNeedsRootIsRefusedBeforeAnythingIsChanged) {
    install();
    world_.api.on_write = [this](const std::string& type, const Json& object) {
        if (kube::text_at(object, "/kind") != "Job" || type != "ADDED") return;
        const std::string name = kube::text_at(object, "/metadata/name");
        Json pod = testing::object_of("Pod", "hermes", name + "-x", kube::at(object, "/spec/template"));
        pod["metadata"]["labels"]["job-name"] = name;
        const Json ended{{"terminated", {{"exitCode", 100}, {"message", "preinit: fatal: /run"}}}};
        pod["status"] = {{"containerStatuses", {{{"name", "start"}, {"state", ended}}}}};
        world_.api.put(pod);
    };
    const Json before = world_.api.object(deployment_ref);
    EXPECT_EQ(deploy({"--hardened", "--allow-user", "111,222"}), ExitCode::failed);
    EXPECT_THAT(err(), AllOf(HasSubstr("does not start without root"), HasSubstr("preinit: fatal: /run"),
                             HasSubstr("hint: deploy without --hardened, or choose an image")));
    EXPECT_EQ(users(), "111");
    EXPECT_EQ(world_.api.object(deployment_ref), before);
}

TEST_F(DeployTest, HardenedIsKeptAndTakenBackByName) {
    install();
    world_.api.on_write = [this](const std::string& type, const Json& object) {
        if (kube::text_at(object, "/kind") != "Pod" || type != "ADDED") return;
        const Json ended{{"terminated", {{"exitCode", 0}}}};
        world_.api.merge(kube::ref_of(object),
                         {{"status", {{"containerStatuses", {{{"name", "start"}, {"state", ended}}}}}}});
    };
    const auto reads_only = [&] {
        return kube::bool_at(world_.api.object(deployment_ref),
                             "/spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem");
    };
    ASSERT_EQ(deploy({"--hardened", "--dry-run"}), ExitCode::ok) << err();
    EXPECT_THAT(err(), HasSubstr("whether it starts without root is not known yet"));
    ASSERT_EQ(deploy({"--hardened"}), ExitCode::ok) << err();
    EXPECT_TRUE(reads_only());
    ASSERT_EQ(deploy({"--dry-run"}), ExitCode::ok) << err();
    EXPECT_THAT(err(), Not(HasSubstr("without root")));
    ASSERT_EQ(deploy(), ExitCode::ok) << err();
    EXPECT_EQ(out(), "nothing to change\n");
    ASSERT_EQ(deploy({"--no-hardened"}), ExitCode::ok) << err();
    EXPECT_FALSE(reads_only());
    EXPECT_EQ(deploy({"--hardened", "--no-hardened"}), ExitCode::usage);
}

TEST_F(DeployTest, AModelForALiveInstallationSaysThatItsConfigStays) {
    install();
    EXPECT_EQ(deploy({"--model", "MiniMax-M3"}), ExitCode::ok) << err();
    EXPECT_THAT(err(), AllOf(HasSubstr("stays as it is"), HasSubstr("--config merge")));
    EXPECT_EQ(deploy({"--model", "MiniMax-M4", "--config", "merge"}), ExitCode::failed);
    EXPECT_THAT(err(), HasSubstr("its config.yaml cannot be read")) << "no pod runs here";
    EXPECT_THAT(writes(), IsEmpty());
}

TEST_F(DeployTest, WhatWouldMakeNoPodIsRefusedBeforeTheOneThatRunsIsGone) {
    const Ref name_space{"Namespace", "", "hermes"};
    const Json label{{"metadata", {{"labels", {{"pod-security.kubernetes.io/enforce", "restricted"}}}}}};
    world_.api.put(testing::object_of("Namespace", "", "hermes"));
    install();
    world_.api.merge(name_space, label);
    EXPECT_EQ(deploy(), ExitCode::ok) << "no pod is made: " << err();
    EXPECT_EQ(deploy({"--image", "a/b:2", "-y"}), ExitCode::failed);
    EXPECT_THAT(
        err(), AllOf(HasSubstr("enforces Pod Security \"restricted\""),
                     HasSubstr("hint: hermesctl deploy --hardened"), HasSubstr("kubectl label --overwrite")));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_EQ(deploy({"--dry-run", "--image", "a/b:2"}), ExitCode::ok);
    EXPECT_THAT(err(), HasSubstr("lets in only the hardened form"));
    world_.api.erase(deployment_ref);
    EXPECT_EQ(deploy({"-y"}), ExitCode::failed) << "nor is a first one made";
}

TEST_F(DeployTest, MovingInWithOthersIsAskedFor) {
    world_.api.put(testing::object_of("Namespace", "", "hermes"));
    world_.api.put(testing::object_of("Pod", "hermes", "db-0"));
    const std::vector<std::string> first{"--allow-user", "111",
                                         "--secret",     "TELEGRAM_BOT_TOKEN=env:TOKEN",
                                         "--secret",     "MINIMAX_API_KEY=env:KEY"};
    EXPECT_EQ(deploy(first), ExitCode::usage);
    EXPECT_THAT(err(), AllOf(HasSubstr("where others run (1 pod in namespace/hermes)"), HasSubstr("--yes")));
    EXPECT_THAT(writes(), IsEmpty());
    std::vector<std::string> agreed = first;
    agreed.push_back("-y");
    EXPECT_EQ(deploy(agreed), ExitCode::ok) << err();
    EXPECT_EQ(deploy({"--image", "a/b:2"}), ExitCode::ok) << "it lives there: " << err();
}

TEST_F(DeployTest, CommandsOnTheWayMeanThisClusterToo) {
    world_.api.put(testing::object_of("Namespace", "", "hermes"));
    EXPECT_EQ(deploy({"--context", "c", "--dry-run", "--allow-user", "111", "--secret",
                      "TELEGRAM_BOT_TOKEN=env:TOKEN", "--secret", "MINIMAX_API_KEY=env:KEY"}),
              ExitCode::ok)
        << err();
    EXPECT_THAT(err(), HasSubstr("kubectl --context c label namespace hermes"));
}

TEST_F(DeployTest, ARefusalThatIsNoMatterOfRightsIsAFailure) {
    install();
    world_.api.deny("watch", "events");
    world_.api.fail_always(
        "PATCH", "Deployment",
        testing::refusal(403, "Forbidden", "deployments \"hermes\" is forbidden: exceeded quota: q"));
    EXPECT_EQ(deploy({"--image", "a/b:2"}), ExitCode::failed);
    EXPECT_THAT(err(), AllOf(HasSubstr("exceeded quota"), HasSubstr("kubectl get resourcequota"),
                             Not(HasSubstr("may not"))));
}

TEST_F(DeployTest, ARefusalIsToldWithEverythingThatIsMissing) {
    install();
    world_.api.deny("get", "secrets");
    world_.api.deny("patch", "deployments");
    for (const char* command : {"deploy", "diff"}) {
        EXPECT_EQ(world_.run({command}), ExitCode::denied);
        EXPECT_THAT(err(),
                    AllOf(HasSubstr("cannot get resource"), HasSubstr("- get secrets in namespace hermes"),
                          HasSubstr("- patch deployments.apps in namespace hermes")));
    }
    EXPECT_EQ(world_.run({"status"}), ExitCode::denied);
    EXPECT_THAT(err(), AllOf(HasSubstr("- get secrets in namespace hermes"), Not(HasSubstr("patch"))));
}

}  // namespace
}  // namespace hermesctl::cli
