// docs/commands/*.md are what the commands say about themselves; so are the completions and the manual page.
#include "../../src/cli/commands.hpp"
#include "support/cli_world.hpp"
#include "support/golden.hpp"

#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using hermesctl::testing::CliWorld;
using hermesctl::testing::expect_golden;

std::string help_of(const std::vector<std::string>& line) {
    CliWorld world;
    EXPECT_EQ(world.run(line), ExitCode::ok) << world.err.str();
    return world.out.str();
}

TEST(HelpGolden, EveryCommandHasAPage) {
    for (const Command& command : commands()) {
        if (command.hidden) continue;
        const std::string name(command.name);
        expect_golden("docs/commands/" + name + ".md",
                      fmt::format("# hermesctl {}\n\n```text\n{}```\n", name, help_of({name, "--help"})));
    }
    expect_golden("docs/commands/hermesctl.md",
                  fmt::format("# hermesctl\n\n```text\n{}```\n", help_of({"--help"})));
}

TEST(HelpGolden, EveryPageHasACommand) {
    std::set<std::string> known{"hermesctl.md"};
    for (const Command& command : commands()) {
        known.insert(std::string(command.name) + ".md");
    }
    for (const auto& page : std::filesystem::directory_iterator(SOURCE_DIR "/docs/commands")) {
        EXPECT_TRUE(known.contains(page.path().filename().string())) << page.path();
    }
}

TEST(ErrorGolden, TextAndJson) {
    std::string all;
    for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
             {"lsit"}, {"list", "--nam"}, {"list", "--timeout", "5"}, {"-o", "json", "completion"}}) {
        CliWorld world;
        const ExitCode code = world.run(line);
        all += fmt::format("$ hermesctl");
        for (const std::string& word : line) {
            all += " " + word;
        }
        all += fmt::format("\n{}{}exit {}\n", world.err.str(), world.out.str(), static_cast<int>(code));
    }
    expect_golden("output/usage-errors.txt", all);
}

}  // namespace
}  // namespace hermesctl::cli
