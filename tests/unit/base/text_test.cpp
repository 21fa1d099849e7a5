#include "hermesctl/base/text.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Text, CaseIsThatOfAscii) {
    EXPECT_EQ(lower("Deployment-1 \xc3\x89"), "deployment-1 \xc3\x89");
    EXPECT_EQ(upper("cap_kill \xc3\xa9"), "CAP_KILL \xc3\xa9");
    EXPECT_TRUE(equal_ignoring_case("Retry-After", "rETRY-aFTER"));
    EXPECT_TRUE(equal_ignoring_case("", ""));
    EXPECT_FALSE(equal_ignoring_case("Date", "Dates"));
    EXPECT_FALSE(equal_ignoring_case("Date", "Data"));
}

TEST(Text, BlanksGoAtBothEndsOnly) {
    EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
    EXPECT_EQ(trimmed("a"), "a");
    EXPECT_EQ(trimmed(" \r\n"), "");
    EXPECT_EQ(trimmed(""), "");
    EXPECT_EQ(trimmed(" a\r", " "), "a\r");
}

TEST(Text, PartsTogetherAreTheWhole) {
    EXPECT_THAT(split("a,b", ","), ElementsAre("a", "b"));
    EXPECT_THAT(split(",a,,b,", ","), ElementsAre("", "a", "", "b", ""));
    EXPECT_THAT(split("a b\tc", " \t"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(split("a", ","), ElementsAre("a"));
    EXPECT_THAT(split("", ","), ElementsAre(""));
}

TEST(Text, WordsAreNeverEmpty) {
    EXPECT_THAT(words_of("  a \t b\r\n"), ElementsAre("a", "b"));
    EXPECT_THAT(words_of(":a::b:", ":"), ElementsAre("a", "b"));
    EXPECT_THAT(words_of(" \n"), IsEmpty());
    EXPECT_THAT(words_of(""), IsEmpty());
}

}  // namespace
}  // namespace hermesctl
