// exec, shell, cp and logs against a real kubelet: bytes, exit codes, terminals, rotation and restarts.
#include "e2e/node.hpp"
#include "hermesctl/base/crypto.hpp"
#include "support/scratch.hpp"
#include "support/terminal_session.hpp"

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <signal.h>

namespace hermesctl::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Scratch;
using testing::TerminalSession;

class Remote : public Node {
  protected:
    Remote() : Node(Scope::suite) {}
    std::vector<std::string> command(std::vector<std::string> arguments) const {
        std::vector<std::string> argv{setting("HERMESCTL_BINARY"), "--kubeconfig", kubeconfig(), "-n", ns()};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        return argv;
    }
    Finished shell(const std::string& line) { return testing::finished({"/bin/sh", "-c", line}); }
    /// From the pod, by its whole command line.
    bool is_gone(const std::string& process) {
        return comes_true([&] { return hermesctl({"exec", "--", "pgrep", "-fx", process}).code == 1; });
    }
    std::string hermesctl_words() const { return fmt::format("{}", fmt::join(command({}), " ")); }
};

TEST_F(Remote, ExecCarriesExitCodesUsersAndBothStreams) {
    const Finished three = hermesctl({"exec", "--", "sh", "-c", "echo out; echo err >&2; exit 3"});
    EXPECT_EQ(three.code, 3);
    EXPECT_EQ(three.out, "out\n");
    EXPECT_EQ(three.err, "err\n");
    EXPECT_EQ(hermesctl({"exec", "--", "id", "-u"}).out, "10000\n");
    EXPECT_EQ(hermesctl({"exec", "--root", "--", "id", "-u"}).out, "0\n");
    EXPECT_EQ(hermesctl({"exec", "--", "cat"}, {}, "typed").out, "typed");
    EXPECT_EQ(hermesctl({"exec", "--", "sh", "-c", "kill -TERM $$"}).code, 143);
    const Finished none = hermesctl({"exec", "--name", "nobody", "--", "true"});
    EXPECT_EQ(none.code, 125) << none.err;
    EXPECT_THAT(none.err, HasSubstr("there is no deployment/nobody"));
}

TEST_F(Remote, HundredMegabytesArriveIntactBothWays) {
    Scratch scratch;
    const std::string file = scratch.path("bytes");
    ASSERT_EQ(shell("head -c 100000000 /dev/urandom > " + file).code, 0);
    const std::string sum = shell("sha256sum < " + file).out;
    const Finished there = shell(fmt::format("{} exec -- sha256sum < {}", hermesctl_words(), file));
    EXPECT_EQ(there.out, sum) << there.err;
    const Finished back = shell(fmt::format("{0} exec -- cat < {1} | sha256sum", hermesctl_words(), file));
    EXPECT_EQ(back.out, sum) << back.err;
    // Who reads no further ends us as SIGPIPE would, and not in an error's words.
    const Finished head = shell(hermesctl_words() + " exec -- cat /dev/zero | head -c 10 | wc -c");
    EXPECT_EQ(head.out, "10\n");
    EXPECT_EQ(head.err, "");
    EXPECT_TRUE(is_gone("cat /dev/zero"));
}

TEST_F(Remote, CtrlCEndsAnExecThatHasNoTerminal) {
    auto running = start_hermesctl({"exec", "--", "/bin/sh", "-c", "echo begun; sleep 602; true"});
    ASSERT_TRUE(running->says("begun\n")) << running->all();
    running->signal(SIGINT);
    EXPECT_EQ(running->wait(), 130) << running->all();
    EXPECT_TRUE(is_gone("sleep 602"));
}

TEST_F(Remote, ShellIsATerminalAndLeavesOursAsItWas) {
    TerminalSession terminal(command({"shell"}), 91, 33);
    terminal.type("echo prompt-$((40+2))\r");
    ASSERT_TRUE(terminal.wait_for("prompt-42")) << terminal.screen();
    EXPECT_FALSE(terminal.is_cooked());
    terminal.type("stty size\r");
    EXPECT_TRUE(terminal.wait_for("33 91")) << terminal.screen();
    terminal.resize(120, 44);
    EXPECT_TRUE(comes_true([&] {
        terminal.type("stty size\r");
        return terminal.wait_for("44 120", 2s);
    })) << terminal.screen();
    // Ctrl-C is the remote program's.
    terminal.type("sleep 600\r");
    std::this_thread::sleep_for(500ms);
    terminal.type("\x03");
    terminal.type("echo still-$((1+1))\r");
    EXPECT_TRUE(terminal.wait_for("still-2")) << terminal.screen();
    terminal.type("exit 7\r");
    EXPECT_EQ(terminal.wait(), 7) << terminal.screen();
    EXPECT_TRUE(terminal.is_cooked());
}

TEST_F(Remote, AKilledShellLeavesTheTerminalAsItWasAndNothingInThePod) {
    constexpr int closed = 0;  // no signal, but what kill() is for a window
    for (const int number : {SIGTERM, SIGHUP, closed}) {
        TerminalSession terminal(command({"shell"}), 80, 24);
        terminal.type("echo prompt-$((40+2))\r");
        ASSERT_TRUE(terminal.wait_for("prompt-42")) << terminal.screen();
        ASSERT_FALSE(terminal.is_cooked());
        terminal.type("setsid sleep 601 & echo begun-$((1+1))\r");
        ASSERT_TRUE(terminal.wait_for("begun-2")) << terminal.screen();
        terminal.type("sleep 600\r");
        std::this_thread::sleep_for(500ms);
        if (number == closed) {
            terminal.close();
            EXPECT_THAT(terminal.wait(), AnyOf(130, 125)) << "what it is told first";
        } else {
            ::kill(terminal.pid(), number);
            EXPECT_EQ(terminal.wait(), 130) << terminal.screen();
            EXPECT_TRUE(terminal.is_cooked()) << number;
        }
        // As where a terminal is closed at home, what has a session of its own stays.
        const std::string each =
            "for f in $(grep -lz ^HERMESCTL_EXEC= /proc/[0-9]*/environ 2>/dev/null); do f=${f%/environ}; "
            "[ $f = /proc/$$ ] || ";  // this one has a mark, too, as has grep, which is gone
        const auto of_each = [&](const std::string& what) {
            return hermesctl({"exec", "--", "sh", "-c", each + what + "; done"}).out;
        };
        EXPECT_TRUE(comes_true([&] { return of_each("tr '\\0' ' ' <$f/cmdline") == "sleep 601 "; }))
            << number;
        of_each("kill ${f#/proc/}");
    }
}

TEST_F(Remote, FilesAndFoldersGoInAndOut) {
    Scratch scratch;
    scratch.write("folder/a.txt", "first");
    scratch.write("folder/deep/b.bin", std::string("\0\xff\n", 3));
    const Finished in = hermesctl({"cp", scratch.path("folder"), ":workspace/"});
    ASSERT_EQ(in.code, 0) << in.err;
    EXPECT_THAT(in.out, HasSubstr("2 files"));
    EXPECT_EQ(hermesctl({"exec", "--", "stat", "-c", "%u", "/opt/data/workspace/folder/a.txt"}).out,
              "10000\n");
    const Finished out = hermesctl({"cp", ":workspace/folder", scratch.path("back"), "-o", "json"});
    ASSERT_EQ(out.code, 0) << out.err;
    EXPECT_EQ(Json::parse(out.out)["changed"], true);
    EXPECT_EQ(shell(fmt::format("diff -r {} {}", scratch.path("folder"), scratch.path("back"))).code, 0);
    // What is there is not replaced unasked.
    scratch.write("folder/a.txt", "second");
    const Finished again = hermesctl({"cp", scratch.path("folder/a.txt"), ":workspace/folder/a.txt"});
    EXPECT_EQ(again.code, 2) << again.err;
    EXPECT_THAT(again.err, HasSubstr("--yes"));
    EXPECT_EQ(hermesctl({"exec", "--", "cat", "/opt/data/workspace/folder/a.txt"}).out, "first");
    // The runtime does not end a command that leaves more unread than the pipes on the way hold.
    const Finished nowhere = hermesctl(
        {"cp", scratch.write("large", std::string(3'000'000, 'x')), ":/opt/data/nowhere/large", "--yes"});
    EXPECT_EQ(nowhere.code, 125) << nowhere.err;
    EXPECT_THAT(nowhere.err, HasSubstr("/opt/data/nowhere: No such file or directory"));
    // A link that the agent has planted does not lead out of what was asked for.
    ASSERT_EQ(hermesctl({"exec", "--", "ln", "-s", "/etc/passwd", "/opt/data/workspace/folder/link"}).code,
              0);
    const Finished linked = hermesctl({"cp", ":workspace/folder", scratch.path("linked")});
    EXPECT_EQ(linked.code, 0) << linked.err;
    EXPECT_THAT(linked.err, HasSubstr("left out"));
    EXPECT_NE(shell("test -e " + scratch.path("linked/link")).code, 0);
}

TEST_F(Remote, EachLogHasItsSource) {
    EXPECT_THAT(hermesctl({"logs", "--since-boot"}).out, HasSubstr("Starting Hermes Gateway"));
    EXPECT_THAT(hermesctl({"logs", "--source", "agent"}).out, HasSubstr("gateway"));
    EXPECT_EQ(hermesctl({"logs", "--source", "errors"}).code, 0);
    const Finished console = hermesctl({"logs", "--source", "console"});
    EXPECT_EQ(console.code, 0) << console.err;
    EXPECT_NE(console.out, "");
    const Finished json = hermesctl({"logs", "--lines", "1", "-o", "json"});
    EXPECT_EQ(Json::parse(json.out)["source"], "gateway");
    EXPECT_THAT(json.out, Not(HasSubstr(setting("HERMES_TEST_TOKEN"))));
}

TEST_F(Remote, LogsFollowAcrossRotationCutAndRestart) {
    auto follow = start_hermesctl({"logs", "-f", "--kubeconfig", proxied_kubeconfig()});
    const auto write = [this](const std::string& text) {
        return hermesctl(
                   {"exec", "--", "sh", "-c", fmt::format("echo '{}' >> /opt/data/logs/gateway.log", text)})
            .code;
    };
    ASSERT_TRUE(follow->says("telegram connected")) << follow->all();
    ASSERT_EQ(write("before the rotation"), 0);
    EXPECT_TRUE(follow->says("before the rotation")) << follow->all();
    ASSERT_EQ(
        hermesctl({"exec", "--", "mv", "/opt/data/logs/gateway.log", "/opt/data/logs/gateway.log.1"}).code,
        0);
    ASSERT_EQ(write("after the rotation"), 0);
    EXPECT_TRUE(follow->says("after the rotation")) << follow->all();
    node({"proxy", "cut"});
    ASSERT_EQ(write("while the connection was cut"), 0);
    std::this_thread::sleep_for(1s);
    node({"proxy", "heal"});
    EXPECT_TRUE(follow->says("while the connection was cut")) << follow->all();
    const std::string pod = pod_uids();
    const Finished restarted = hermesctl({"restart", "-o", "json"});
    ASSERT_EQ(restarted.code, 0) << restarted.err;
    EXPECT_EQ(Json::parse(restarted.out)["bot"], "@cage_bot");
    EXPECT_NE(pod_uids(), pod);
    EXPECT_TRUE(answers());
    // The annotation is the rollout tools': the next deploy must not take it away and roll the pod again.
    EXPECT_THAT(hermesctl({"deploy", "-y"}).out, HasSubstr("nothing to change"));
    ASSERT_EQ(write("after the restart"), 0);
    EXPECT_TRUE(follow->says("after the restart")) << follow->all();
    follow->signal(SIGINT);
    EXPECT_EQ(follow->wait(), 130);
    const std::string all = follow->out();
    EXPECT_EQ(all.find("before the rotation"), all.rfind("before the rotation")) << "shown twice: " << all;
}

}  // namespace
}  // namespace hermesctl::e2e
