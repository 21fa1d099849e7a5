#include "hermesctl/kube/yaml.hpp"

#include <random>

#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

const std::vector<std::string> nasty{
    "",
    " ",
    "yes",
    "No",
    "y",
    "on",
    "null",
    "~",
    "true",
    "0x1F",
    "0o17",
    "0777",
    "1e3",
    "1_000",
    ".5",
    ".inf",
    "12",
    "-12",
    "+1",
    "12:30:45",
    "2020-01-01",
    "2020-01-01T10:00:00Z",
    "1.34",
    "a: b",
    "a:",
    ":",
    ": ",
    "# x",
    "a # b",
    "#",
    "-",
    "- a",
    "--- ",
    "---",
    "...",
    "?",
    "? a",
    "!tag",
    "&a",
    "*a",
    "@a",
    "`a",
    "%a",
    "|",
    ">",
    "'",
    "\"",
    "'a'",
    "\"a\"",
    "{a}",
    "[a]",
    "a,b",
    "a]",
    "<<",
    "=",
    "trailing ",
    " leading",
    "tab\t",
    "\ttab",
    "a\tb",
    "one\n",
    "one\ntwo",
    "one\ntwo\n",
    "one\n\n\ntwo\n\n",
    "\none",
    "\n",
    "\n\n",
    " one\ntwo",
    "one\n two\n",
    "one\n\ttwo",
    "one \ntwo",
    "a\r\nb",
    "a\rb",
    "\\",
    "\\n",
    "a\\b\nc\"d\ne\tf",
    std::string("nul\0", 4),
    "\x1b[31m",
    "\x7f",
    "é",
    "日本語",
    "😀",
    "\xc2\x85",
    "a\xc2\x85\nb",
    "\xe2\x80\xa8",
    "\xef\xbb\xbf"
    "a",
    "docker.io/nous/agent:latest",
    "512Mi",
    "250m",
    "10.0.0.0/8",
    "/opt/data",
    "key=value",
    "--flag",
    "---\na: b\n---\n",
    "# comment\nx\n",
    "- a\n- b\n",
    "a\n...\nb",
    "${X}",
    "{{ x }}",
    "%YAML 1.2\nx",
    std::string(3000, 'x'),
    "a b c",
    "0",
    "-0",
    "_1",
};

std::string round_trip_failure(const Json& value) {
    const std::string text = dump_yaml(value);
    try {
        const auto documents = parse_yaml(text, "dump");
        if (documents.size() == 1 && documents[0] == value) return "";
        return "is another value:\n" + text + "\n" + (documents.empty() ? "nothing" : documents[0].dump());
    } catch (const std::exception& error) {
        return error.what() + ("\n" + text);
    }
}

TEST(YamlDump, NastyStringsComeBackAsTheyWere) {
    for (const std::string& text : nasty) {
        EXPECT_EQ(round_trip_failure(Json{{"k", text}}), "");
        EXPECT_EQ(round_trip_failure(Json{{"k", {text, {{"n", text}}, {text, text}}}}), "");
        EXPECT_EQ(round_trip_failure(Json{{"outer", {{"k", text}, {"next", 1}}}}), "");
        if (text.size() < 200) {
            EXPECT_EQ(round_trip_failure(Json{{text, {{text, 1}}}}), "");
        }
    }
}

class RandomJson {
  public:
    Json value(int depth) {
        switch (pick(depth > 0 ? 8 : 6)) {
            case 0:
                return nullptr;
            case 1:
                return pick(2) == 0;
            case 2:
                return static_cast<std::int64_t>(random_());
            case 3:
                return static_cast<double>(random_()) / 7.0;
            case 4:
                return text();
            case 5:
                return nasty[pick(nasty.size())];
            case 6:
                return list(depth);
            default:
                return map(depth);
        }
    }

  private:
    std::size_t pick(std::size_t count) { return random_() % count; }
    std::string text() {
        static constexpr std::string_view letters = "ab01 \n\t:#-'\"\\{}[],&*!|>%@`~?=.\r_/";
        std::string out;
        for (std::size_t i = pick(12); i > 0; --i)
            out += letters[pick(letters.size())];
        return out;
    }
    Json list(int depth) {
        Json out = Json::array();
        for (std::size_t i = pick(4); i > 0; --i)
            out.push_back(value(depth - 1));
        return out;
    }
    Json map(int depth) {
        Json out = Json::object();
        for (std::size_t i = pick(4); i > 0; --i)
            out[text()] = value(depth - 1);
        return out;
    }

    std::mt19937_64 random_{20'260'101};
};

TEST(YamlDump, AnythingComesBackAsItWas) {
    RandomJson random;
    for (int i = 0; i < 3000; ++i) {
        const Json value{{"v", random.value(4)}};
        ASSERT_EQ(round_trip_failure(value), "") << value.dump();
    }
}

TEST(YamlDump, KeysOfAnyLengthComeBack) {
    for (const std::size_t length : {1022u, 1023u, 1024u, 1025u, 3000u}) {
        for (const char letter : {'x', '\n'}) {  // the second is written in quotes, as two
            const std::string key(length, letter);
            for (const Json& item :
                 {Json("v"), Json("a\nb\n"), Json::array(), Json{{"a", {1, 2}}}, Json{1, {{"b", 2}}}}) {
                EXPECT_EQ(round_trip_failure({{key, item}, {"z", 1}}), "");
                EXPECT_EQ(round_trip_failure({{"list", {{{key, item}, {"z", 1}}, 2}}}), "");
            }
        }
    }
}

TEST(YamlDump, ReadsAsPeopleExpect) {
    const Json object = Json::parse(R"({"spec":{"replicas":1,"args":["-c","echo hi"],"empty":{},"none":[],
        "ports":[{"containerPort":80,"name":"web"}],"cpu":"2","image":"docker.io/a/b:latest",
        "nested":[[1,2],[]]},
        "kind":"Deployment","apiVersion":"apps/v1","metadata":{"labels":{"app":"hermes"},
        "namespace":"hermes","name":"hermes","annotations":{"on":"yes"}},
        "data":{"config.yaml":"model:\n  default: x\n","z":null}})");
    EXPECT_EQ(dump_yaml(object), R"(apiVersion: apps/v1
kind: Deployment
metadata:
  name: hermes
  namespace: hermes
  annotations:
    "on": "yes"
  labels:
    app: hermes
data:
  config.yaml: |
    model:
      default: x
  z: null
spec:
  args:
  - "-c"
  - "echo hi"
  cpu: "2"
  empty: {}
  image: docker.io/a/b:latest
  nested:
  - - 1
    - 2
  - []
  none: []
  ports:
  - name: web
    containerPort: 80
  replicas: 1
)");
}

TEST(YamlDump, DocumentsAreSeparated) {
    EXPECT_EQ(dump_yaml_documents({Json{{"a", 1}}, Json{{"b", 2}}}), "a: 1\n---\nb: 2\n");
}

}  // namespace
}  // namespace hermesctl::kube
