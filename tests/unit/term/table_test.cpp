#include "hermesctl/term/table.hpp"

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

TEST(Table, CutsTheLastColumn) {
    EXPECT_EQ(table({"A", "B"}, {{"x", "0123456789abcdef"}}, 15), "A  B\nx  0123456789a…\n");
    EXPECT_EQ(table({"A", "B"}, {{"x", "0123456789abcdef"}}, 0), "A  B\nx  0123456789abcdef\n");
}

TEST(Table, StacksWhereNoTableFits) {
    EXPECT_EQ(table({"NAME", "IMAGE"}, {{"hermes", "docker.io"}, {"other", "z"}}, 16),
              "NAME   hermes\nIMAGE  docker.io\n\nNAME   other\nIMAGE  z\n");
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
