// deploy as a person meets it: questions without echo, a plan, a yes, a live board that fits.
#include "e2e/node.hpp"
#include "support/scratch.hpp"
#include "support/terminal_session.hpp"

namespace hermesctl::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TerminalSession;

class AtATerminal : public Node {
  protected:
    TerminalSession open(std::vector<std::string> arguments, int columns) {
        std::vector<std::string> argv{setting("HERMESCTL_BINARY"), "--kubeconfig", kubeconfig(), "-n", ns()};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        return TerminalSession(std::move(argv), columns, 30);
    }
};

TEST_F(AtATerminal, DeployAsksForWhatItNeedsAndASecondOneAtOnceIsToldWhoHoldsTheLease) {
    TerminalSession terminal = open({"deploy"}, 40);
    ASSERT_TRUE(terminal.wait_for("numeric Telegram id")) << terminal.screen();
    terminal.type(setting("HERMES_TEST_USER") + "\r");
    ASSERT_TRUE(terminal.wait_for("bot token")) << terminal.screen();
    terminal.type(setting("HERMES_TEST_TOKEN") + "\r");
    ASSERT_TRUE(terminal.wait_for("MINIMAX_API_KEY")) << terminal.screen();
    terminal.type(setting("HERMES_TEST_KEY") + "\r");
    ASSERT_TRUE(terminal.wait_for("apply this?")) << terminal.screen();
    EXPECT_THAT(terminal.screen(), HasSubstr("deployment/hermes"));
    terminal.type("y\r");
    ASSERT_TRUE(comes_true([&] { return exists("Lease", "hermes-hermesctl"); })) << terminal.screen();
    const Finished second = hermesctl(deploy_arguments({"--model", "MiniMax-M3"}));
    EXPECT_EQ(second.code, 1) << second.out << second.err;
    EXPECT_THAT(second.err, HasSubstr("another hermesctl works on this installation"));

    EXPECT_TRUE(terminal.wait_for("the bot answers")) << terminal.screen();
    EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
    EXPECT_THAT(terminal.screen(), Not(HasSubstr(setting("HERMES_TEST_TOKEN"))));
    EXPECT_THAT(terminal.screen(), Not(HasSubstr(setting("HERMES_TEST_KEY"))));
    EXPECT_TRUE(terminal.is_cooked());
    EXPECT_THAT(ask("hello"), HasSubstr("you said 'hello'"));

    const Finished status = hermesctl({"status", "-o", "json"});
    EXPECT_EQ(status.code, 0) << status.err;
    EXPECT_EQ(Json::parse(status.out)["answering"], true);
    EXPECT_EQ(Json::parse(status.out)["bot"], "@cage_bot");
}

TEST_F(AtATerminal, ANoChangesNothing) {
    auto arguments = deploy_arguments();
    arguments.erase(std::find(arguments.begin(), arguments.end(), "-y"));
    TerminalSession terminal = open(arguments, 80);
    ASSERT_TRUE(terminal.wait_for("apply this?")) << terminal.screen();
    terminal.type("n\r");
    EXPECT_EQ(terminal.wait(), 1) << terminal.screen();
    EXPECT_THAT(terminal.screen(), HasSubstr("nothing was changed"));
    EXPECT_FALSE(exists("Namespace", ns()));
}

TEST_F(AtATerminal, OfSeveralEachQuestionNamesItsInstance) {
    const testing::Scratch scratch;
    const std::string file = scratch.write(
        "two.yaml", "name: one\nnamespace: " + ns() + "\n---\nname: two\nnamespace: " + ns() + "\n");
    TerminalSession terminal = open({"deploy", "-f", file}, 120);
    for (const char* name : {"one", "two"}) {
        const std::string whose = std::string(name) + " in namespace " + ns() + ": ";
        ASSERT_TRUE(terminal.wait_for(whose + "your numeric Telegram id")) << terminal.screen();
        terminal.type(setting("HERMES_TEST_USER") + "\r");
        ASSERT_TRUE(terminal.wait_for(whose + "Telegram bot token")) << terminal.screen();
        terminal.type(setting("HERMES_TEST_TOKEN") + "\r");
        ASSERT_TRUE(terminal.wait_for(whose + "MINIMAX_API_KEY")) << terminal.screen();
        terminal.type(setting("HERMES_TEST_KEY") + "\r");
    }
    ASSERT_TRUE(terminal.wait_for("apply this?")) << "nothing is asked for again: " << terminal.screen();
    terminal.type("n\r");
    EXPECT_EQ(terminal.wait(), 1) << terminal.screen();
    EXPECT_FALSE(exists("Namespace", ns()));
}

TEST_F(AtATerminal, CtrlCAtAQuestionEndsIt) {
    TerminalSession terminal = open({"deploy"}, 80);
    ASSERT_TRUE(terminal.wait_for("numeric Telegram id")) << terminal.screen();
    terminal.type("\x03");
    EXPECT_EQ(terminal.wait(), 130) << terminal.screen();
    EXPECT_TRUE(terminal.is_cooked());
}

}  // namespace
}  // namespace hermesctl::e2e
