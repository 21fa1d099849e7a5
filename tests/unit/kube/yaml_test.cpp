#include "hermesctl/kube/yaml.hpp"

#include "hermesctl/base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Json parse(std::string_view text) {
    const auto documents = parse_yaml(text, "f.yaml");
    EXPECT_EQ(documents.size(), 1u) << text;
    return documents.empty() ? Json{} : documents[0];
}

std::string refusal(std::string_view text) {
    try {
        parse_yaml(text, "f.yaml");
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        return error.message();
    }
    return "accepted";
}

struct Scalar {
    std::string_view text;
    Json value;
};

class PlainScalar : public ::testing::TestWithParam<Scalar> {};

// The right column is what `kubectl config view -o json` makes of the left one.
TEST_P(PlainScalar, IsWhatKubectlSees) {
    const Json value = parse("v: " + std::string(GetParam().text)).at("v");
    EXPECT_EQ(value, GetParam().value);
    EXPECT_EQ(value.is_number_integer(), GetParam().value.is_number_integer());
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, PlainScalar,
    ::testing::Values(Scalar{"yes", true}, Scalar{"on", true}, Scalar{"y", true}, Scalar{"True", true},
                      Scalar{"no", false}, Scalar{"OFF", false}, Scalar{"tRue", "tRue"}, Scalar{"~", nullptr},
                      Scalar{"null", nullptr}, Scalar{"", nullptr}, Scalar{"\"yes\"", "yes"},
                      Scalar{"'12'", "12"}, Scalar{"12", 12}, Scalar{"-12", -12}, Scalar{"+1", 1},
                      Scalar{"0777", 511}, Scalar{"0o17", 15}, Scalar{"0x1F", 31}, Scalar{"-0x1F", -31},
                      Scalar{"0b11", 3}, Scalar{"1_000", 1000}, Scalar{"08", 8}, Scalar{"0x", "0x"},
                      Scalar{"_1", "_1"}, Scalar{".5", 0.5}, Scalar{"1e3", 1000}, Scalar{"1.0", 1},
                      Scalar{"1.5e10", 15000000000}, Scalar{"1e400", "1e400"},
                      Scalar{"12345678901234567890", 12345678901234567890u}, Scalar{"12:30", "12:30"},
                      Scalar{"2020-01-01", "2020-01-01"}, Scalar{"1.2.3", "1.2.3"},
                      Scalar{"10.0.0.0/8", "10.0.0.0/8"}, Scalar{"512Mi", "512Mi"}, Scalar{".", "."},
                      Scalar{"!!str 12", "12"}, Scalar{"!!int \"3\"", 3}, Scalar{"!!float 3", 3},
                      Scalar{"-9223372036854775808", INT64_MIN}));

TEST(Yaml, BlocksFlowsAndText) {
    EXPECT_EQ(parse("a: {b: [1, 'x']}\nc: |\n  one\n  two\nd: >-\n  one\n  two\ne: \"\\u00e9\\n\"\n"),
              Json::parse(R"({"a":{"b":[1,"x"]},"c":"one\ntwo\n","d":"one two","e":"é\n"})"));
    EXPECT_EQ(parse(R"({"a":"b\/c","d":[1,{"e":null}]})"), Json::parse(R"({"a":"b/c","d":[1,{"e":null}]})"));
}

TEST(Yaml, EscapesOfLatin1Characters) {
    EXPECT_EQ(parse(R"(a: "\N\_\L\xe9")"), (Json{{"a", "\u0085\u00a0\u2028\u00e9"}}));
}

TEST(Yaml, KeysBecomeText) {
    EXPECT_EQ(parse("1: a\ntrue: b\n\"no\": c"), Json::parse(R"({"1":"a","true":"b","no":"c"})"));
}

TEST(Yaml, SeveralDocumentsEmptyOnesLeftOut) {
    EXPECT_THAT(parse_yaml("---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n", "f"),
                ElementsAre(Json{{"a", 1}}, Json{{"b", 2}}));
    EXPECT_TRUE(parse_yaml("", "f").empty());
    EXPECT_TRUE(parse_yaml("# only a comment", "f").empty());
}

TEST(Yaml, ByteOrderMarkAndWindowsLineEnds) {
    EXPECT_EQ(parse("\xef\xbb\xbf"
                    "a: 1\r\nb: |\r\n  x\r\n  y\r\n"),
              Json::parse(R"({"a":1,"b":"x\ny\n"})"));
}

TEST(Yaml, PositionsAreWhereAReaderLooks) {
    const auto documents =
        parse_documents("telegram:\n  allowedUsers:\n    - 5\n    - x\n  a/b: {c: 1}\n  e:\n", "f");
    ASSERT_EQ(documents.size(), 1u);
    const auto at = [&](const std::string& pointer) {
        const Position found = documents[0].positions.at(pointer);
        return std::pair(found.line, found.column);
    };
    EXPECT_EQ(at("/telegram"), std::pair(1, 1));
    EXPECT_EQ(at("/telegram/allowedUsers"), std::pair(2, 3));
    EXPECT_EQ(at("/telegram/allowedUsers/1"), std::pair(4, 7));
    EXPECT_EQ(at("/telegram/a~1b"), std::pair(5, 3));
    EXPECT_EQ(at("/telegram/a~1b/c"), std::pair(5, 12));
    EXPECT_EQ(at("/telegram/e"), std::pair(6, 3));
}

TEST(Yaml, AnchorsAndMergeKeys) {
    EXPECT_EQ(
        parse("a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\nd: {<<: [{p: 9}, *x], r: 4}\n"),
        Json::parse(R"({"a":{"p":1,"q":2},"b":{"p":1,"q":2},"c":{"p":1,"q":3},"d":{"p":9,"q":2,"r":4}})"));
    EXPECT_EQ(parse("a: &k name\n*k : 1\n"), Json::parse(R"({"a":"name","name":1})"));
    EXPECT_THAT(refusal("a: {<<: 5}"), HasSubstr("<< takes a mapping"));
    EXPECT_THAT(refusal("a: &x [*x]"), StartsWith("f.yaml:1:8: an alias inside the value"));
    EXPECT_THAT(refusal("a: *nobody"), StartsWith("f.yaml:1:"));
}

TEST(Yaml, AliasBombIsRefused) {
    std::string bomb = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
    for (char level = 'b'; level < 'k'; ++level) {
        bomb += std::string(1, level) + ": &" + level + " [";
        for (int i = 0; i < 10; ++i)
            bomb += std::string(i == 0 ? "*" : ", *") + static_cast<char>(level - 1);
        bomb += "]\n";
    }
    EXPECT_THAT(refusal(bomb), HasSubstr("aliases"));
}

TEST(Yaml, DepthIsBounded) {
    EXPECT_THAT(refusal(std::string(50'000, '[')), StartsWith("f.yaml:1:"));
    EXPECT_THAT(refusal(std::string(101, '[') + std::string(101, ']')), HasSubstr("nested too deeply"));
}

TEST(Yaml, SaysWhereAndWhy) {
    EXPECT_EQ(refusal("a: 1\nb:\n  c: 2\n  c: 3\n"), "f.yaml:4:3: the key \"c\" is there twice");
    EXPECT_THAT(refusal("a: [1, 2\nb: 3"), StartsWith("f.yaml:2:"));
    EXPECT_THAT(refusal("a: \"open"), StartsWith("f.yaml:1:"));
    EXPECT_THAT(refusal("a: 1\n]\n"), StartsWith("f.yaml:2:1:"));
    EXPECT_THAT(refusal("]"), StartsWith("f.yaml:1:1:"));
    EXPECT_THAT(refusal("a: b: c"), StartsWith("f.yaml:1:5:"));
    EXPECT_THAT(refusal("a:\n\tb: 1"), StartsWith("f.yaml:2:"));
    EXPECT_THAT(refusal("a: .inf"), HasSubstr("f.yaml:1:4: infinity"));
    EXPECT_THAT(refusal("a: !!binary aGk="), HasSubstr("tag:yaml.org,2002:binary is not supported"));
    EXPECT_THAT(refusal("a: !mine {}"), HasSubstr("!mine is not supported"));
    EXPECT_THAT(refusal("[a]: 1"), HasSubstr("a key must be text"));
}

TEST(Yaml, BinaryIsRefused) {
    EXPECT_EQ(refusal(std::string_view("a: 1\nb: \0x", 10)),
              "f.yaml:2:4: this is not text (UTF-8), so it is not YAML");
    EXPECT_THAT(refusal("\x7f"
                        "ELF\x02\x01"),
                HasSubstr("not text"));
    EXPECT_THAT(refusal("a: \xc3("), HasSubstr("f.yaml:1:4: this is not text"));
    EXPECT_THAT(refusal("a: \xe0\x80\x80"), HasSubstr("not text")) << "overlong";
    EXPECT_THAT(refusal("a: \xed\xa0\x80"), HasSubstr("not text")) << "a surrogate";
    EXPECT_THAT(refusal(std::string_view("\xff\xfe"
                                         "a\0",
                                         4)),
                HasSubstr("not text"));
}

}  // namespace
}  // namespace hermesctl::kube
