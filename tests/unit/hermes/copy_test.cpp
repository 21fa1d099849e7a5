// Files into and out of the container: both ends for real (copy.py under the real Python), the cluster
// between them not.
#include "hermesctl/hermes/copy.hpp"

#include "support/command.hpp"
#include "support/installation.hpp"
#include "support/recording_reporter.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

namespace fs = std::filesystem;
using hermesctl::testing::FakeProcess;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::string text_of(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

class Copy : public ::testing::Test {
  protected:
    Copy() {
        hermesctl::testing::put_installation(api_);
        api_.on_exec = [this](FakeProcess& process) { run(process); };
        fs::create_directories(here_);
        fs::create_directories(there_);
    }

    /// A put has all its input once the end is in it; a get needs none.
    void run(FakeProcess& process) {
        auto argv = process.argv;
        argv.erase(argv.begin(), std::find(argv.begin(), argv.end(), "/usr/bin/python3"));
        const bool complete = process.input.find("\"end\":true") != std::string::npos;
        if (argv.at(5) == "put" ? !complete : ran_) return;
        ran_ = true;
        argv.insert(argv.begin(), before_.begin(), before_.end());
        const auto end = hermesctl::testing::finished(argv, {}, process.input);
        process.out(end.out);
        process.err(end.err);
        process.exit(end.code);
    }
    Copied out(const std::string& inside, const fs::path& local, bool replace = false) {
        ran_ = false;
        return copy_out(client_, running_agent(client_, names_), inside, local, {.replace = replace});
    }
    Copied dry(const CopyOptions& options, bool inwards, const fs::path& local, const std::string& inside) {
        ran_ = false;
        const Target target = running_agent(client_, names_);
        return inwards ? copy_in(client_, target, local, inside, options)
                       : copy_out(client_, target, inside, local, options);
    }
    Copied in(const fs::path& local, const std::string& inside, bool replace = false) {
        ran_ = false;
        return copy_in(client_, running_agent(client_, names_), local, inside, {.replace = replace});
    }
    std::string refusal_of(const std::function<void()>& action) {
        try {
            action();
        } catch (const Error& error) {
            return error.message();
        }
        return "";
    }

    const Names names_{.ns = "hermes", .name = "hermes"};
    hermesctl::testing::FakeClock clock_{};
    hermesctl::testing::FakeTransport transport_{clock_};
    hermesctl::testing::FakeApi api_{transport_};
    hermesctl::testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
    hermesctl::testing::Scratch scratch_{};
    fs::path here_ = scratch_.path("here");
    fs::path there_ = scratch_.path("there");
    bool ran_ = false;
    std::vector<std::string> before_{};  // what runs the script
};

TEST_F(Copy, AFolderArrivesWhole) {
    const std::string bytes("\0\xff\n", 3);
    scratch_.write("there/logs/a.log", bytes);
    scratch_.write("there/logs/old/b.log", std::string(200'000, 'b'));
    fs::permissions(there_ / "logs/a.log", fs::perms{0640});
    const auto copied = out((there_ / "logs").string(), here_ / "mine");
    EXPECT_EQ(copied.files, 2U);
    EXPECT_EQ(text_of(here_ / "mine/a.log"), bytes);
    EXPECT_EQ(text_of(here_ / "mine/old/b.log"), std::string(200'000, 'b'));
    EXPECT_EQ(fs::status(here_ / "mine/a.log").permissions(), fs::perms{0640});
}

TEST_F(Copy, ASlashAtTheEndChangesNothing) {
    scratch_.write("there/logs/a.log", "a");
    EXPECT_EQ(out((there_ / "logs//").string(), here_).path, (here_ / "logs").string());
    EXPECT_EQ(text_of(here_ / "logs/a.log"), "a");
    EXPECT_EQ(in(here_ / "logs/", (there_ / "new").string()).path, (there_ / "new").string());
    EXPECT_EQ(text_of(there_ / "new/a.log"), "a");
}

TEST_F(Copy, LinksThatTheAgentPlantedAreLeftOut) {
    scratch_.write("secret", "not yours");
    scratch_.write("there/notes/a.md", "a");
    fs::create_symlink(scratch_.path("secret"), there_ / "notes/link.md");
    fs::create_directory_symlink(scratch_.path(), there_ / "notes/folder");
    std::ofstream(there_ / "notes/no\xfftext") << "x";
    const auto copied = out((there_ / "notes").string(), here_);
    EXPECT_THAT(copied.left_out, UnorderedElementsAre("link.md", "folder", "no?text"));
    EXPECT_THAT(std::distance(fs::directory_iterator(here_ / "notes"), {}), 1);
}

TEST_F(Copy, NothingIsReplacedUnasked) {
    scratch_.write("there/a.md", "theirs");
    scratch_.write("here/a.md", "mine");
    const Copied kept = out((there_ / "a.md").string(), here_);
    EXPECT_TRUE(kept.in_the_way);
    EXPECT_EQ(kept.path, (here_ / "a.md").string());
    EXPECT_TRUE(in(here_ / "a.md", there_.string()).in_the_way);
    EXPECT_EQ(in(here_ / "a.md", there_.string()).path, (there_ / "a.md").string());
    EXPECT_EQ(text_of(there_ / "a.md"), "theirs");
    EXPECT_FALSE(in(here_ / "a.md", there_.string(), true).in_the_way);
    EXPECT_EQ(text_of(there_ / "a.md"), "mine");
    EXPECT_THAT(refusal_of([&] { in(here_ / "a.md", scratch_.path("nowhere/a.md")); }),
                HasSubstr("No such file"));
}

/// What the agent does while a copy is under way, once so many lines of it have come.
std::vector<std::string> meanwhile(int lines, const fs::path& there, const std::string& what) {
    return {"/bin/sh", "-ec",
            fmt::format(
                "n={}; {{ while [ $n -gt 0 ]; do read -r line; printf '%s\\n' \"$line\"; n=$((n-1)); done; "
                "cd {}; until ls -d .hermesctl-copy-*/content; do sleep 0.02; done >/dev/null 2>&1; {}; "
                "cat; }} | \"$@\"",
                lines, there.string(), what),
            "sh"};
}

TEST_F(Copy, WhatComesThereMeanwhileIsNotReplacedUnaskedEither) {
    scratch_.write("here/a.md", "mine");
    before_ = meanwhile(1, there_, "echo theirs >a.md");
    EXPECT_TRUE(in(here_ / "a.md", there_.string()).in_the_way);
    EXPECT_EQ(text_of(there_ / "a.md"), "theirs\n");
    before_.clear();
    EXPECT_FALSE(in(here_ / "a.md", there_.string(), true).in_the_way);
    EXPECT_EQ(text_of(there_ / "a.md"), "mine");
}

/// The folder it goes to is the agent's, whatever is root's in it.
TEST_F(Copy, WhatTheAgentPutsInTheCopysPlaceMeanwhileIsNotTouched) {
    fs::create_directories(here_ / "tree/sub");
    fs::permissions(here_ / "tree/sub", fs::perms::all);
    const fs::path secret = scratch_.write("secret", "");
    fs::permissions(secret, fs::perms::owner_read);
    before_ = meanwhile(2, there_,
                        "c=$(echo .hermesctl-copy-*); mv $c away; mkdir -p $c/content; ln -s " +
                            secret.string() + " $c/content/sub");
    in(here_ / "tree", there_.string());
    EXPECT_EQ(fs::status(secret).permissions(), fs::perms::owner_read);
    EXPECT_EQ(fs::status(there_ / "tree/sub").permissions(), fs::perms::all);
}

TEST_F(Copy, WhatFailsInThePodIsNamedAsItIsCalledThere) {
    scratch_.write("here/a.md", "mine");
    const std::string missing = scratch_.path("nowhere");
    EXPECT_EQ(refusal_of([&] { in(here_ / "a.md", missing + "/a.md"); }),
              "pod/hermes-1-a: " + missing + ": No such file or directory");
    EXPECT_EQ(refusal_of([&] { out(missing, here_); }),
              "pod/hermes-1-a: " + missing + ": No such file or directory");
    ASSERT_EQ(::mkfifo((there_ / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(refusal_of([&] { out((there_ / "pipe").string(), here_); }),
              "pod/hermes-1-a: " + (there_ / "pipe").string() + " is not a file");
}

TEST_F(Copy, WhatDoesNotFitIsNamedAsItWouldBeCalled) {
    scratch_.write("here/a.md", std::string(100'000, 'a'));
    scratch_.write("there/b.md", std::string(100'000, 'b'));
    const std::string inside = (there_ / "new.md").string();
    before_ = {"/bin/sh", "-c", "ulimit -f 1; exec \"$@\"", "sh"};
    EXPECT_EQ(refusal_of([&] { in(here_ / "a.md", inside); }),
              "pod/hermes-1-a: " + inside + ": File too large");
    before_.clear();
    struct rlimit limit {};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit small = limit;
    small.rlim_cur = 1000;
    ::signal(SIGXFSZ, SIG_IGN);
    api_.on_exec = [&](FakeProcess& process) {
        run(process);
        ::setrlimit(RLIMIT_FSIZE, &small);  // its output is in a file, too
    };
    const std::string refusal = refusal_of([&] { out((there_ / "b.md").string(), here_ / "new.md"); });
    ::setrlimit(RLIMIT_FSIZE, &limit);
    EXPECT_EQ(refusal, (here_ / "new.md").string() + ": File too large");
}

TEST_F(Copy, ADryRunSaysWhereAndHowManyAndChangesNothing) {
    scratch_.write("here/logs/a.log", "mine");
    scratch_.write("here/logs/old/b.log", "mine");
    fs::create_symlink("a.log", here_ / "logs/link.log");
    scratch_.write("there/notes/a.md", "theirs");
    scratch_.write("there/b.md", "theirs");
    scratch_.write("here/b.md", "mine");
    const CopyOptions options{.dry_run = true};
    const auto entries = [this] {
        return std::distance(fs::recursive_directory_iterator(scratch_.path()), {});
    };
    const auto before = entries();
    for (const bool inwards : {true, false}) {
        const Copied tree = inwards ? dry(options, true, here_ / "logs", there_.string())
                                    : dry(options, false, here_, (there_ / "notes").string());
        EXPECT_EQ(tree.path, (inwards ? there_ / "logs" : here_ / "notes").string());
        EXPECT_EQ(tree.files, inwards ? 2U : 1U);
        EXPECT_FALSE(tree.in_the_way);
        EXPECT_EQ(tree.left_out.size(), inwards ? 1U : 0U);
        const Copied file = dry(options, inwards, here_ / "b.md", (there_ / "b.md").string());
        EXPECT_TRUE(file.in_the_way);
        EXPECT_EQ(file.files, 1U);
        EXPECT_FALSE(
            dry({.replace = true, .dry_run = true}, inwards, here_ / "b.md", (there_ / "b.md").string())
                .in_the_way);
    }
    EXPECT_THAT(refusal_of([&] { dry(options, true, here_ / "b.md", scratch_.path("nowhere/b.md")); }),
                HasSubstr("No such file"))
        << "what would fail, fails";
    EXPECT_THAT(
        refusal_of([&] { dry(options, false, scratch_.path("nowhere/b.md"), (there_ / "b.md").string()); }),
        HasSubstr("No such file"));
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(text_of(there_ / "b.md"), "theirs");
    EXPECT_EQ(text_of(here_ / "b.md"), "mine");
}

/// What is written is called by its real name, and with --root a link leads nowhere.
TEST_F(Copy, AFolderThatIsALinkIsNotFollowedUnseen) {
    scratch_.write("here/b.md", "mine");
    fs::create_directories(scratch_.path("elsewhere"));
    fs::create_directory_symlink(scratch_.path("elsewhere"), there_ / "planted");
    const std::string inside = (there_ / "planted/b.md").string();
    if (::geteuid() == 0) {
        EXPECT_THAT(refusal_of([&] { in(here_ / "b.md", inside); }), HasSubstr("leads to"));
        EXPECT_FALSE(fs::exists(scratch_.path("elsewhere/b.md")));
    } else {
        EXPECT_EQ(in(here_ / "b.md", inside).path, scratch_.path("elsewhere/b.md"));
    }
}

TEST_F(Copy, AFileKeepsTheNameThatWasTyped) {
    scratch_.write("here/v3.md", "3");
    fs::create_symlink("v3.md", here_ / "current.md");
    EXPECT_EQ(in(here_ / "current.md", there_.string()).path, (there_ / "current.md").string());
    EXPECT_EQ(text_of(there_ / "current.md"), "3");
}

TEST_F(Copy, AFileThatGrowsIsCopiedAsLongAsItWas) {
    scratch_.write("there/gateway.log", std::string(100'000, 'a') + "\n");
    std::atomic<bool> done = false;
    std::thread agent([&] {
        std::ofstream log(there_ / "gateway.log", std::ios::app);
        while (!done) {
            log << "more and more\n" << std::flush;
        }
    });
    EXPECT_EQ(refusal_of([&] { out((there_ / "gateway.log").string(), here_); }), "");
    done = true;
    agent.join();
    EXPECT_GE(fs::file_size(here_ / "gateway.log"), 100'001U);
}

TEST_F(Copy, APathThatCannotBeLookedAtIsNamedWithItsCause) {
    const std::string endless(300, 'a');
    EXPECT_EQ(refusal_of([&] { in(endless, there_.string()); }), endless + ": File name too long");
    EXPECT_EQ(refusal_of([&] { out("a.md", here_ / endless); }),
              (here_ / endless).string() + ": File name too long");
    fs::create_symlink("loop", here_ / "loop");
    EXPECT_THAT(refusal_of([&] { in(here_ / "loop", there_.string()); }), HasSubstr("symbolic links"));
}

TEST_F(Copy, ACopyThatIsCutOffLeavesNothingBehind) {
    api_.on_exec = [](FakeProcess& process) {
        process.out("{\"path\":\"\",\"folder\":false,\"mode\":420,\"size\":10}\n12345");
        process.lose("reset");
    };
    EXPECT_THAT(refusal_of([&] { out("a.md", here_); }), HasSubstr("the connection was lost"));
    EXPECT_TRUE(fs::is_empty(here_));
}

TEST_F(Copy, ATreeOfThePodsMakingStaysInItsPlace) {
    for (const char* path : {"../evil", "/etc/evil", "a/../../evil", "."}) {
        api_.on_exec = [&](FakeProcess& process) {
            const Json entry{{"path", path}, {"folder", false}, {"mode", 420}, {"size", 0}};
            process.out(entry.dump() + "\n");
            process.exit(0);
        };
        EXPECT_THAT(refusal_of([&] { out("a", here_); }), HasSubstr("no copy of files")) << path;
    }
    EXPECT_TRUE(fs::is_empty(here_));
}

}  // namespace
}  // namespace hermesctl::hermes
