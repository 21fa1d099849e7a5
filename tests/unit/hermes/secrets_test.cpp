// Where secrets come from, what surely is none, and that no value is ever repeated.
#include "hermesctl/hermes/secrets.hpp"

#include "hermesctl/base/clock.hpp"
#include "hermesctl/base/error.hpp"
#include "hermesctl/base/input.hpp"
#include "hermesctl/base/interrupt.hpp"
#include "hermesctl/base/scrub.hpp"
#include "hermesctl/hermes/allowlist.hpp"
#include "support/scratch.hpp"

#include <array>
#include <csignal>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

template <typename Call>
std::string refusal(Call call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        return error.message() + " | " + error.hint();
    }
    return "";
}

class Secrets : public ::testing::Test {
  protected:
    std::string read(const Json& source) {
        return read_secret("MINIMAX_API_KEY", source, {in_, environment_, ""});
    }

    std::istringstream in_{"from-stdin\n"};
    Environment environment_{{"KEY", "from-env"}, {"PATH", "/usr/bin:/bin"}};
};

TEST_F(Secrets, SettingsOfTheFlag) {
    EXPECT_EQ(secret_setting("K=-"), R"({"K": {"stdin": true}})"_json);
    EXPECT_EQ(secret_setting("K=@a/b"), R"({"K": {"file": "a/b"}})"_json);
    EXPECT_EQ(secret_setting("K=env:N"), R"({"K": {"env": "N"}})"_json);
    EXPECT_EQ(secret_setting("K=cmd:pass show x"), R"({"K": {"cmd": "pass show x"}})"_json);
}

TEST_F(Secrets, RefusesValuesWithoutRepeatingThem) {
    for (const char* flag : {"K=hunter2hunter2", "hunter2hunter2", "K=@", "K=env:", "K=", "bad hunter2=-"}) {
        const std::string message = refusal([&] { secret_setting(flag); });
        EXPECT_THAT(message, Not(IsEmpty())) << flag;
        EXPECT_THAT(message, Not(HasSubstr("hunter2"))) << flag;
    }
    EXPECT_THAT(refusal([] { secret_setting("K=x"); }), HasSubstr("K=@FILE, K=env:NAME"));
}

TEST_F(Secrets, ReadsEverySource) {
    const testing::Scratch folder;
    folder.write("token", "from-file\r\n");
    EXPECT_EQ(read_secret("K", R"({"file": "token"})"_json, {in_, environment_, folder.path()}), "from-file");
    EXPECT_EQ(read(R"({"stdin": true})"_json), "from-stdin");
    EXPECT_EQ(read(R"({"env": "KEY"})"_json), "from-env");
    EXPECT_EQ(read(R"({"cmd": "printf  %s-%s a b"})"_json), "a-b");
    EXPECT_EQ(read(R"({"cmd": ["printf", "a b\n\n"]})"_json), "a b\n");
}

TEST_F(Secrets, AreScrubbedFromThenOn) {
    environment_["KEY"] = "plain-looking-value";
    read(R"({"env": "KEY"})"_json);
    EXPECT_THAT(scrub("it said plain-looking-value"), Not(HasSubstr("plain")));
}

TEST_F(Secrets, AreNotInheritedByThePrograms) {
    environment_["OTHER"] = "value-of-the-other\n";
    remember_variables(R"({"A": {"cmd": "env"}, "B": {"env": "OTHER"}, "C": {"env": "NOT_SET"}})"_json,
                       environment_);
    const std::string inherited = read(R"({"cmd": "env"})"_json);
    EXPECT_THAT(inherited, HasSubstr("PATH=/usr/bin:/bin"));
    EXPECT_THAT(inherited, Not(HasSubstr("value-of-the-other")));
}

TEST_F(Secrets, StdinCanBeInterrupted) {
    catch_interrupts();
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    DescriptorInput input(ends[0]);
    std::istream in(&input);
    std::thread key([] {
        system_clock().sleep(std::chrono::milliseconds{100});
        ::raise(SIGINT);
    });
    try {
        read_secret("K", R"({"stdin": true})"_json, {in, environment_, ""});
        ADD_FAILURE() << "went on";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::interrupted);
    }
    key.join();
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(Secrets, TellWhatIsMissing) {
    EXPECT_THAT(refusal([&] { read(R"({"file": "/nowhere/x"})"_json); }),
                HasSubstr("there is no file /nowhere/x"));
    EXPECT_THAT(refusal([&] { read(R"({"env": "NOT_SET"})"_json); }), HasSubstr("NOT_SET is not set"));
    EXPECT_THAT(refusal([&] { read(R"({"cmd": "no-such-program"})"_json); }), HasSubstr("cannot be started"));
    EXPECT_THAT(refusal([&] { read(R"({"cmd": "false"})"_json); }), HasSubstr("exit status 1"));
}

TEST(Complaint, KnowsBotTokens) {
    const std::string token(token_key);
    EXPECT_EQ(complaint_about(token, "123456789:" + std::string(35, 'A')), "");
    EXPECT_EQ(complaint_about(token, "1234567890:AAE_x-" + std::string(30, '9')), "");
    for (const std::string& bad :
         {std::string("hello"), std::string("987654321"), "12:" + std::string(35, 'A'),
          "@mybot:" + std::string(35, 'A'), std::string("123456789:AAEx-your-bot-token"),
          "bot123456789:" + std::string(35, 'A')}) {
        EXPECT_THAT(complaint_about(token, bad), HasSubstr("is no bot token")) << bad;
        EXPECT_THAT(complaint_about(token, bad), Not(HasSubstr(bad)));
    }
}

TEST(Complaint, KnowsWhatCannotBeAKey) {
    EXPECT_EQ(complaint_about("MINIMAX_API_KEY", ""), "is empty");
    EXPECT_EQ(complaint_about("MINIMAX_API_KEY", "a b"), "has a blank in it");
    EXPECT_EQ(complaint_about("MINIMAX_API_KEY", "a\nb"), "has more than one line");
    EXPECT_EQ(complaint_about("MINIMAX_API_KEY", "k\xc3\xa4"), "has a character in it that is not ASCII");
    EXPECT_EQ(complaint_about("MINIMAX_API_KEY", "<your-minimax-api-key>"), "is a placeholder, not a value");
    EXPECT_EQ(complaint_about("MINIMAX_API_KEY", "eyJhbGciOi.x_y-z="), "");
    EXPECT_EQ(complaint_about("SMTP_PASSWORD", "correct horse"), "");
    EXPECT_EQ(complaint_about("COLONY_PAT", "<your-pat>"), "is a placeholder, not a value");
    const std::string pem = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----";
    EXPECT_EQ(complaint_about("SSH_PRIVATE_KEY", pem), "");
    EXPECT_EQ(oddity_of("SSH_PRIVATE_KEY", pem), "has a blank in it");
    EXPECT_EQ(oddity_of("COLONY_PAT", "two\nlines"), "has more than one line");
    EXPECT_EQ(oddity_of(std::string(users_key), "1, 2"), "");
}

TEST(Users, AreReadAsPeopleWriteThem) {
    EXPECT_THAT(users_of("1,2"), ElementsAre(1, 2));
    EXPECT_THAT(users_of(" 1, 2 ,\n1,"), ElementsAre(1, 2));
    EXPECT_THAT(users_of(""), IsEmpty());
    EXPECT_EQ(users_text({1, 2}), "1,2");
    EXPECT_THAT(refusal([] { users_of("*"); }), HasSubstr("everybody"));
    EXPECT_THAT(refusal([] { users_of("1,@bob"); }), HasSubstr("@userinfobot"));
    EXPECT_THAT(complaint_about(std::string(users_key), " , "), HasSubstr("nobody"));
}

TEST(Providers, HaveTheirKeys) {
    EXPECT_EQ(key_of_provider("minimax"), "MINIMAX_API_KEY");
    EXPECT_EQ(key_of_provider("minimax-cn"), "MINIMAX_CN_API_KEY");
    EXPECT_EQ(key_of_provider("minimax-oauth"), "");
    EXPECT_THAT(refusal([] { key_of_provider("antropic"); }), HasSubstr("did you mean anthropic?"));
}

}  // namespace
}  // namespace hermesctl::hermes
