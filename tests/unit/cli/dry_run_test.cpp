// --dry-run of every command that changes anything: it says something, and nothing is written.
#include "../../../src/cli/commands.hpp"
#include "hermesctl/base/crypto.hpp"
#include "support/cli_world.hpp"
#include "support/installation.hpp"
#include "support/scratch.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using hermesctl::testing::FakeProcess;
using ::testing::Contains;
using ::testing::Not;
using ::testing::StartsWith;

const std::string token = "123456789:AAbbccddeeffgghhiijjkkllmmnnooppqqr";

class DryRun : public ::testing::Test {
  protected:
    DryRun() {
        hermesctl::testing::put_installation(world_.api);
        world_.api.merge({"Secret", "hermes", "hermes-secrets"},
                         {{"data",
                           {{"TELEGRAM_ALLOWED_USERS", base64_encode("111")},
                            {"TELEGRAM_BOT_TOKEN", base64_encode(token)},
                            {"MINIMAX_API_KEY", base64_encode("the-old-key-0123456789")}}}});
        world_.context.environment["KEY"] = "the-new-key-0123456789";
        world_.context.environment["TOKEN"] = token;
        world_.api.on_exec = [this](FakeProcess& process) { serve(process); };
    }

    /// Scripts in the pod may look, too: none of those that change anything is run.
    void serve(FakeProcess& process) {
        for (const char* change : {"put", "revoke", "unshadow"})
            EXPECT_THAT(process.argv, Not(Contains(change)));
        if (std::ranges::find(process.argv, "look") != process.argv.end()) {
            process.out(R"({"path": "/opt/data/workspace/notes.md"})");
            return process.exit(0);
        }
        process.exit(1);
    }

    std::vector<std::string> writes() const {
        std::vector<std::string> found;
        for (const std::string& line : world_.api.log) {
            const bool looks = line.starts_with("GET ") || line.starts_with("LIST ") ||
                               line.starts_with("WATCH ") || line.starts_with("EXEC ") ||
                               line.ends_with(" (dry run)");
            if (!looks) found.push_back(line);
        }
        return found;
    }

    using Lines = std::map<std::string, std::vector<std::vector<std::string>>, std::less<>>;
    /// By the command: the arguments with which it would change something.
    Lines changes() const {
        const std::string notes = scratch_.write("notes.md", "mine");
        return Lines{{"deploy",
                      {{"--model", "another"},
                       {"--name", "second", "--allow-user", "1", "--secret", "TELEGRAM_BOT_TOKEN=env:TOKEN",
                        "--secret", "MINIMAX_API_KEY=env:KEY"}}},
                     {"stop", {{}, {"--now"}}},
                     {"start", {{}}},
                     {"restart", {{}}},
                     {"rotate-secret", {{"MINIMAX_API_KEY=env:KEY"}, {"--remove", "MINIMAX_API_KEY"}}},
                     {"allow-user", {{"222"}, {"222", "--replace", "--force"}}},
                     {"cp", {{notes, ":workspace/"}}},
                     {"teardown", {{}, {"--delete-data"}}}};
    }

    hermesctl::testing::CliWorld world_{};
    hermesctl::testing::Scratch scratch_{};
};

TEST_F(DryRun, OfEveryChangingCommandWritesNothing) {
    const Lines lines = changes();
    // All that is not in here changes something.
    const std::set<std::string_view> reads{"wait", "status", "verify", "logs",    "exec",       "shell",
                                           "diff", "render", "list",   "version", "completion", "man"};
    const auto before = world_.api.objects();
    for (const Command& command : commands()) {
        const auto found = lines.find(command.name);
        ASSERT_EQ(world_.run({std::string(command.name), "--help"}), ExitCode::ok);
        const bool offered = world_.out.str().find("--dry-run") != std::string::npos;
        EXPECT_EQ(offered, !reads.contains(command.name)) << command.name;
        EXPECT_EQ(offered, found != lines.end()) << command.name << " is not tried here";
        if (found == lines.end()) continue;
        for (std::vector<std::string> line : found->second) {
            line.insert(line.begin(), found->first);
            line.emplace_back("--dry-run");
            world_.api.log.clear();
            EXPECT_EQ(world_.run(line), ExitCode::ok) << ::testing::PrintToString(line) << world_.err.str();
            EXPECT_NE(world_.out.str() + world_.err.str(), "");
            line.insert(line.end(), {"-o", "json"});
            EXPECT_EQ(world_.run(line), ExitCode::ok) << world_.err.str();
            EXPECT_EQ(kube::Json::parse(world_.out.str())["changed"], false)
                << ::testing::PrintToString(line);
            EXPECT_THAT(writes(), ::testing::IsEmpty()) << ::testing::PrintToString(line);
            EXPECT_EQ(world_.api.objects(), before) << ::testing::PrintToString(line);
        }
    }
}

/// Only cp is none: it changes no object.
TEST_F(DryRun, OfAChangeOfTheClusterOpensWithWhereThatIs) {
    for (const auto& [command, lines] : changes()) {
        if (command == "cp") continue;
        for (std::vector<std::string> line : lines) {
            line.insert(line.begin(), command);
            line.emplace_back("--dry-run");
            EXPECT_EQ(world_.run(line), ExitCode::ok) << world_.err.str();
            EXPECT_THAT(world_.err.str(),
                        StartsWith("info  namespace/hermes  context c, https://k8s.example:6443\n"))
                << ::testing::PrintToString(line);
        }
    }
}

TEST_F(DryRun, OfACopySaysWhatWouldBeWhere) {
    const std::string notes = scratch_.write("notes.md", "mine");
    EXPECT_EQ(world_.run({"cp", notes, ":workspace/", "--dry-run"}), ExitCode::ok) << world_.err.str();
    EXPECT_EQ(world_.out.str(), "would copy 1 file to /opt/data/workspace/notes.md\n");
    EXPECT_EQ(world_.run({"cp", notes, ":workspace/", "--dry-run", "-o", "json"}), ExitCode::ok);
    const auto said = kube::Json::parse(world_.out.str());
    EXPECT_EQ(said["changed"], false);
    EXPECT_EQ(said["inTheWay"], false);
    EXPECT_EQ(said["files"], 1);
}

}  // namespace
}  // namespace hermesctl::cli
