// manifests/unshadow.py and the reading of a .env, under the real Python, with files as people, Hermes and a
// hostile agent leave them.
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/embedded.hpp"
#include "hermesctl/kube/object.hpp"
#include "support/command.hpp"
#include "support/scratch.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

using kube::Json;
using testing::Finished;
using ::testing::HasSubstr;
using ::testing::Not;

Finished python(const std::string& script, const std::vector<std::string>& arguments,
                const std::string& input = {}) {
    return testing::finished(python_command(script, arguments), {}, input);
}

struct EnvCase {
    const char* text;
    Json sets;
};

TEST(EnvFile, IsReadAsHermesReadsIt) {
    const std::string script = std::string(embedded("files.py")) +
                               "\nimport json, sys\n"
                               "text = sys.stdin.buffer.read().decode()\n"
                               "assert ''.join(piece for piece, _, _ in entries(text)) == text\n"
                               "print(json.dumps(assignments(text)))\n";
    for (const EnvCase& one : {
             EnvCase{"A=1\nB = 2 \n", {{"A", "1"}, {"B", "2"}}},
             EnvCase{"export A=1\nexport\tB='2'\n", {{"A", "1"}, {"B", "2"}}},
             EnvCase{"# A=1\n #B=2\n", Json::object()},
             EnvCase{"A=1 # note\nB=1#2\nC='1 # 2' # note\n", {{"A", "1"}, {"B", "1#2"}, {"C", "1 # 2"}}},
             EnvCase{"A=\"one\ntwo\"\nB=3\n", {{"A", "one\ntwo"}, {"B", "3"}}},
             EnvCase{"A='it\\'s'\nB=\"a\\nb\\\"c\"\nC=a\\nb\n",
                     {{"A", "it's"}, {"B", "a\nb\"c"}, {"C", "a\\nb"}}},
             EnvCase{"A=1\nA=2\n", {{"A", "2"}}},
             EnvCase{"A\nB=\nC=\"\"\n", {{"B", ""}, {"C", ""}}},
             EnvCase{"A=\"never ends\nB=2\n", {{"B", "2"}}},
             EnvCase{"A=\"x\" junk\nB=2\n", {{"B", "2"}}},
             EnvCase{"'A'=1\r\nB=2\r\n\r\nC=3", {{"A", "1"}, {"B", "2"}, {"C", "3"}}},
             EnvCase{"X='\nKEY=inside\n'\n", {{"X", "\nKEY=inside\n"}}},
             EnvCase{"", Json::object()},
         }) {
        const Finished done = python(script, {}, one.text);
        EXPECT_EQ(done.code, 0) << one.text << done.err;
        EXPECT_EQ(Json::parse(done.out, nullptr, false), one.sets) << one.text;
    }
}

class UnshadowScript : public ::testing::Test {
  protected:
    void put(const std::string& text, mode_t mode = 0600) {
        root_.write("opt/data/.env", text);
        ::chmod(path().c_str(), mode);
    }
    std::string path(const std::string& name = ".env") const { return root_.path("opt/data/" + name); }
    std::string file(const std::string& name = ".env") const {
        std::ifstream in(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::size_t files() const {
        const std::filesystem::directory_iterator all(root_.path("opt/data"));
        return static_cast<std::size_t>(std::distance(begin(all), end(all)));
    }
    struct stat facts(const std::string& name = ".env") const {
        struct stat found {};
        ::lstat(path(name).c_str(), &found);
        return found;
    }
    std::string mark() const {
        return python(std::string(embedded("files.py")) + "\nimport sys\nprint(mark_of(sys.argv[1]), end='')",
                      {path()})
            .out;
    }
    Finished run(const Json& keys = {"KEY"}) { return run(keys, mark()); }
    Finished run(const Json& keys, const std::string& seen) {
        return python(reading_script("unshadow.py"), {keys.dump(), seen, "NOW", root_.path()});
    }

    testing::Scratch root_{};
};

TEST_F(UnshadowScript, TakesOutWhatSetsTheKeysAndNothingElse) {
    for (const auto& [before, after] : std::map<std::string, std::string>{
             {"A=1\nKEY=x\nB=2\n", "A=1\nB=2\n"},
             {"export KEY='x'\n", ""},
             {"KEY=1\n# KEY=2\nKEY=3", "# KEY=2\n"},
             {"A=1\n\n\nKEY=\"one\ntwo\" # note\n\nB=2\n", "A=1\n\n\n\nB=2\n"},
             {"X='\nKEY=inside\n'\nKEY=1\n", "X='\nKEY=inside\n'\n"},
             {"KEYS=1\nMY_KEY=2\nKEY=3\nkey=4\n", "KEYS=1\nMY_KEY=2\nkey=4\n"},
             {"A=1\r\nKEY=2\r\nB=3\r\n", "A=1\r\nB=3\r\n"},
             {"\xef\xbb\xbfKEY=1\nA=2\n",
              "\xef\xbb\xbf"
              "A=2\n"},
             {"A=caf\xe9\nKEY=1\n", "A=caf\xe9\n"},
             {"A=\"never ends\nKEY=1\n", "A=\"never ends\n"},
             {"KEY\nKEY=1\n", "KEY\n"},
         }) {
        put(before);
        const Finished done = run();
        EXPECT_EQ(done.code, 0) << before << done.err;
        EXPECT_EQ(file(), after) << before;
        EXPECT_EQ(file(".env.before-NOW"), before);
        std::filesystem::remove(path(".env.before-NOW"));
        EXPECT_EQ(files(), 1u);
    }
}

TEST_F(UnshadowScript, SeveralKeysGoAtOnce) {
    put("A=1\nB=2\nC=3\n");
    EXPECT_EQ(run({"A", "C"}).code, 0);
    EXPECT_EQ(file(), "B=2\n");
}

TEST_F(UnshadowScript, ModeAndOwnerStayOnTheFileAndItsCopy) {
    if (::getuid() != 0) GTEST_SKIP() << "only root can give a file to a group";
    for (const mode_t mode : {0600U, 0640U, 0664U}) {
        put("KEY=1\nA=2\n", mode);
        ASSERT_EQ(::chown(path().c_str(), ::getuid(), 4242), 0);
        ASSERT_EQ(run().code, 0);
        for (const char* name : {".env", ".env.before-NOW"}) {
            EXPECT_EQ(facts(name).st_mode & 07777, mode) << name;
            EXPECT_EQ(facts(name).st_uid, ::getuid()) << name;
            EXPECT_EQ(facts(name).st_gid, 4242u) << name;
        }
        std::filesystem::remove(path(".env.before-NOW"));
    }
}

TEST_F(UnshadowScript, WhatAHostileAgentPutsThereIsLeftAlone) {
    const std::string secret = root_.write("secret", "KEY=of-another\n");
    std::filesystem::create_directories(root_.path("opt/data"));
    const auto refused = [&](const std::string& why) {
        const Finished done = run();
        EXPECT_EQ(done.code, 8) << why << done.err;
        EXPECT_THAT(done.err, HasSubstr(why));
        EXPECT_EQ(files(), 1u) << why;
        std::filesystem::remove(path());
    };
    std::filesystem::create_symlink(secret, path());
    refused("is a link");
    std::filesystem::create_hard_link(secret, path());
    refused("other names");
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    refused("no plain file");
    std::filesystem::create_directory(path());
    refused("no plain file");
    put(std::string((1 << 20) + 1, '#'));
    refused("larger than 1 MiB");
    EXPECT_EQ(run().code, 8) << "it is not there";
    std::ifstream in(secret);
    std::string text;
    std::getline(in, text);
    EXPECT_EQ(text, "KEY=of-another");
}

TEST_F(UnshadowScript, AFileOfAnotherIsLeftAlone) {
    put("KEY=1\n");
    if (::chown(path().c_str(), 12345, 12345) != 0) GTEST_SKIP() << "only root can give a file away";
    const Finished done = run();
    EXPECT_EQ(done.code, 8);
    EXPECT_THAT(done.err, HasSubstr("belongs to uid 12345"));
    EXPECT_EQ(file(), "KEY=1\n");
}

TEST_F(UnshadowScript, AChangeSinceItWasSeenIsNotOverwritten) {
    put("KEY=1\n");
    const std::string seen = mark();
    put("KEY=2\n");
    EXPECT_EQ(run({"KEY"}, seen).code, 9);
    EXPECT_EQ(file(), "KEY=2\n");
    EXPECT_EQ(files(), 1u);
}

TEST_F(UnshadowScript, WhatIsInTheWayIsNotTouched) {
    put("KEY=1\n");
    root_.write("opt/data/.env.new-NOW", "planted");
    EXPECT_EQ(run().code, 8);
    EXPECT_EQ(file(), "KEY=1\n");
    EXPECT_EQ(file(".env.new-NOW"), "planted");
    EXPECT_EQ(files(), 2u);
}

TEST_F(UnshadowScript, NoValueIsPrinted) {
    put("KEY=the-value-of-the-key\n", 0644);
    const Finished good = run();
    EXPECT_THAT(good.out + good.err, Not(HasSubstr("the-value")));
    const Finished bad = run();
    EXPECT_THAT(bad.out + bad.err, Not(HasSubstr("the-value")));
}

}  // namespace
}  // namespace hermesctl::hermes
