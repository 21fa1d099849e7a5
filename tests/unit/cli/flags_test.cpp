#include "../../../src/cli/flags.hpp"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

namespace hermesctl::cli {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsUnitsAndSums) {
    EXPECT_EQ(parse_duration("90s"), 90s);
    EXPECT_EQ(parse_duration("10m"), 10min);
    EXPECT_EQ(parse_duration("1h30m"), 90min);
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(ParseDuration, RefusesWhatIsNotOne) {
    for (const char* text : {"", "5", "s", "-5s", "5 s", "5d", "1.5h", "10mm", "99999999999999999999s",
                             "9223372036854775807h", "8761h", "5s-3s", "5s+3s", "ten"}) {
        EXPECT_THROW(parse_duration(text), Error) << text;
    }
}

class GlobalFlagsTest : public ::testing::Test {
  protected:
    void parse(const std::string& line) {
        CLI::App app("", "hermesctl");
        add_global_flags(app, flags_);
        app.add_subcommand("status", "")->fallthrough();
        app.parse(line);
    }
    GlobalFlags flags_{};
};

TEST_F(GlobalFlagsTest, HaveTheContractsDefaults) {
    parse("");
    EXPECT_EQ(flags_.timeout, 10min);
    EXPECT_EQ(flags_.output, "text");
    EXPECT_FALSE(flags_.yes);
    EXPECT_FALSE(flags_.verbose);
}

TEST_F(GlobalFlagsTest, MayStandBeforeAndAfterTheCommand) {
    parse("-n one status --name two -o json -vv --timeout 1h -yq -f - --context c --kubeconfig k --no-color");
    EXPECT_EQ(flags_.ns, "one");
    EXPECT_EQ(flags_.name, "two");
    EXPECT_TRUE(flags_.json());
    EXPECT_TRUE(flags_.verbose);
    EXPECT_EQ(flags_.timeout, 1h);
    EXPECT_TRUE(flags_.yes);
    EXPECT_TRUE(flags_.quiet);
    EXPECT_EQ(flags_.file, "-");
    EXPECT_EQ(flags_.context, "c");
    EXPECT_EQ(flags_.kubeconfig, "k");
    EXPECT_TRUE(flags_.no_colour);
}

TEST_F(GlobalFlagsTest, TheLastOfTwoCounts) {
    parse("-n one status -n two");
    EXPECT_EQ(flags_.ns, "two");
}

TEST_F(GlobalFlagsTest, NamesMustBeNames) {
    for (const char* name : {"Hermes", "a/b", "-a", "a_b", "x.y"}) {
        EXPECT_THROW(parse(std::string("--namespace=") + name), CLI::ValidationError) << name;
    }
    EXPECT_THROW(parse("--name " + std::string(64, 'a')), CLI::ValidationError);
}

TEST(AddList, TakesOneValueEachTime) {
    CLI::App app("", "x");
    std::vector<std::string> secrets;
    std::string command;
    add_list(app, "--secret", secrets, "KEY=SOURCE", "");
    add_text(app, "COMMAND", command, "COMMAND", "");
    app.parse("--secret A=- --secret B=@file run");
    EXPECT_EQ(secrets, (std::vector<std::string>{"A=-", "B=@file"}));
    EXPECT_EQ(command, "run");
}

}  // namespace
}  // namespace hermesctl::cli
