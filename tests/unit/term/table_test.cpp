#include "hermesctl/term/table.hpp"

#include "hermesctl/base/scrub.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::term {
namespace {

TEST(Table, AlignsColumns) {
    EXPECT_EQ(table({"NAME", "STATE"}, {{"a", "ready"}, {"longer", "no"}}),
              "NAME    STATE\na       ready\nlonger  no\n");
}

TEST(Table, AlignsWideCharacters) {
    EXPECT_EQ(table({}, {{"日本", "x"}, {"abcde", "y"}}), "日本   x\nabcde  y\n");
}

/// Where it is longer than the terminal is wide, a command in it is still one line.
TEST(Table, CutsAndBreaksNothing) {
    const std::string why = "it leaks: " + std::string(200, 'y') + "; hermesctl verify shows all";
    EXPECT_EQ(table({"A", "B"}, {{"cage", why}}), "A     B\ncage  " + why + "\n");
}

TEST(Table, ShowsNoSecrets) {
    remember_secret("hunter2-hunter2-hunter2");
    EXPECT_THAT(table({}, {{"gateway", "it said hunter2-hunter2-hunter2"}}),
                ::testing::Not(::testing::HasSubstr("hunter2")));
}

TEST(Table, NeutralisesForeignText) {
    EXPECT_EQ(table({}, {{"a\x1b[2J\nb"}}), "a?[2J b\n");
}

TEST(Table, OfNothingIsNothing) {
    EXPECT_EQ(table({}, {}), "");
    EXPECT_EQ(table({"NAME"}, {}), "NAME\n");
}

}  // namespace
}  // namespace hermesctl::term
