// Whose fault an end is: the exit codes of exec, shell, cp and logs.
#include "hermesctl/base/interrupt.hpp"
#include "support/at_a_terminal.hpp"
#include "support/cli_world.hpp"
#include "support/installation.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace hermesctl::cli {
namespace {

using hermesctl::testing::FakeProcess;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Exec : public ::testing::Test {
  protected:
    Exec() { hermesctl::testing::put_installation(world_.api); }
    int run(const std::vector<std::string>& line) { return static_cast<int>(world_.run(line)); }

    hermesctl::testing::CliWorld world_{};
};

TEST_F(Exec, TheRemoteExitCodeIsOurs) {
    for (const int code : {0, 1, 2, 125, 255}) {
        world_.api.on_exec = [code](FakeProcess& process) { process.exit(code); };
        EXPECT_EQ(run({"exec", "--", "x"}), code) << world_.err.str();
    }
}

TEST_F(Exec, AllAfterTheFirstWordIsTheCommands) {
    std::vector<std::string> ran;
    world_.api.on_exec = [&](FakeProcess& process) {
        ran = process.argv;
        process.exit(0);
    };
    const std::vector<std::string> words{"head", "-n", "5", "--help", "--", "--root", "[a-z]"};
    const auto words_after = [&](std::vector<std::string> line) {
        line.insert(line.end(), words.begin(), words.end());
        EXPECT_EQ(run(line), 0) << world_.err.str();
        return std::vector<std::string>(std::find(ran.begin(), ran.end(), "head"), ran.end());
    };
    EXPECT_EQ(words_after({"exec"}), words);
    EXPECT_EQ(words_after({"exec", "--"}), words);
    EXPECT_EQ(words_after({"exec", "-n", "hermes", "-i"}), words);
    EXPECT_EQ(run({"exec", "-n", "elsewhere", "head"}), 125) << "what stands before is ours";
}

TEST_F(Exec, OurOwnFailuresAre125) {
    const hermesctl::testing::Scratch folder;
    world_.api.on_exec = [](FakeProcess& process) { process.lose("reset"); };
    EXPECT_EQ(run({"exec", "--", "x"}), 125);
    EXPECT_EQ(run({"exec", "--name", "bob", "--", "x"}), 125);
    world_.api.deny("get", "pods/exec");
    world_.api.deny("create", "pods/exec");
    for (const std::vector<std::string>& line :
         {std::vector<std::string>{"exec", "--", "x"}, {"cp", ":a", folder.path("b")}}) {
        EXPECT_EQ(run(line), 125);
        EXPECT_THAT(world_.err.str(), AllOf(HasSubstr("- get pods/exec in namespace hermes"),
                                            HasSubstr("- create pods/exec in namespace hermes")));
    }
    world_.api.down = true;
    EXPECT_EQ(run({"exec", "--", "x"}), 125);
}

TEST_F(Exec, WhereNothingIsRootRootIsRefusedAndTheAgentIsNot) {
    world_.api.merge({"Pod", "hermes", "hermes-1-a"},
                     {{"spec", {{"securityContext", {{"runAsUser", 10000}}}}}});
    std::vector<std::string> ran;
    world_.api.on_exec = [&](FakeProcess& process) {
        ran = process.argv;
        process.exit(0);
    };
    EXPECT_EQ(run({"exec", "--root", "--", "id"}), 125);
    EXPECT_THAT(world_.err.str(), HasSubstr("there is no root in the agent's container"));
    EXPECT_EQ(run({"cp", "--root", ":a", ::testing::TempDir() + "exec-test-copy"}), 125);
    EXPECT_TRUE(ran.empty());
    EXPECT_EQ(run({"exec", "--", "id"}), 0);
    EXPECT_EQ(ran.front(), "/usr/bin/env") << "it is the agent already";
}

TEST_F(Exec, ThereIsNoJsonOfWhatACommandPrints) {
    bool ran = false;
    world_.api.on_exec = [&](FakeProcess& process) {
        ran = true;
        process.exit(0);
    };
    EXPECT_EQ(run({"exec", "-o", "json", "--", "x"}), 2);
    EXPECT_THAT(world_.err.str(), HasSubstr("there is no JSON of it\n  hint: leave out -o json"));
    EXPECT_FALSE(ran);
}

TEST_F(Exec, AWrongCommandLineIs2) {
    EXPECT_EQ(run({"exec"}), 2);
    EXPECT_EQ(run({"exec", "-f", "/nonexistent.yaml", "--", "x"}), 2);
    EXPECT_EQ(run({"exec", "-t", "--", "x"}), 2) << "there is no terminal";
    EXPECT_EQ(run({"shell"}), 2);
    EXPECT_EQ(run({"cp", "a", "b"}), 2);
    for (const std::vector<std::string>& piped : {std::vector<std::string>{":a", "-"}, {"-", ":a"}}) {
        EXPECT_EQ(run({"cp", piped[0], piped[1]}), 2);
        EXPECT_THAT(world_.err.str(), HasSubstr("hint: hermesctl exec -- cat FILE"));
    }
    EXPECT_EQ(run({"cp", "-f", "/nonexistent.yaml", ":a", "b"}), 2);
}

/// A command runs anew, and a copy is made as a whole.
TEST_F(Exec, AnInterruptedOneIsNotSaidToGoOn) {
    world_.api.on_exec = [](FakeProcess&) {
        throw Error(ExitCode::interrupted, "interrupted", "it goes on");
    };
    EXPECT_EQ(run({"exec", "--", "x"}), 130);
    EXPECT_THAT(world_.err.str(), AllOf(HasSubstr("it begins anew"), Not(HasSubstr("goes on"))));
}

TEST_F(Exec, WhatItRunsEndsWithUs) {
    world_.terminal.input = true;
    for (const std::vector<std::string>& line :
         {std::vector<std::string>{"shell"}, {"exec", "-t", "top"}, {"exec", "sleep", "600"}}) {
        std::vector<std::vector<std::string>> ran;
        world_.api.on_exec = [&ran](FakeProcess& process) {
            ran.push_back(process.argv);
            if (ran.size() == 1) throw Error(ExitCode::interrupted, "interrupted");
            process.exit(0);
        };
        EXPECT_EQ(run(line), 130) << world_.err.str();
        ASSERT_EQ(ran.size(), 2U) << line.back();
        const std::string mark = ran[1].back();
        EXPECT_THAT(mark, StartsWith("HERMESCTL_EXEC="));
        EXPECT_THAT(ran[0], Contains(mark));
        EXPECT_THAT(ran[1], Contains(HasSubstr("kill -s HUP")));
    }
}

TEST_F(Exec, AProgramHasTheTerminalsKindOrACommonOne) {
    world_.terminal.input = true;
    std::vector<std::string> ran;
    world_.api.on_exec = [&ran](FakeProcess& process) {
        ran = process.argv;
        process.exit(0);
    };
    for (const auto& [here, there] : std::map<std::string, std::string>{{"", "xterm"}, {"linux", "linux"}}) {
        world_.context.environment["TERM"] = here;
        EXPECT_EQ(run({"shell"}), 0) << world_.err.str();
        EXPECT_THAT(ran, Contains("TERM=" + there));
    }
    world_.context.environment.erase("TERM");
    EXPECT_EQ(run({"shell"}), 0) << world_.err.str();
    EXPECT_THAT(ran, Contains("TERM=xterm"));
}

TEST_F(Exec, WhatHasEndedIsLeftAlone) {
    world_.terminal.input = true;
    for (const std::vector<std::string>& line : {std::vector<std::string>{"shell"}, {"exec", "false"}}) {
        int ran = 0;
        world_.api.on_exec = [&ran](FakeProcess& process) {
            ++ran;
            process.exit(7);
        };
        EXPECT_EQ(run(line), 7);
        EXPECT_EQ(ran, 1) << line.back();
    }
}

TEST_F(Exec, NobodyIsLookedForWhereItWasRefused) {
    world_.api.deny("create", "pods/exec");
    world_.api.deny("get", "pods/exec");
    EXPECT_EQ(run({"exec", "x"}), 125);
    EXPECT_EQ(std::ranges::count_if(
                  world_.transport.requests,
                  [](const net::Request& one) { return one.target.find("/exec?") != std::string::npos; }),
              1);
}

/// The first sign of a terminal that is closed may be a write that fails; its SIGHUP comes thereafter.
TEST_F(Exec, WhatItRunsEndsWithAnyFailure) {
    world_.terminal.input = true;
    for (const std::vector<std::string>& line : {std::vector<std::string>{"shell"}, {"exec", "x"}}) {
        int ran = 0;
        world_.api.on_exec = [&ran](FakeProcess& process) {
            ++ran;
            if (ran == 1) return process.lose("reset");
            if (ran == 2) throw Error(ExitCode::interrupted, "interrupted");
            process.exit(0);
        };
        EXPECT_EQ(run(line), 125);
        EXPECT_EQ(ran, 3) << line.front();
    }
}

TEST_F(Exec, WhatItRunsEndsWithWhoReadsIt) {
    world_.terminal.input = true;
    ::signal(SIGPIPE, SIG_IGN);  // as main does
    for (const std::vector<std::string>& line :
         {std::vector<std::string>{"exec", "-t", "top"}, {"exec", "top"}}) {
        bool hung_up = false;
        world_.api.on_exec = [&hung_up](FakeProcess& process) {
            if (process.argv.back() == "top") return process.out("for nobody");
            hung_up = true;
            process.exit(0);
        };
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe(ends.data()), 0);
        ::close(ends[0]);
        const int out = ::dup(STDOUT_FILENO);
        ::dup2(ends[1], STDOUT_FILENO);
        const int code = run(line);
        ::dup2(out, STDOUT_FILENO);
        ::close(out);
        ::close(ends[1]);
        EXPECT_EQ(code, 128 + SIGPIPE) << world_.err.str();
        EXPECT_TRUE(hung_up) << line[1];
    }
}

TEST_F(Exec, ALogThatIsFollowedEndsWhereItCannotBeWritten) {
    int ran = 0;
    world_.api.on_exec = [&ran](FakeProcess& process) {
        if (ran++ == 0) process.out("a line\n");
    };
    const int out = ::dup(STDOUT_FILENO);
    const int full = ::open("/dev/full", O_WRONLY);
    ::dup2(full, STDOUT_FILENO);
    const int code = run({"logs", "-f"});
    ::dup2(out, STDOUT_FILENO);
    ::close(out);
    ::close(full);
    EXPECT_EQ(code, 1) << world_.err.str();
    EXPECT_THAT(world_.err.str(), HasSubstr("No space left"));
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(run({"logs", "-f", "--timeout", "3s"}), 2) << "it goes on until Ctrl-C";
}

TEST_F(Exec, CtrlCAtTheQuestionOfACopyChangesNothing) {
    const hermesctl::testing::Scratch folder;
    const std::string mine = folder.write("notes.md", "mine");
    world_.terminal.input = true;
    const auto copy = [&] {
        catch_interrupts();
        const int code = run({"cp", ":notes.md", mine});
        std::cout << world_.err.str() << std::flush;
        return code;
    };
    const auto seen = hermesctl::testing::at_a_terminal(copy, {{"replace it? [y/N]", "\x03"}});
    EXPECT_EQ(seen.code, 130) << seen.screen;
    EXPECT_THAT(seen.screen, AllOf(HasSubstr("interrupted; nothing was changed"),
                                   Not(HasSubstr("run the command again"))));
}

TEST_F(Exec, ACopyThatFailsIs125AndALogAFailureAsAnyOther) {
    world_.api.on_exec = [](FakeProcess& process) { process.lose("reset"); };
    EXPECT_EQ(run({"cp", ":a", "/nonexistent/b"}), 125);
    EXPECT_EQ(run({"cp", ":a", ::testing::TempDir() + "exec-test-copy"}), 125);
    const auto changed = [this](const std::string& from, const std::string& to) {
        EXPECT_EQ(run({"cp", from, to, "-o", "json"}), 125);
        return kube::Json::parse(world_.out.str()).at("changed");
    };
    const hermesctl::testing::Scratch folder;
    EXPECT_EQ(changed(":a", folder.path("b")), false);
    EXPECT_EQ(changed(folder.path("nothing"), ":b"), false);
    EXPECT_TRUE(changed(folder.write("a", "a"), ":b").is_null()) << "nobody knows what is there";
    EXPECT_EQ(run({"logs"}), 1);
    EXPECT_THAT(world_.err.str(), HasSubstr("the connection was lost"));
}

}  // namespace
}  // namespace hermesctl::cli
