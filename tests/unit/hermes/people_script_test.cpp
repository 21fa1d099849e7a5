// manifests/people.py, with files as people, Hermes and a hostile agent leave them, and a Telegram of our
// own.
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/agent.hpp"
#include "hermesctl/hermes/people.hpp"
#include "support/answering_server.hpp"
#include "support/scratch.hpp"

#include <chrono>
#include <ctime>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

const std::string token = "123456789:AAtoken-of-a-bot";

class PeopleScript : public ::testing::Test {
  protected:
    PeopleScript() {
        root_.write("proc/7/cmdline", std::string("/usr/bin/python3\0-m\0hermes_cli\0gateway\0run\0", 43));
        environ({"TELEGRAM_ALLOWED_USERS=111, 222,", "TELEGRAM_BOT_TOKEN=" + token});
    }
    void environ(const std::vector<std::string>& variables) {
        std::string text;
        for (const std::string& one : variables)
            text += one + '\0';
        root_.write("proc/7/environ", text);
    }
    /// The gateway runs since so many seconds.
    void started(long ago) {
        timespec now{};
        ::clock_gettime(CLOCK_BOOTTIME, &now);
        std::string stat = "7 (a) name) S";
        for (int field = 4; field < 22; ++field)
            stat += " 0";
        root_.write("proc/7/stat",
                    stat + fmt::format(" {} 0\n", (now.tv_sec - ago) * ::sysconf(_SC_CLK_TCK)));
    }
    std::string print(const UserIds& ids = {}) {
        const auto result =
            run_process({.argv = python_command(reading_script("people.py"),
                                                {Json(ids).dump(), root_.path(), server_.url()}),
                         .environment = {{"no_proxy", "127.0.0.1"}}});
        EXPECT_EQ(result.value().exit_code, 0);
        return result.value().output;
    }
    People people(const UserIds& ids = {}) { return parse_people(print(ids)).value(); }
    /// The ids of the grant with this name; nothing where there is none.
    std::optional<UserIds> granted(const std::string& name) {
        for (const Admission& grant : people().grants) {
            if (grant.name == name) return grant.ids;
        }
        return std::nullopt;
    }
    std::optional<UserIds> from_config(const std::string& text) {
        root_.write("opt/data/config.yaml", text);
        return granted("telegram.allow_from");
    }

    testing::AnsweringServer server_{};
    testing::Scratch root_{};
};

TEST_F(PeopleScript, TellsWhatTheGatewayStartedWith) {
    const People found = people();
    EXPECT_TRUE(found.gateway);
    EXPECT_THAT(found.started_with, ElementsAre(111, 222));
    EXPECT_FALSE(found.shadow);
    EXPECT_THAT(found.grants, IsEmpty());
    EXPECT_THAT(found.zone, ::testing::MatchesRegex("[+-][0-9]{4}"));
    root_.write("proc/7/cmdline", "sleep");
    EXPECT_FALSE(people().gateway);
}

TEST_F(PeopleScript, AFileWinsOverTheEnvironment) {
    environ({"TELEGRAM_ALLOWED_USERS=111", "GATEWAY_ALLOWED_USERS=5", "TELEGRAM_ALLOW_ALL_USERS=true"});
    EXPECT_THAT(granted("GATEWAY_ALLOWED_USERS").value(), ElementsAre(5));
    EXPECT_TRUE(people().grants.at(1).everybody);
    root_.write(
        "opt/data/.env",
        "export GATEWAY_ALLOWED_USERS='6,*'\nTELEGRAM_ALLOW_ALL_USERS=no\n#TELEGRAM_ALLOWED_USERS=3\n");
    People found = people();
    ASSERT_EQ(found.grants.size(), 1u);
    EXPECT_EQ(found.grants[0].where, "/opt/data/.env");
    EXPECT_TRUE(found.grants[0].everybody);
    EXPECT_FALSE(found.shadow);
    root_.write("opt/data/.env", "TELEGRAM_ALLOWED_USERS=9\n");
    EXPECT_THAT(people().shadow.value().ids, ElementsAre(9));
    root_.write("opt/data/.env", "TELEGRAM_ALLOWED_USERS=\n");
    EXPECT_THAT(people().shadow.value().ids, IsEmpty()) << "an empty one stands in for the Secret's, too";
}

TEST_F(PeopleScript, AFileThatWasChangedAfterTheGatewaysStartIsNamed) {
    root_.write("opt/data/.env", "API_SERVER_KEY=1\n");
    EXPECT_THAT(people().changed, IsEmpty()) << "when it started is not known";
    started(100);
    EXPECT_THAT(people().changed, ElementsAre("/opt/data/.env"));
    std::filesystem::last_write_time(root_.path("opt/data/.env"),
                                     std::filesystem::file_time_type::clock::now() - std::chrono::hours{1});
    EXPECT_THAT(people().changed, ElementsAre("/opt/data/.env")) << "cp -p has put it there";
    root_.write("etc/hermes/.env", "A=1\n");
    EXPECT_THAT(people().changed, ElementsAre("/opt/data/.env", "/etc/hermes/.env"));
    started(5);
    EXPECT_THAT(people().changed, IsEmpty()) << "as it started, by Hermes itself";
    started(-60);
    EXPECT_THAT(people().changed, IsEmpty());
    started(100);
    root_.write("proc/7/cmdline", "sleep");
    EXPECT_THAT(people().changed, IsEmpty()) << "no gateway, nobody let in";
}

TEST_F(PeopleScript, AllowFromIsReadInItsForms) {
    for (const char* text :
         {"telegram: {allow_from: [1, \"2\"], x: 3}\n",
          "telegram:\n  allow_from: \"1,2\"\n  group_allow_from: [9]\n",
          "platforms:\n  telegram:\n    extra: {a: 4}\n    allow_from:\n    - 1  # 5\n    - '2'\nz: 3\n",
          "telegram:\n  allow_from: [\n    1,\n    2\n  ]\n  x: 3\n",
          "gateway:\n  platforms:\n    telegram:\n      extra:\n        allow_from: 1,2 # 7\n"}) {
        EXPECT_THAT(from_config(text).value_or(UserIds{}), ElementsAre(1, 2)) << text;
    }
    EXPECT_THAT(from_config("telegram: {allow_from: 7, x: 3}\n").value(), ElementsAre(7));
    EXPECT_THAT(from_config("telegram:\n  allow_from: []\n").value(), IsEmpty());
    EXPECT_FALSE(from_config("telegram:\n  group_allow_from: [9]\ndiscord:\n  allow_from: [1]\n"));
    from_config("telegram:\n  allow_from:\n  - '*'\n");
    EXPECT_TRUE(people().grants.at(0).everybody);
}

TEST_F(PeopleScript, PairingIsReadFromBothOfItsPlaces) {
    root_.write("opt/data/pairing/telegram-approved.json", R"({"555": {"user_name": "Old"}, "x": 1})");
    root_.write("opt/data/platforms/pairing/telegram-approved.json", R"({"666": {"user_name": "Eve"}})");
    root_.write("opt/data/platforms/pairing/telegram-pending.json",
                R"({"a": {"user_id": "777", "user_name": "Late", "created_at": 5},
                    "b": {"user_id": "888", "user_name": "Now", "created_at": 99999999999}})");
    const People found = people();
    EXPECT_THAT(found.paired, ElementsAre(Pair(555, "Old"), Pair(666, "Eve")));
    EXPECT_THAT(found.asking, ElementsAre(Pair(888, "Now"))) << "the other one's code is no good any more";
    root_.write("opt/data/platforms/pairing/telegram-approved.json", "[1, 2");
    EXPECT_THAT(people().paired, ElementsAre(Pair(555, "Old")));
}

TEST_F(PeopleScript, NamesComeFromTelegramAndTheTokenStays) {
    server_.answer(
        "GET /bot" + token + "/getChat?chat_id=111", 200,
        R"({"ok":true,"result":{"id":111,"first_name":"Ann","last_name":"Lee","username":"ann"}})");
    server_.answer("GET /bot" + token + "/getChat?chat_id=222", 400, R"({"ok":false})");
    const People found = people({111, 222});
    EXPECT_EQ(found.name_of(111), "Ann Lee (@ann)");
    EXPECT_EQ(found.name_of(222), "");
    EXPECT_THAT(print({111, 222}), AllOf(HasSubstr("Ann"), Not(HasSubstr("AAtoken"))));
}

TEST_F(PeopleScript, WhatIsNoListLeavesNothingOfItself) {
    environ({"TELEGRAM_ALLOWED_USERS=111,sk-pasted-by-mistake-0123456789",
             "GATEWAY_ALLOWED_USERS=sk-another-one"});
    EXPECT_THAT(print(), Not(HasSubstr("sk-")));
    std::filesystem::create_directories(root_.path("opt/data"));
    ASSERT_EQ(::mkfifo(root_.path("opt/data/.env").c_str(), 0600), 0);
    EXPECT_THAT(people().unread, ElementsAre("/opt/data/.env"));
}

}  // namespace
}  // namespace hermesctl::hermes
