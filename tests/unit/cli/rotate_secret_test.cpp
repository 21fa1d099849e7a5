// rotate-secret as a command: where values come from, what is asked and
// refused, what is shown, and what never is.
#include "rotate_secret_world.hpp"
#include "support/at_a_terminal.hpp"
#include "support/recording_reporter.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(RotateSecretTest, AtATerminalAValueFromStdinIsAskedForWithoutEcho) {
    world_.terminal.input = true;
    const auto run = [this] {
        world_.run({"rotate-secret", "MINIMAX_API_KEY=-", "-y"});
        return values()["MINIMAX_API_KEY"] == new_key ? 0 : 1;
    };
    const testing::Seen seen = testing::at_a_terminal(run, {{"the new MINIMAX_API_KEY", new_key + "\n"}});
    EXPECT_EQ(seen.code, 0) << seen.screen;
    EXPECT_THAT(seen.screen, Not(HasSubstr(new_key)));
}

TEST_F(RotateSecretTest, ATroubleOfTheModelDoesNotBringBackAKeyThatIsNotItsOwn) {
    put_values({{"COLONY_PAT", "the-leaked-pat-0123456789"}});
    for (const auto& [status, provider, told] :
         {std::tuple{402, "minimax", "no balance"},
          {503, "minimax", "answers with 503"},
          {200, "openrouter", "uses the provider openrouter, not minimax"}}) {
        model_status_ = status;
        live_provider_ = provider;
        const std::string pat = fmt::format("the-new-pat-{}-{}", status, provider);
        world_.context.environment["PAT"] = pat;
        EXPECT_THAT(
            rotate({"COLONY_PAT=env:PAT"}),
            AllOf(HasSubstr(told), HasSubstr("COLONY_PAT is in force"), Not(HasSubstr("the bot answers"))));
        EXPECT_EQ(values().at("COLONY_PAT"), pat);
        EXPECT_TRUE(world_.api.object(names.previous()).is_null());
    }
    live_provider_ = "minimax";
    model_status_ = 401;
    EXPECT_THAT(
        rotate({"MINIMAX_API_KEY=env:KEY"}, ExitCode::failed),
        AllOf(HasSubstr("hint: hermesctl rotate-secret MINIMAX_API_KEY"), Not(HasSubstr("deploy --secret"))));
    EXPECT_EQ(values().at("MINIMAX_API_KEY"), "the-old-key-0123456789") << "of the key itself it does";
}

/// The old one may have leaked.
TEST_F(RotateSecretTest, AProviderThatIsAwayIsAFailureThatBringsNoOldKeyBack) {
    model_status_ = 503;
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY"}, ExitCode::failed),
                AllOf(HasSubstr("answers with 503"), HasSubstr("the change of MINIMAX_API_KEY stays"),
                      HasSubstr("when the provider is back: hermesctl wait")));
    EXPECT_EQ(values().at("MINIMAX_API_KEY"), "the-new-key-0123456789");
    EXPECT_TRUE(world_.api.object(names.previous()).is_null());
}

TEST_F(RotateSecretTest, IsSeenToLiveWhileThePodIsAsked) {
    silent_ = true;
    put_values({{"COLONY_PAT", "the-leaked-pat-0123456789"}});
    EXPECT_THAT(rotate({"COLONY_PAT=env:KEY"}), HasSubstr("gave no answer"));
    const std::vector<std::string> all = writes();
    EXPECT_GE(std::count(all.begin(), all.end(), "PATCH secret/hermes-secrets-previous"), 15)
        << "three times a minute, and every 10 s";
    EXPECT_EQ(values().at("COLONY_PAT"), new_key);
}

TEST_F(RotateSecretTest, ANewTokenIsTriedSwappedAndProved) {
    const std::string said = rotate({"TELEGRAM_BOT_TOKEN=env:NEW"});
    EXPECT_EQ(values().at("TELEGRAM_BOT_TOKEN"), new_token);
    EXPECT_THAT(said,
                AllOf(HasSubstr("Telegram accepts it, as the token of @cage_bot"),
                      HasSubstr("is in force: the gateway of pod/hermes-1-a uses it"),
                      HasSubstr("message @cage_bot"), HasSubstr("revoke nothing"), Not(HasSubstr("/revoke"))))
        << "which would end the new one";
    EXPECT_TRUE(world_.api.object(names.previous()).is_null());
    EXPECT_TRUE(world_.api.object(names.lease()).is_null());
}

TEST_F(RotateSecretTest, ItsJsonHasNoValue) {
    rotate({"MINIMAX_API_KEY=env:KEY", "-o", "json"});
    const Json said = Json::parse(world_.out.str());
    EXPECT_EQ(said["inForce"], true);
    EXPECT_EQ(said["keys"], Json::array({{{"key", "MINIMAX_API_KEY"}, {"change", "changed"}}}));
    EXPECT_EQ(said["tried"][0]["answer"], "accepted");
    EXPECT_THAT(said["next"].dump(), HasSubstr("console of minimax"));
    EXPECT_EQ(said["changed"], true);
    rotate({"MINIMAX_API_KEY=env:KEY", "-o", "json"});
    EXPECT_EQ(Json::parse(world_.out.str())["changed"], false) << "it is that already";
    shadows_ = {{"MINIMAX_API_KEY", true}};
    rotate({"--unshadow", "MINIMAX_API_KEY", "--no-restart", "-y", "-o", "json"});
    EXPECT_EQ(Json::parse(world_.out.str())["changed"], true) << "the file is";
}

TEST_F(RotateSecretTest, ThatTheAgentsOwnFileWouldChangeIsToldToPrograms) {
    const auto changes = [this](const std::vector<std::string>& more) {
        std::vector<std::string> line{"--unshadow", "MINIMAX_API_KEY", "-o", "json"};
        line.insert(line.end(), more.begin(), more.end());
        rotate(line);
        return Json::parse(world_.out.str())["changes"].get<bool>();
    };
    shadows_ = {{"MINIMAX_API_KEY", true}};
    EXPECT_TRUE(changes({"--dry-run", "--no-restart"}));
    EXPECT_TRUE(changes({"-y", "--no-restart"}));
    EXPECT_FALSE(changes({"--dry-run", "--no-restart"})) << "it is done";
    EXPECT_TRUE(changes({"--dry-run"})) << "the agent would restart";
}

TEST_F(RotateSecretTest, WhoMayNotSeeThePodsIsToldBeforeAnythingIsAskedOrChanged) {
    world_.api.deny("list", "pods");
    world_.in.str(new_key);
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=-"}, ExitCode::denied), HasSubstr("pods"));
    EXPECT_EQ(world_.in.tellg(), 0) << "the value was not read";
    EXPECT_THAT(writes(), Not(Contains(HasSubstr("secret"))));
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=-", "--no-restart", "--no-check", "-y"}),
                HasSubstr("not in force yet"));
    EXPECT_EQ(values().at("MINIMAX_API_KEY"), new_key);
}

TEST_F(RotateSecretTest, QuietShowsWhatIsRemovedThoughNobodyIsAsked) {
    put_values({{"OTHER", "another-value-0123456789"}});
    EXPECT_THAT(rotate({"--remove", "OTHER", "--no-restart", "-q", "-y"}),
                HasSubstr("~ change  secret/hermes-secrets\n            OTHER: "));
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY", "--no-restart", "--no-check", "-q"}),
                Not(HasSubstr("~ change")));
}

TEST_F(RotateSecretTest, WhoMayNotSeeThePodsIsToldOnceWhatToGrantAndWhatThatMeans) {
    world_.api.deny("list", "pods");
    put_values({{"OTHER", "another-value-0123456789"}});
    const auto refusals_in = [](const std::string& said) {
        const std::string part = "cannot list";
        int found = 0;
        for (std::size_t at = 0; (at = said.find(part, at)) != std::string::npos; at += part.size())
            ++found;
        return found;
    };
    const std::string set = rotate({"MINIMAX_API_KEY=env:KEY", "--no-restart", "-y"});
    EXPECT_EQ(refusals_in(set), 1) << set;
    EXPECT_THAT(set, AllOf(HasSubstr("; grant list on pods and replicasets in namespace hermes\n"),
                           HasSubstr("whether a file on the volume wins over the Secret is not known\n"),
                           HasSubstr("not tried: they would be from the agent's pod\n"),
                           HasSubstr("not in force yet")));
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:NEW", "--no-restart"}, ExitCode::usage),
                HasSubstr("the new MINIMAX_API_KEY could not be tried"));
    const std::string removed = rotate({"--remove", "OTHER", "--no-restart", "-y"});
    EXPECT_EQ(refusals_in(removed), 1) << removed;
    EXPECT_THAT(removed, HasSubstr("other uses could not be seen\n"));
}

TEST_F(RotateSecretTest, NoValueIsInWhatIsShownNorInArgvNorInAnObject) {
    std::string record;
    const auto kubelet = world_.api.on_write;
    world_.api.on_write = [&](const std::string& type, const Json& object) {
        if (object["kind"] == "Secret") record += object["metadata"].dump();
        if (kubelet) kubelet(type, object);
    };
    std::string seen = rotate({"TELEGRAM_BOT_TOKEN=env:NEW", "MINIMAX_API_KEY=env:KEY", "-v"});
    EXPECT_THAT(record, HasSubstr("hermesctl/rotation"));
    rotate({"TELEGRAM_BOT_TOKEN=env:NEW", "MINIMAX_API_KEY=env:KEY", "-v", "-o", "json"});
    seen += world_.out.str() + world_.err.str() + argv_ + record;
    for (const auto& [ref, object] : world_.api.objects())
        seen += (ref.kind == "Secret" ? object["metadata"] : object).dump();
    for (const net::Request& request : world_.transport.requests) {
        seen += request.target;
        if (request.target.find("/secrets") == std::string::npos) seen += request.body;
    }
    for (const std::string& value : {old_token, new_token, new_key}) {
        EXPECT_THAT(seen, Not(HasSubstr(value)));
        EXPECT_THAT(seen, Not(HasSubstr(base64_encode(value))));
    }
}

TEST_F(RotateSecretTest, WhatIsRefusedChangesNothing) {
    status_ = 401;
    EXPECT_THAT(rotate({"TELEGRAM_BOT_TOKEN=env:NEW", "-y"}, ExitCode::failed),
                AllOf(HasSubstr("Telegram refuses it"), HasSubstr("nothing was changed")));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_EQ(values().at("TELEGRAM_BOT_TOKEN"), old_token);
    rotate({"TELEGRAM_BOT_TOKEN=env:NEW", "MINIMAX_API_KEY=env:KEY", "-y", "-o", "json"}, ExitCode::failed);
    const Json tried = Json::parse(world_.out.str())["tried"];
    ASSERT_EQ(tried.size(), 2u) << "all that was found";
    EXPECT_EQ(tried[0]["answer"], "refused");
}

TEST_F(RotateSecretTest, ValuesNeverComeFromTheCommandLine) {
    for (const std::vector<std::string>& line :
         {std::vector<std::string>{"MINIMAX_API_KEY=" + new_key},
          {"MINIMAX_API_KEY", "--secret", "MINIMAX_API_KEY=" + new_key},
          {new_token}}) {
        EXPECT_THAT(rotate(line, ExitCode::usage), AllOf(Not(HasSubstr(new_key)), Not(HasSubstr(new_token))));
    }
    EXPECT_THAT(writes(), IsEmpty());
}

TEST_F(RotateSecretTest, AValueComesFromStdinOrAFile) {
    world_.in.str(new_key + "\n");
    rotate({"MINIMAX_API_KEY"});
    EXPECT_EQ(values().at("MINIMAX_API_KEY"), new_key);
    const testing::Scratch folder;
    rotate({"OTHER_TOKEN", "--secret", "OTHER_TOKEN=@" + folder.write("t", "another-value\n")});
    EXPECT_EQ(values().at("OTHER_TOKEN"), "another-value");
    EXPECT_THAT(rotate({"ONE_KEY", "TWO_KEY"}, ExitCode::usage), HasSubstr("no terminal to ask for"));
}

TEST_F(RotateSecretTest, WhatCannotBeAValueIsPointedOut) {
    for (const auto& [value, why] : {std::pair<std::string, const char*>{"two\nlines", "more than one line"},
                                     {"two words", "a blank in it"},
                                     {"k\xc3\xa9y-0123456789", "not ASCII"},
                                     {"", "is empty"}}) {
        world_.context.environment["KEY"] = value;
        EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY"}, ExitCode::usage), HasSubstr(why));
    }
    EXPECT_THAT(writes(), IsEmpty());
}

TEST_F(RotateSecretTest, AnOddValueThatMayBeIsPointedOutAndSet) {
    world_.context.environment["KEY"] = "-----BEGIN\nMIIB\n-----END";
    EXPECT_THAT(rotate({"SSH_PRIVATE_KEY=env:KEY"}), HasSubstr("its value has more than one line"));
    EXPECT_EQ(values().at("SSH_PRIVATE_KEY"), "-----BEGIN\nMIIB\n-----END");
    world_.context.environment["KEY"] = "correct horse";
    EXPECT_EQ(world_.run({"deploy", "--no-wait", "--secret", "X_SECRET=env:KEY"}), ExitCode::ok);
    EXPECT_THAT(world_.err.str(), HasSubstr("its value has a blank in it"));
}

TEST_F(RotateSecretTest, ATokenOfAnotherBotNeedsAYes) {
    bot_ = "other_bot";
    EXPECT_THAT(rotate({"TELEGRAM_BOT_TOKEN=env:NEW"}, ExitCode::usage),
                AllOf(HasSubstr("it is the token of @other_bot, not of @cage_bot"), HasSubstr("--yes")));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_THAT(rotate({"TELEGRAM_BOT_TOKEN=env:NEW", "-y"}),
                HasSubstr("the token of @cage_bot still works"));
}

TEST_F(RotateSecretTest, WhatCouldNotBeTriedNeedsAYes) {
    status_ = 0;
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY"}, ExitCode::usage), HasSubstr("could not be tried"));
    EXPECT_THAT(writes(), IsEmpty());
    rotate({"MINIMAX_API_KEY=env:KEY", "--no-check"});
    EXPECT_EQ(values().at("MINIMAX_API_KEY"), new_key);
}

TEST_F(RotateSecretTest, AModelKeyThatNobodyCanTryNeedsAYes) {
    status_ = -1;
    EXPECT_THAT(rotate({"GOOGLE_API_KEY=env:KEY"}, ExitCode::usage),
                AllOf(HasSubstr("not tried"), HasSubstr("nobody can try the new GOOGLE_API_KEY")));
    EXPECT_THAT(writes(), IsEmpty());
    rotate({"GOOGLE_API_KEY=env:KEY", "-y"});
    rotate({"OTHER=env:KEY"});
    EXPECT_EQ(values().at("OTHER"), new_key) << "of which nothing is expected";
}

TEST_F(RotateSecretTest, ARemovalNeedsAYesAndSaysWhatItMeans) {
    EXPECT_THAT(rotate({"--remove", "TELEGRAM_BOT_TOKEN"}, ExitCode::usage),
                AllOf(HasSubstr("without its token the bot stops"), HasSubstr("is used by")));
    EXPECT_THAT(rotate({"--remove", "MINIMAX_API_KEY"}, ExitCode::usage),
                HasSubstr("without a key of minimax the bot is mute"));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_THAT(rotate({"--remove", "MINIMAX_API_KEY", "-y"}), HasSubstr("restarts without it"));
    EXPECT_FALSE(values().contains("MINIMAX_API_KEY"));
    EXPECT_FALSE(pod_.contains("MINIMAX_API_KEY"));
    EXPECT_TRUE(world_.api.object(names.previous()).is_null());
}

TEST_F(RotateSecretTest, UsersHaveACommandOfTheirOwn) {
    EXPECT_THAT(rotate({"TELEGRAM_ALLOWED_USERS=env:KEY"}, ExitCode::usage), HasSubstr("allow-user"));
    EXPECT_THAT(rotate({"--remove", "TELEGRAM_ALLOWED_USERS"}, ExitCode::usage), HasSubstr("allow-user"));
}

TEST_F(RotateSecretTest, AnInterruptBeforeItBeginsSaysThatNothingWasChanged) {
    cut_off_ = true;
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY"}, ExitCode::interrupted),
                AllOf(HasSubstr("interrupted; nothing was changed"), Not(HasSubstr("goes on"))));
}

TEST_F(RotateSecretTest, WhatIsNotThereIsNotRemoved) {
    EXPECT_THAT(rotate({"--remove", "NOPE", "-y"}, ExitCode::failed),
                HasSubstr("there is no NOPE in secret/hermes-secrets"));
    EXPECT_THAT(rotate({"--remove", "sk-a-value-that-was-pasted", "-y"}, ExitCode::failed),
                AllOf(HasSubstr("there is no such key"), Not(HasSubstr("pasted"))));
    EXPECT_THAT(rotate({"--unshadow", "NOPE"}, ExitCode::failed),
                HasSubstr("there is no NOPE in /opt/data/.env, nor in secret/hermes-secrets"))
        << "before a yes is asked for";
    EXPECT_THAT(writes(), IsEmpty());
    rotate({"--remove", "MINIMAX_API_KEY", "-y", "--no-restart"});
    for (const std::vector<std::string>& line : {std::vector<std::string>{"--remove", "NOPE", "-y"},
                                                 {"TELEGRAM_BOT_TOKEN=env:NEW", "--remove", "NOPE", "-y"}}) {
        EXPECT_THAT(rotate(line, ExitCode::failed), HasSubstr("there is no NOPE in secret/hermes-secrets"))
            << "whatever else waits for a restart";
    }
    EXPECT_THAT(rotate({"--remove", "MINIMAX_API_KEY", "-y"}), HasSubstr("MINIMAX_API_KEY is gone"))
        << "brings it in force";
    shadows_ = {{"ONLY_THERE", false}};
    EXPECT_THAT(rotate({"--unshadow", "ONLY_THERE"}, ExitCode::usage),
                HasSubstr("then ONLY_THERE is set nowhere"));
}

TEST_F(RotateSecretTest, ThatAKeyIsNewIsToldBeforeItsValueIsRead) {
    const std::string said = rotate({"NOPE"}, ExitCode::usage);
    EXPECT_THAT(said, HasSubstr("NOPE: the new value is empty"));
    EXPECT_LT(said.find("is not in secret/hermes-secrets yet"), said.find("the new value is empty")) << said;
    EXPECT_THAT(rotate({"MINIMAX_API_KEY"}, ExitCode::usage), Not(HasSubstr("yet")));
}

TEST_F(RotateSecretTest, ANewKeyThatIsAlmostAKnownOneNeedsAYes) {
    for (const auto& [key, meant] : {std::pair{"TELEGRAM_BOT_TOKN", "TELEGRAM_BOT_TOKEN"},
                                     {"telegram_bot_token", "TELEGRAM_BOT_TOKEN"},
                                     {"OPENROUTR_API_KEY", "OPENROUTER_API_KEY"}}) {
        EXPECT_THAT(rotate({std::string(key) + "=env:KEY"}, ExitCode::usage),
                    HasSubstr(fmt::format("there is no {} yet; did you mean {}?", key, meant)));
        EXPECT_FALSE(values().contains(key));
    }
    put_values({{"COLONY_PAT", "the-old-pat-0123456789"}});
    EXPECT_THAT(rotate({"COLONI_PAT=env:KEY"}, ExitCode::usage), HasSubstr("did you mean COLONY_PAT?"));
    for (const char* key : {"GROQ_API_KEY", "EXA_API_KEY", "FAL_KEY", "GITHUB_PAT"}) {
        rotate({std::string(key) + "=env:KEY"});
        EXPECT_TRUE(values().contains(key)) << "another one";
    }
    rotate({"TELEGRAM_BOT_TOKN=env:KEY", "-y"});
    EXPECT_TRUE(values().contains("TELEGRAM_BOT_TOKN"));
}

TEST_F(RotateSecretTest, NoValueOpensTheBotToEverybody) {
    for (const char* key : {"TELEGRAM_ALLOW_ALL_USERS", "GATEWAY_ALLOW_ALL_USERS", "GATEWAY_ALLOWED_USERS"})
        EXPECT_THAT(rotate({std::string(key) + "=env:KEY", "-y"}, ExitCode::usage),
                    AllOf(HasSubstr("decides who may use the bot"), HasSubstr("hermesctl allow-user")));
    world_.context.environment["KEY"] = "5,*";
    EXPECT_THAT(rotate({"TELEGRAM_GROUP_ALLOWED_USERS=env:KEY", "-y"}, ExitCode::usage),
                HasSubstr("would let everybody"));
    EXPECT_THAT(writes(), IsEmpty());
    world_.context.environment["KEY"] = "5,6";
    rotate({"TELEGRAM_GROUP_ALLOWED_USERS=env:KEY", "-y"});
    EXPECT_EQ(values().at("TELEGRAM_GROUP_ALLOWED_USERS"), "5,6");
    put_values({{"GATEWAY_ALLOW_ALL_USERS", "true"}});
    rotate({"--remove", "GATEWAY_ALLOW_ALL_USERS", "-y"});
    EXPECT_FALSE(values().contains("GATEWAY_ALLOW_ALL_USERS")) << "to close it again is nobody's harm";
}

TEST_F(RotateSecretTest, WithoutARestartItSaysThatItIsNotInForce) {
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY", "--no-restart"}), HasSubstr("not in force yet"));
    EXPECT_NE(pod_.at("MINIMAX_API_KEY"), new_key);
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY", "--no-restart"}),
                AllOf(HasSubstr("nothing to change"), HasSubstr("not in force yet; hermesctl restart")));
    world_.run({"restart", "--no-wait"});
    EXPECT_EQ(pod_.at("MINIMAX_API_KEY"), new_key);
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY"}),
                AllOf(HasSubstr("nothing to change"), Not(HasSubstr("not in force"))));
}

TEST_F(RotateSecretTest, AKeyThatIsNoVariableIsChangedOrRemovedWhereItIs) {
    put_values({{"tls.crt", "old"}});
    rotate({"tls.crt=env:KEY"});
    EXPECT_EQ(values().at("tls.crt"), new_key);
    EXPECT_THAT(rotate({"--remove", "tls.crt", "-y"}),
                HasSubstr("tls.crt is removed; that is no variable's name"));
    EXPECT_FALSE(values().contains("tls.crt"));
    // It may be a value that was typed there.
    for (const char* word : {"sk-typed-here", "sk-typed-here=", "sk-typed-here=env:KEY", "sk typed here"}) {
        EXPECT_THAT(rotate({word}, ExitCode::usage), Not(HasSubstr("typed"))) << word;
        EXPECT_THAT(writes(), IsEmpty());
    }
}

TEST_F(RotateSecretTest, OfARemovalUnseenItIsSaidThatUsesCannotBeShown) {
    world_.api.deny("get", "secrets");
    EXPECT_THAT(rotate({"--remove", "COLONY_PAT", "-y"}), HasSubstr("what uses it cannot be shown"));
}

TEST_F(RotateSecretTest, AFileWhoseDeployWouldSetTheOldValueAgainIsNamed) {
    const testing::Scratch folder;
    const std::string file = folder.write("hermes.yaml", "secrets: {MINIMAX_API_KEY: {env: OLD}}\n");
    EXPECT_THAT(rotate({"-f", file, "MINIMAX_API_KEY=env:KEY", "--dry-run"}),
                HasSubstr("hermes.yaml sets it again"));
    EXPECT_THAT(rotate({"-f", file, "OTHER_KEY=env:KEY", "--dry-run"}), Not(HasSubstr("sets it again")));
}

TEST_F(RotateSecretTest, ADryRunWritesNothing) {
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY", "--dry-run"}),
                AllOf(HasSubstr("MINIMAX_API_KEY: changed"), HasSubstr("~ restart the agent"),
                      HasSubstr("a dry run tries no value")));
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY", "--dry-run", "--no-restart", "--no-check"}),
                AllOf(Not(HasSubstr("~ restart")), Not(HasSubstr("tries no value"))));
    EXPECT_THAT(writes(), IsEmpty());
}

TEST_F(RotateSecretTest, WhatAFileHidIsTriedBeforeItCounts) {
    shadows_ = {{"MINIMAX_API_KEY", false}};
    status_ = 401;
    EXPECT_THAT(rotate({"--unshadow", "MINIMAX_API_KEY", "-y"}, ExitCode::failed),
                HasSubstr("minimax refuses it"));
    EXPECT_THAT(argv_, Not(HasSubstr(".env.before"))) << "the file stays as it is";
}

TEST_F(RotateSecretTest, WhoMayUseTheBotAfterwardsIsSaidBeforeAListIsTakenOut) {
    shadows_ = {{"TELEGRAM_ALLOWED_USERS", false}};
    EXPECT_THAT(rotate({"--unshadow", "TELEGRAM_ALLOWED_USERS"}, ExitCode::usage),
                HasSubstr("decides who may use the bot: "));
}

TEST_F(RotateSecretTest, AKeyThatIsRemovedIsGone) {
    put_values({{"OTHER", "another-value-0123456789"}});
    EXPECT_THAT(rotate({"--remove", "OTHER", "-y"}),
                AllOf(HasSubstr("OTHER is gone: the gateway of pod/"), Not(HasSubstr("the old OTHER"))));
    put_values({{"COLONY_PAT", "the-leaked-pat-0123456789"}});
    EXPECT_THAT(rotate({"--remove", "COLONY_PAT", "-y"}), HasSubstr("the old COLONY_PAT works until"));
}

TEST_F(RotateSecretTest, AShadowedKeyIsFoundBeforeItIsChangedInVain) {
    shadows_ = {{"MINIMAX_API_KEY", false}};
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY", "-y"}, ExitCode::failed),
                AllOf(HasSubstr("/opt/data/.env, which wins over the Secret"),
                      HasSubstr("--unshadow MINIMAX_API_KEY")));
    EXPECT_THAT(writes(), IsEmpty());
    EXPECT_THAT(rotate({"--unshadow", "MINIMAX_API_KEY"}, ExitCode::usage), HasSubstr("taken out"));
}

TEST_F(RotateSecretTest, AMendedFileIsNoPartOfWhatIsPutBackAndTheErrorSaysHowItComesBack) {
    shadows_ = {{"MINIMAX_API_KEY", false}};
    model_status_ = 402;
    EXPECT_THAT(
        rotate({"--unshadow", "MINIMAX_API_KEY", "-y", "-n", "hermes", "--context", "c"}, ExitCode::failed),
        AllOf(HasSubstr("no balance"),
              HasSubstr("hermesctl exec --context c -- cp -p "
                        "/opt/data/.env.before-"),
              HasSubstr(" /opt/data/.env, then hermesctl restart --context c")));
}

TEST_F(RotateSecretTest, AFileThatWasMendedWithoutARestartIsBroughtInForceByTheSameAgain) {
    shadows_ = {{"MINIMAX_API_KEY", false}};
    EXPECT_THAT(rotate({"--unshadow", "MINIMAX_API_KEY", "--no-restart", "-y"}),
                AllOf(HasSubstr("not in force yet"), HasSubstr("-- rm /opt/data/.env.before-")));
    EXPECT_THAT(writes(), Not(Contains("PATCH deployment/hermes")));
    EXPECT_THAT(rotate({"--unshadow", "MINIMAX_API_KEY", "-y"}), HasSubstr("is in force"));
    EXPECT_THAT(writes(), Contains("PATCH deployment/hermes")) << "its gateway had started with the file";
}

TEST_F(RotateSecretTest, AnOldValueIsEndedOnceTheNewOneIsInForce) {
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY", "--no-restart"}),
                HasSubstr("once this is in force (hermesctl restart): the old MINIMAX_API_KEY works"));
    world_.context.environment["NEW"] = "987654321:AAtoken-of-another-bot-0123456789abcdef";
    EXPECT_THAT(rotate({"TELEGRAM_BOT_TOKEN=env:NEW", "--no-check", "--no-restart"}),
                HasSubstr("(hermesctl restart): the old token still works: /revoke"));
    world_.api.merge(names.deployment(), {{"spec", {{"replicas", 0}}}});
    world_.context.environment["KEY"] = "one-more-key-0123456789";
    EXPECT_THAT(rotate({"MINIMAX_API_KEY=env:KEY", "--no-check"}), HasSubstr("(hermesctl start): the old"));
    world_.api.deny("get", "secrets");
    EXPECT_THAT(
        rotate({"MINIMAX_API_KEY=env:KEY", "TELEGRAM_BOT_TOKEN=env:NEW", "--no-check"}),
        AllOf(HasSubstr("the old MINIMAX_API_KEY works until"), HasSubstr("unless it was of another bot")))
        << "unseen";
}

TEST_F(RotateSecretTest, AHalfDoneOneIsEndedFirst) {
    world_.api.on_write = [&](const std::string&, const Json& object) {
        if (kube::ref_of(object) == names.secret()) world_.api.down = true;
    };
    rotate({"MINIMAX_API_KEY=env:KEY"}, ExitCode::unreachable);
    world_.api.down = false;
    world_.clock.advance(10min);
    world_.api.on_write = [this](const std::string&, const Json& object) {
        if (kube::ref_of(object) == names.deployment()) pod_ = values(), reconcile();
    };
    EXPECT_THAT(rotate({"TELEGRAM_BOT_TOKEN=env:NEW", "--dry-run", "-o", "json"}),
                AllOf(HasSubstr("half-done change"), HasSubstr(R"("changed": false)")));
    EXPECT_THAT(rotate({"--list"}), HasSubstr("half-done change"));
    world_.run({"allow-user", "--list"});
    EXPECT_THAT(world_.err.str(), HasSubstr("half-done change"));
    world_.run({"status", "--no-check"});
    EXPECT_THAT(world_.out.str(), AllOf(HasSubstr("half-done change"), HasSubstr("next: hermesctl deploy")));
    world_.api.log.clear();
    EXPECT_THAT(writes(), IsEmpty());
    const std::string said = rotate({"TELEGRAM_BOT_TOKEN=env:NEW"});
    EXPECT_THAT(said, HasSubstr("half-done change of MINIMAX_API_KEY"));
    EXPECT_EQ(pod_.at("MINIMAX_API_KEY"), new_key);
    EXPECT_EQ(pod_.at("TELEGRAM_BOT_TOKEN"), new_token);
    EXPECT_TRUE(world_.api.object(names.previous()).is_null());
}

TEST_F(RotateSecretTest, ListShowsKeysAndNoValues) {
    EXPECT_THAT(rotate({"--list"}), AllOf(HasSubstr("MINIMAX_API_KEY"), Not(HasSubstr("the-old-key"))));
    EXPECT_THAT(world_.out.str(), Not(HasSubstr("no fingerprints")));
    Json secret = world_.api.object(names.secret());
    secret["metadata"].erase("annotations");
    world_.api.put(secret);
    EXPECT_THAT(rotate({"--list"}), HasSubstr("no fingerprints: the Secret has no salt yet"));
    EXPECT_THAT(rotate({}, ExitCode::usage), HasSubstr("--list"));
}

TEST(RotateSecretAndDeploy, ADeployAfterItHasNothingToChange) {
    testing::CliWorld world;
    world.context.environment.insert(
        {{"TOKEN", old_token}, {"OLD", "the-old-key-0123456789"}, {"KEY", new_key}});
    ASSERT_EQ(world.run({"deploy", "--no-wait", "--allow-user", "111", "--secret",
                         "TELEGRAM_BOT_TOKEN=env:TOKEN", "--secret", "MINIMAX_API_KEY=env:OLD"}),
              ExitCode::ok)
        << world.err.str();
    testing::RecordingReporter reporter;
    kube::Client client(world.transport, world.clock, reporter);
    client.patch(names.deployment(), kube::Patch::merge, {{"spec", {{"replicas", 0}}}}).value();
    ASSERT_EQ(world.run({"rotate-secret", "MINIMAX_API_KEY=env:KEY", "--no-check"}), ExitCode::ok)
        << world.err.str();
    EXPECT_THAT(world.out.str(), HasSubstr("hermesctl start brings it in force"));
    const Json& secret = world.api.object(names.secret());
    EXPECT_EQ(hermes::secret_values(secret).at("MINIMAX_API_KEY"), new_key);
    world.api.log.clear();
    ASSERT_EQ(world.run({"deploy", "--no-wait"}), ExitCode::ok) << world.err.str();
    EXPECT_THAT(world.out.str(), HasSubstr("nothing to change"));
    EXPECT_THAT(world.api.log, Not(Contains("PATCH deployment/hermes")));
}

}  // namespace
}  // namespace hermesctl::cli
