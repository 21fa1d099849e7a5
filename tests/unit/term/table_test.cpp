#include "hermesctl/term/table.hpp"

#include "hermesctl/term/text.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace hermesctl::term {
namespace {

TEST(Table, AlignsColumns) {
    EXPECT_EQ(table({"NAME", "STATE"}, {{"a", "ready"}, {"longer", "no"}}, 80),
              "NAME    STATE\na       ready\nlonger  no\n");
}

TEST(Table, AlignsWideCharacters) {
    EXPECT_EQ(table({}, {{"日本", "x"}, {"abcde", "y"}}, 0), "日本   x\nabcde  y\n");
}

TEST(Table, WrapsTheLastColumnAndCutsNothing) {
    const std::vector<std::vector<std::string>> rows{{"cage", "it leaks; hermesctl verify shows all"}};
    EXPECT_EQ(table({"A", "B"}, rows, 32), "A     B\ncage  it leaks; hermesctl verify\n      shows all\n");
    EXPECT_EQ(table({"A", "B"}, rows, 42), "A     B\ncage  it leaks; hermesctl verify shows all\n");
    EXPECT_EQ(table({"A", "B"}, rows, 0), "A     B\ncage  it leaks; hermesctl verify shows all\n");
    EXPECT_EQ(table({}, {{"image", "0123456789abcdefghijklmnopqrstuv"}}, 30),
              "image  0123456789abcdefghijklm\n       nopqrstuv\n")
        << "a word that is longer than its column is broken";
}

TEST(Table, StacksWhereNoTableFits) {
    EXPECT_EQ(table({"NAME", "IMAGE"}, {{"hermes", "docker.io"}, {"other", "z"}}, 16),
              "NAME   hermes\nIMAGE  docker.io\n\nNAME   other\nIMAGE  z\n");
    EXPECT_EQ(table({"NAME", "WHY"}, {{"hermes", "no answer: the key is refused"}}, 24),
              "NAME  hermes\nWHY   no answer: the key\n      is refused\n");
    EXPECT_EQ(table({}, {{"drift", "the key is refused"}}, 12), "drift\nthe key is\nrefused\n");
}

TEST(Table, NoLineIsWiderThanTheTerminal) {
    const std::vector<std::vector<std::string>> rows{
        {"deployment", "日本語日本語日本語日本語日本語", "it leaks: " + std::string(99, 'y')}};
    for (const int width : {12, 20, 40, 62, 63, 80, 200}) {
        std::istringstream lines(table({"WHAT", "WHERE", "WHY"}, rows, width));
        for (std::string line; std::getline(lines, line);)
            EXPECT_LE(columns(line), width) << line;
    }
}

TEST(Table, NeutralisesForeignText) {
    EXPECT_EQ(table({}, {{"a\x1b[2J\nb"}}, 0), "a?[2J b\n");
}

TEST(Table, OfNothingIsNothing) {
    EXPECT_EQ(table({}, {}, 80), "");
    EXPECT_EQ(table({"NAME"}, {}, 80), "NAME\n");
}

}  // namespace
}  // namespace hermesctl::term
