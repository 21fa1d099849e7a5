// The scripts, run by the shells they are for where those are installed.
#include "support/cli_world.hpp"
#include "support/command.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace hermesctl::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class CompletionTest : public ::testing::Test {
  protected:
    std::string script(const std::string& shell) {
        EXPECT_EQ(world_.run({"completion", shell}), ExitCode::ok);
        return world_.out.str();
    }
    /// Skips the test where the shell is not installed.
    void expect_valid(const char* name) {
        const auto result = run({name, "-n", "/dev/stdin"}, script(name));
        if (!result) GTEST_SKIP() << "no " << name << " here";
        EXPECT_EQ(result->code, 0) << result->err;
    }
    /// Nothing where it is not installed.
    static std::optional<hermesctl::testing::Finished> run(std::vector<std::string> argv,
                                                           const std::string& input) {
        argv.insert(argv.begin(), {"/usr/bin/env", "-i", "PATH=/usr/bin:/bin"});
        auto result = hermesctl::testing::finished(std::move(argv), {}, input);
        if (result.code == 127) return std::nullopt;
        return result;
    }
    static std::optional<hermesctl::testing::Finished> shell(const std::string& name,
                                                             const std::string& input) {
        return run({name}, input);
    }
    /// What bash offers for the last word.
    std::vector<std::string> offered(const std::string& words) {
        const auto result = shell("bash", script("bash") + "COMP_WORDS=(" + words +
                                              ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_hermesctl\n"
                                              "printf '%s\\n' \"${COMPREPLY[@]}\"\n");
        EXPECT_TRUE(result);
        std::istringstream lines(result ? result->out : "");
        std::vector<std::string> found;
        for (std::string line; std::getline(lines, line);) {
            if (!line.empty()) found.push_back(line);
        }
        return found;
    }
    hermesctl::testing::CliWorld world_{};
};

TEST_F(CompletionTest, ThereIsNoJsonOfAScript) {
    EXPECT_EQ(world_.run({"completion", "bash", "-o", "json"}), ExitCode::usage);
    EXPECT_THAT(world_.err.str(), HasSubstr("there is no JSON of it\n  hint: leave out -o json"));
    EXPECT_THAT(world_.out.str(), StartsWith("{\n  \"error\": {"));
}

TEST_F(CompletionTest, BashOffersCommandsAndFlags) {
    EXPECT_THAT(offered("hermesctl versi"), ElementsAre("version"));
    EXPECT_THAT(offered("hermesctl ''"), Contains("completion"));
    EXPECT_THAT(offered("hermesctl ''"), Not(Contains("man")));
    EXPECT_THAT(offered("hermesctl list --names"), ElementsAre("--namespace"));
    EXPECT_THAT(offered("hermesctl list vers"), IsEmpty()) << "the command is there already";
}

TEST_F(CompletionTest, BashOffersValues) {
    EXPECT_THAT(offered("hermesctl list -o ''"), ElementsAre("text", "json"));
    EXPECT_THAT(offered("hermesctl -n list --output j"), ElementsAre("json"));
    EXPECT_THAT(offered("hermesctl completion z"), ElementsAre("zsh"));
    EXPECT_THAT(offered("hermesctl list -n ''"), IsEmpty()) << "a name that only the user knows";
}

TEST_F(CompletionTest, BashStepsOverValuesOnTheWayToTheCommand) {
    EXPECT_THAT(offered("hermesctl -n list versi"), ElementsAre("version"));
}

TEST_F(CompletionTest, EveryShellHasEveryCommand) {
    for (const char* name : {"bash", "zsh", "fish"}) {
        const std::string text = script(name);
        for (const char* word : {"list", "version", "completion", "kubeconfig"}) {
            EXPECT_THAT(text, HasSubstr(word)) << name;
        }
    }
}

TEST_F(CompletionTest, TheScriptIsValidForBash) {
    expect_valid("bash");
}

TEST_F(CompletionTest, TheScriptIsValidForZsh) {
    expect_valid("zsh");
}

TEST_F(CompletionTest, TheScriptIsValidForFish) {
    expect_valid("fish");
}

TEST_F(CompletionTest, FishOffersCommands) {
    const auto result = shell("fish", script("fish") + "complete -C 'hermesctl versi'\n");
    if (!result) GTEST_SKIP() << "no fish here";
    EXPECT_THAT(result->out, StartsWith("version"));
}

TEST_F(CompletionTest, TheManualPageIsReadWithoutAWarning) {
    ASSERT_EQ(world_.run({"man"}), ExitCode::ok);
    const auto version = shell("groff", "");
    if (!version) GTEST_SKIP() << "no groff here";
    const auto result = run({"groff", "-man", "-ww", "-z"}, world_.out.str());
    ASSERT_TRUE(result);
    EXPECT_EQ(result->code, 0);
    EXPECT_EQ(result->out + result->err, "");
}

TEST_F(CompletionTest, TheManualPageHasAllParts) {
    EXPECT_EQ(world_.run({"man"}), ExitCode::ok);
    for (const char* part : {".TH HERMESCTL 1", ".SH SYNOPSIS", ".SS hermesctl list", ".SH EXIT STATUS"}) {
        EXPECT_THAT(world_.out.str(), HasSubstr(part));
    }
}

}  // namespace
}  // namespace hermesctl::cli
