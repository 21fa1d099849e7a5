// A file with several instances: when each is announced, what a person at a terminal is asked, and that all
// that is said of one names it.
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "support/at_a_terminal.hpp"
#include "support/cli_world.hpp"
#include "support/recording_reporter.hpp"
#include "support/scratch.hpp"

#include <iostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string token = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr";
const std::string whole =
    "telegram: {allowedUsers: [111]}\n"
    "secrets: {TELEGRAM_BOT_TOKEN: {env: TOKEN}, MINIMAX_API_KEY: {env: KEY}}\n";

int times(const std::string& part, const std::string& text) {
    int found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
        ++found;
    return found;
}

class DeployOfSeveral : public ::testing::Test {
  protected:
    DeployOfSeveral() {
        world_.context.environment["TOKEN"] = token;
        world_.context.environment["KEY"] = "the-key-of-minimax";
    }
    /// What is said of "one" and of "two" beside their names.
    std::string file(const std::string& one, const std::string& two) {
        return scratch_.write("two.yaml",
                              "name: one\nnamespace: one\n" + one + "---\nname: two\nnamespace: two\n" + two);
    }
    ExitCode deploy(const std::string& one, const std::string& two) {
        return world_.run({"deploy", "--no-wait", "-y", "-f", file(one, two)});
    }
    /// The same at a terminal, on which the story is shown in the end.
    testing::Seen typed(const std::string& one, const std::string& two, const testing::Dialogue& dialogue) {
        world_.terminal.input = true;
        const auto run = [&] {
            const ExitCode code = deploy(one, two);
            std::cerr << world_.err.str() << std::flush;
            return static_cast<int>(code);
        };
        return testing::at_a_terminal(run, dialogue);
    }

    testing::CliWorld world_;
    testing::Scratch scratch_;
};

TEST_F(DeployOfSeveral, ANoSaysThatNothingWasChangedOnlyWhereNothingWas) {
    world_.terminal.input = true;
    const auto after = [this](const testing::Dialogue& dialogue) {
        const auto run = [this] {
            catch_interrupts();
            const ExitCode code = world_.run({"deploy", "--no-wait", "-f", file(whole, whole)});
            std::cerr << world_.err.str() << std::flush;
            return static_cast<int>(code);
        };
        return testing::at_a_terminal(run, dialogue);
    };
    const std::string question = "apply this? [y/N]";
    EXPECT_THAT(after({{question, "n\n"}}).screen, HasSubstr("nothing was changed: you said no"));
    for (const char* keys : {"n\n", "\x03"}) {
        const testing::Seen seen = after({{question, "y\n"}, {question, keys}});
        EXPECT_NE(seen.code, 0);
        EXPECT_THAT(seen.screen,
                    AllOf(HasSubstr("done  deployment/one"), Not(HasSubstr("nothing was changed"))));
    }
}

TEST_F(DeployOfSeveral, EachIsAnnouncedOnceAndInTheCheckOnlyWhereItEndsThere) {
    EXPECT_EQ(deploy(whole, ""), ExitCode::usage);
    EXPECT_EQ(times("info  namespace/one  context c", world_.err.str()), 0) << world_.err.str();
    EXPECT_EQ(times("info  namespace/two  context c", world_.err.str()), 1) << world_.err.str();
    EXPECT_EQ(deploy(whole, whole), ExitCode::ok) << world_.err.str();
    EXPECT_EQ(times("info  namespace/one  context c", world_.err.str()), 1) << world_.err.str();
    EXPECT_EQ(times("info  namespace/two  context c", world_.err.str()), 1) << world_.err.str();
}

TEST_F(DeployOfSeveral, WhatIsSaidOfEachStandsUnderItsName) {
    EXPECT_EQ(deploy(whole, whole), ExitCode::ok) << world_.err.str();
    EXPECT_THAT(world_.err.str(), AllOf(HasSubstr("one in namespace one:\n+ create"),
                                        HasSubstr("two in namespace two:\n+ create")));
    EXPECT_EQ(world_.out.str(), "") << "a name over nothing";
    EXPECT_EQ(deploy(whole, whole), ExitCode::ok) << world_.err.str();
    EXPECT_EQ(world_.out.str(),
              "one in namespace one:\nnothing to change\ntwo in namespace two:\nnothing to change\n");
}

TEST_F(DeployOfSeveral, APlanThatIsRefusedBeforeAnythingIsChangedStandsUnderItsName) {
    EXPECT_EQ(deploy(whole, whole), ExitCode::ok) << world_.err.str();
    testing::RecordingReporter reporter;
    kube::Client client(world_.transport, world_.clock, reporter);
    const kube::Json change{{"spec", {{"revisionHistoryLimit", 9}}}};
    client.patch({"Deployment", "two", "two"}, kube::Patch::merge, change, {.manager = "argocd"}).value();
    EXPECT_EQ(deploy(whole, whole), ExitCode::failed);
    const std::string text = world_.err.str();
    EXPECT_THAT(text, AllOf(HasSubstr("belongs to argocd"), Not(HasSubstr("one in namespace one:\n"))));
    EXPECT_LT(text.find("two in namespace two:\n"), text.find("belongs to argocd")) << text;
}

TEST_F(DeployOfSeveral, AClosedStdoutKeepsNoneFromBeingDeployed) {
    EXPECT_EQ(deploy(whole, whole), ExitCode::ok) << world_.err.str();
    world_.api.erase({"Deployment", "two", "two"});
    world_.out.setstate(std::ios::badbit);
    EXPECT_EQ(deploy(whole, whole), ExitCode::failed);
    EXPECT_THAT(world_.err.str(), HasSubstr("the result could not be written to stdout"));
    EXPECT_FALSE(world_.api.object({"Deployment", "two", "two"}).is_null()) << world_.err.str();
}

TEST_F(DeployOfSeveral, WhatIsSaidOfOneIsSaidOnceThoughTheNextFails) {
    EXPECT_EQ(deploy(whole, whole), ExitCode::ok) << world_.err.str();
    world_.api.erase({"Deployment", "two", "two"});
    // The first one is the check's, before anything is changed.
    world_.api.fail("PATCH", "Deployment", 2, testing::refusal(422, "Invalid", "no such image"));
    EXPECT_EQ(deploy(whole, whole), ExitCode::failed);
    EXPECT_THAT(world_.err.str(), HasSubstr("while deploying two in namespace two"));
    EXPECT_EQ(world_.out.str(), "one in namespace one:\nnothing to change\n");
}

TEST_F(DeployOfSeveral, APreviewNamesTheInstanceOfEachPart) {
    const std::string both = file(whole, whole);
    EXPECT_EQ(world_.run({"render", "-f", both}), ExitCode::ok) << world_.err.str();
    EXPECT_THAT(world_.out.str(), AllOf(StartsWith("# instance one in namespace one\napiVersion: v1\n"),
                                        HasSubstr("\n---\n# instance two in namespace two\napiVersion:")));
    EXPECT_EQ(world_.run({"render", "--explain", "-f", both}), ExitCode::ok) << world_.err.str();
    EXPECT_THAT(world_.out.str(),
                AllOf(StartsWith("one in namespace one:\n"), HasSubstr("\ntwo in namespace two:\n")));
    EXPECT_EQ(world_.run({"diff", "-f", both}), ExitCode::pending) << world_.err.str();
    EXPECT_THAT(world_.out.str(), AllOf(StartsWith("one in namespace one:\n+ create"),
                                        HasSubstr("\ntwo in namespace two:\n+ create")));
    EXPECT_EQ(world_.run({"render", "-f", both, "--name", "two"}), ExitCode::ok) << world_.err.str();
    EXPECT_THAT(world_.out.str(), Not(HasSubstr("# instance"))) << "there is but one";
}

TEST_F(DeployOfSeveral, WhatIsMissingNamesItsInstance) {
    for (const char* command : {"render", "diff"}) {
        EXPECT_EQ(world_.run({command, "-f", file(whole, "")}), ExitCode::usage);
        EXPECT_THAT(world_.err.str(), AllOf(HasSubstr("TELEGRAM_BOT_TOKEN"),
                                            HasSubstr("while looking at two in namespace two")));
    }
    EXPECT_EQ(world_.run({"deploy", "--dry-run", "-f", file(whole, "")}), ExitCode::usage);
    EXPECT_THAT(world_.err.str(), HasSubstr("while deploying two in namespace two"));
}

TEST_F(DeployOfSeveral, WhatIsWrongWithAnyIsToldBeforeAnythingIsAsked) {
    const testing::Seen seen =
        typed("", "secrets: {MINIMAX_API_KEY: {env: UNSET}}\n", {{"numeric Telegram id", "\x03"}});
    EXPECT_EQ(seen.code, static_cast<int>(ExitCode::usage)) << seen.screen;
    EXPECT_THAT(seen.screen, AllOf(HasSubstr("two in namespace two: this is needed:"),
                                   HasSubstr("the variable UNSET is not set"), Not(HasSubstr("numeric"))));
}

TEST_F(DeployOfSeveral, WhatIsWrongWithAnAnswerIsToldBeforeTheNextIsAskedFor) {
    const testing::Seen seen = typed("", "",
                                     {{"one in namespace one: your numeric Telegram id", "robin\n"},
                                      {"two in namespace two: your numeric Telegram id", "\x03"}});
    EXPECT_EQ(seen.code, static_cast<int>(ExitCode::usage)) << seen.screen;
    EXPECT_THAT(seen.screen,
                AllOf(HasSubstr("namespace/one  context c"),
                      HasSubstr("while checking one in namespace one, before anything is changed"),
                      Not(HasSubstr("two in namespace two"))));
}

TEST_F(DeployOfSeveral, WhatWasTypedAndReadOfEachIsUsedWithoutAskingAgain) {
    const std::string program =
        scratch_.write("program", "#!/bin/sh\necho started >> $0.ran\necho the-key-of-a-program\n", true);
    const testing::Seen seen = typed("secrets: {MINIMAX_API_KEY: {cmd: [" + program + "]}}\n", "",
                                     {{"one in namespace one: your numeric Telegram id", "111\n"},
                                      {"one in namespace one: Telegram bot token", token + "\n"},
                                      {"two in namespace two: your numeric Telegram id", "222\n"},
                                      {"two in namespace two: Telegram bot token", token + "\n"},
                                      {"two in namespace two: MINIMAX_API_KEY", "the-key-of-two\n"}});
    EXPECT_EQ(seen.code, 0) << seen.screen;
    EXPECT_THAT(seen.screen, AllOf(HasSubstr("deployment/one"), HasSubstr("deployment/two"),
                                   Not(HasSubstr("the-key-of-two")), Not(HasSubstr(token))));
    EXPECT_EQ(times("numeric Telegram id", seen.screen), 2) << seen.screen;
    EXPECT_EQ(read_file(program + ".ran").value(), "started\n");
}

}  // namespace
}  // namespace hermesctl::cli
