// Who gets an answer all the same, who gets none all the same, and who was refused.
#include "hermesctl/hermes/people.hpp"

#include "hermesctl/base/scrub.hpp"
#include "support/fake_api.hpp"
#include "support/installation.hpp"
#include "support/recording_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Names names{.ns = "hermes", .name = "hermes"};

std::string why(const People& people, UserId id) {
    std::string text;
    for (const auto& [reason, hint] : still_admitted(people, id))
        text += reason + " | " + hint + "\n";
    return text;
}

TEST(People, EachThingThatStillLetsSomebodyInIsNamed) {
    People people;
    EXPECT_EQ(why(people, 222), "");
    people.started_with = {111, 222};
    EXPECT_THAT(why(people, 222), HasSubstr("the running gateway started with a list that names that one"));
    people.grants = {{"GATEWAY_ALLOWED_USERS", "/opt/data/.env", {222}, false},
                     {"TELEGRAM_ALLOW_ALL_USERS", "the gateway's environment", {}, true},
                     {"telegram.allow_from", "/opt/data/config.yaml", {222}, false},
                     {"TELEGRAM_GROUP_ALLOWED_CHATS", "/opt/data/.env", {222}, false}};
    people.paired = {{222, "Bob"}};
    people.shadow = Admission{"TELEGRAM_ALLOWED_USERS", "/opt/data/.env", {222}, false};
    EXPECT_THAT(why(people, 222),
                AllOf(HasSubstr("GATEWAY_ALLOWED_USERS in /opt/data/.env names that one"),
                      HasSubstr("TELEGRAM_ALLOW_ALL_USERS in the gateway's environment lets everybody in"),
                      HasSubstr("telegram.allow_from in /opt/data/config.yaml names that one"),
                      HasSubstr("hermes pairing revoke telegram 222"),
                      HasSubstr("stands in for the Secret's list"), Not(HasSubstr("CHATS"))));
    EXPECT_THAT(why(people, 333), AllOf(HasSubstr("ALLOW_ALL"), Not(HasSubstr("names that one"))));
}

TEST(People, WhatCannotBeReadIsNoProofThatSomebodyIsOut) {
    People people;
    people.unread = {"/opt/data/.env"};
    EXPECT_THAT(why(people, 222), HasSubstr("/opt/data/.env cannot be read"));
}

TEST(People, WhatAFileSaidBeforeItWasChangedIsNotKnown) {
    const auto people =
        parse_people(R"({"list": {"ids": [1]}, "grants": [], "changed": ["/opt/data/.env"]})");
    EXPECT_THAT(
        why(people.value(), 222),
        HasSubstr("/opt/data/.env was changed after the gateway's start: whom it let in before is not "
                  "known | hermesctl restart"));
}

TEST(People, WhoIsOnTheListMayBeKeptOutAllTheSame) {
    People people;
    EXPECT_EQ(kept_out_by(people, 222), "");
    people.grants = {{"telegram.allow_from", "/opt/data/config.yaml", {111}, false},
                     {"GATEWAY_ALLOWED_USERS", "/opt/data/.env", {111}, false}};
    EXPECT_THAT(kept_out_by(people, 222),
                HasSubstr("telegram.allow_from in /opt/data/config.yaml comes before"));
    EXPECT_EQ(kept_out_by(people, 111), "");
    people.shadow = Admission{"TELEGRAM_ALLOWED_USERS", "/opt/data/.env", {5}, false};
    EXPECT_THAT(kept_out_by(people, 111), HasSubstr("stands in for the Secret's list"));
}

TEST(People, NamesAreScrubbedAndShort) {
    remember_secret("the-value-of-a-secret");
    const auto people = parse_people(
        R"({"list": {"ids": [1]}, "grants": [], "paired": {"5": "the-value-of-a-secret", "x": "y", "6": 7},
            "names": {"5": "", "8": ")" +
        std::string(500, 'n') + "\"}}");
    ASSERT_TRUE(people);
    EXPECT_THAT(people->name_of(5), Not(HasSubstr("the-value")));
    EXPECT_EQ(people->name_of(8).size(), 100u);
    EXPECT_EQ(people->paired.size(), 1u);
    EXPECT_FALSE(parse_people("Traceback"));
    EXPECT_FALSE(parse_people("{}"));
}

TEST(Refused, AreReadFromTheLinesThatTheGatewayWrites) {
    const auto blocked = refused_in(
        "2026-05-10 16:00:07,360 WARNING hermes_plugins.telegram_platform.adapter: [Telegram] Blocked "
        "unauthorized "
        "user 222 in chat 222");
    ASSERT_TRUE(blocked);
    EXPECT_EQ(blocked->id, 222);
    EXPECT_EQ(blocked->name, "");
    EXPECT_EQ(blocked->last, "2026-05-10 16:00:07");
    const auto unknown = refused_in(
        "2026-05-10 16:00:08,001 WARNING [20260510_1] gateway.run: Unauthorized user: 333 (Eve (x)) on "
        "telegram");
    ASSERT_TRUE(unknown);
    EXPECT_EQ(unknown->id, 333);
    EXPECT_EQ(unknown->name, "Eve (x)");
    for (const char* line :
         {"2026-05-10 16:00:08,001 INFO gateway.run: Unauthorized user: 333 (Eve) on telegram",
          "2026-05-10 16:00:08,001 WARNING gateway.run: Unauthorized user: 333 (Eve) on discord",
          "2026-05-10 16:00:08,001 WARNING gateway.run: said: Unauthorized user: 333 (Eve) on telegram",
          "2026-05-10 16:00:08,001 WARNING a: [Telegram] Blocked unauthorized user -100 in chat -100",
          "Unauthorized user: 333 (Eve) on telegram", "", "2026"})
        EXPECT_FALSE(refused_in(line)) << line;
}

class PeopleInThePod : public ::testing::Test {
  protected:
    PeopleInThePod() { testing::put_installation(api_); }

    testing::FakeClock clock_;
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_;
    kube::Client client_{transport_, clock_, reporter_};
    std::vector<std::string> argv_{};
};

TEST_F(PeopleInThePod, EachOneWhoWasRefusedIsToldOnceTheLastOneFirst) {
    api_.on_exec = [&](testing::FakeProcess& process) {
        argv_ = process.argv;
        const std::string adapter = " WARNING p.adapter: [Telegram] Blocked ";
        process.out(
            "2026-05-10 16:00:01,000" + adapter + "unauthorized user 222 in chat 222\n" +
            "2026-05-10 16:00:02,000 INFO x: y\n" +
            "2026-05-10 16:00:03,000 WARNING gateway.run: Unauthorized user: 333 (Eve) on telegram\n" +
            "2026-05-10 16:00:04,000" + adapter + "media from unauthorized user 222 in chat 222\n");
        process.exit(0);
    };
    const auto refused = refused_users(client_, names, reporter_);
    ASSERT_EQ(refused.size(), 2u);
    EXPECT_EQ(refused[0].id, 222);
    EXPECT_EQ(refused[0].times, 2);
    EXPECT_EQ(refused[0].last, "2026-05-10 16:00:04");
    EXPECT_EQ(refused[1].name, "Eve");
    EXPECT_THAT(argv_, Contains("gateway"));
}

/// With it Hermes would write what is left of the list into its own .env, which shadows the Secret from then
/// on.
TEST_F(PeopleInThePod, ThePairingIsRevokedWithoutTheListInItsEnvironment) {
    api_.on_exec = [&](testing::FakeProcess& process) {
        argv_ = process.argv;
        process.exit(0);
    };
    revoke_pairing(client_, running_agent(client_, names), 222);
    const auto unset = std::find(argv_.begin(), argv_.end(), "-u");
    ASSERT_NE(unset, argv_.end());
    EXPECT_EQ(*(unset + 1), "TELEGRAM_ALLOWED_USERS");
    EXPECT_THAT(std::vector(argv_.end() - 5, argv_.end()),
                ElementsAre("/opt/hermes/bin/hermes", "pairing", "revoke", "telegram", "222"));
    api_.on_exec = [&](testing::FakeProcess& process) {
        process.err("no such file");
        process.exit(1);
    };
    EXPECT_THROW(revoke_pairing(client_, running_agent(client_, names), 222), Error);
}

/// Exec's own exit codes are for commands of the user's.
TEST_F(PeopleInThePod, WhatGoesWrongAroundACommandOfOursIsAPlainFailure) {
    const Target agent = running_agent(client_, names);
    int rounds = 0;
    const auto code = [](const std::function<void()>& action) {
        try {
            action();
        } catch (const Error& error) {
            return error.code();
        }
        return ExitCode::ok;
    };
    const auto expect_failed = [&] {
        EXPECT_EQ(code([&] { ask_people(client_, agent, {}); }), ExitCode::failed);
        EXPECT_EQ(code([&] { revoke_pairing(client_, agent, 222, [&] { ++rounds; }); }), ExitCode::failed);
    };
    api_.on_exec = [](testing::FakeProcess& process) { process.lose("connection reset"); };
    expect_failed();
    EXPECT_EQ(code([&] { refused_users(client_, names, reporter_); }), ExitCode::failed);
    api_.on_exec = [](testing::FakeProcess&) {};  // for ever
    expect_failed();
    EXPECT_GE(rounds, 100) << "a lease lapses after 30 s";
}

}  // namespace
}  // namespace hermesctl::hermes
