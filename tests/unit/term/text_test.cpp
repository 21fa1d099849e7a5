#include "hermesctl/term/text.hpp"

#include <gtest/gtest.h>

namespace hermesctl::term {
namespace {

TEST(Printable, LetsNothingCommandTheTerminal) {
    EXPECT_EQ(printable("a\x1b[31mb\x07"), "a?[31mb?");
    EXPECT_EQ(printable("two\nlines\tand\rmore"), "two lines and more");
    EXPECT_EQ(printable("\xC2\x9B"
                        "31m"),
              "?31m")
        << "C1's CSI as UTF-8";
    EXPECT_EQ(printable("\x9B"
                        "31m"),
              "?31m")
        << "C1's CSI as one byte";
    EXPECT_EQ(printable("user\u202Egpj.exe"), "user?gpj.exe");
    EXPECT_EQ(printable("1\u061C2"), "1?2") << "the Arabic letter mark";
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
}

TEST(Printable, ReplacesWhatIsNotUtf8AndKeepsTheRest) {
    EXPECT_EQ(printable("caf\xE9 caf\u00E9"), "caf? caf\u00E9");
    EXPECT_EQ(printable("\xC0\x80\xED\xA0\x80"), "?????") << "overlong, surrogate";
    EXPECT_EQ(printable("\xE2\x9C"), "??") << "cut off";
}

TEST(Columns, CountsWhatTheTerminalShows) {
    EXPECT_EQ(columns("abc"), 3);
    EXPECT_EQ(columns("\u00E9"), 1);
    EXPECT_EQ(columns("e\u0301"), 1) << "combining";
    EXPECT_EQ(columns("日本"), 4);
    EXPECT_EQ(columns("🚀"), 2);
    EXPECT_EQ(columns("✓…⠋"), 3);
    EXPECT_EQ(columns(""), 0);
}

TEST(Fit, CutsToColumnsWithAnEllipsis) {
    EXPECT_EQ(fit("short", 5, true), "short");
    EXPECT_EQ(fit("too long", 5, true), "too …");
    EXPECT_EQ(fit("too long", 5, false), "to...");
    EXPECT_EQ(fit("日本語", 4, true), "日…") << "a wide character is not cut in half";
    EXPECT_EQ(fit("abc", 0, true), "");
    EXPECT_EQ(fit("abcdef", 2, false), "..");
    EXPECT_EQ(fit("abc", -4, true), "");
}

TEST(Pad, FillsUpColumnsNotBytes) {
    EXPECT_EQ(pad("日", 4), "日  ");
    EXPECT_EQ(pad("abcde", 3), "abcde");
}

TEST(Wrapped, BreaksBetweenWordsAndOnlyThenInside) {
    EXPECT_EQ(wrapped("one two three", 7), (std::vector<std::string>{"one two", "three"}));
    EXPECT_EQ(wrapped("a longerword b", 6), (std::vector<std::string>{"a", "longer", "word b"}));
    EXPECT_EQ(wrapped("日本語 x", 4), (std::vector<std::string>{"日本", "語 x"}));
    EXPECT_EQ(wrapped("  two   spaces ", 20), (std::vector<std::string>{"two spaces"}));
    EXPECT_EQ(wrapped("", 5), (std::vector<std::string>{""}));
    EXPECT_EQ(wrapped("日", 1), (std::vector<std::string>{"日"}))
        << "wider than there is room: it still ends";
}

}  // namespace
}  // namespace hermesctl::term
