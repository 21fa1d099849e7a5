// allow-user on a real node, with the real gateway: let in, put out, and who tried in vain.
#include "e2e/node.hpp"

#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <signal.h>

namespace hermesctl::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* second = "222222222";  // the stand-in Telegram calls that one Bob

/// They share one installation: each leaves it with its one user.
class Allow : public Node {
  protected:
    Allow() : Node(Scope::suite) {}
    /// The bot's answer to somebody's message; "" when none came.
    static std::string ask_as(const std::string& user, const std::string& text) {
        const Finished done = testing::finished(
            {SOURCE_DIR "/tests/node/node", "say", text, "--from", user, "--timeout", "150"});
        EXPECT_LT(done.code, 2) << done.err;
        return done.out;
    }
    /// To the second user; the first one has an answer to what was said after that, so the gateway lives.
    void expect_no_answer(const std::string& text) {
        node({"world", "say", text, "--as", second});
        for (const char* when : {"after ", "long after "}) {  // chats may be answered side by side
            EXPECT_THAT(ask(when + text), HasSubstr(fmt::format("you said '{}{}'", when, text)));
        }
        EXPECT_THAT(node({"world", "sent"}), Not(HasSubstr(fmt::format("you said '{}'", text))));
    }
    std::string in_pod(const std::string& script) {
        const Finished done = hermesctl({"exec", "--", "sh", "-ec", script});
        EXPECT_EQ(done.code, 0) << done.err;
        return done.out;
    }
};

TEST_F(Allow, ASecondUserIsLetInAndARemovedOneGetsNoAnswer) {
    expect_no_answer("a stranger");
    Finished pending;
    EXPECT_TRUE(comes_true([&] {
        pending = hermesctl({"allow-user", "--pending"});
        return pending.out.find(second) != std::string::npos;
    }));
    EXPECT_EQ(pending.code, 0) << pending.err;
    EXPECT_THAT(pending.out, AllOf(HasSubstr("Bob Second (@bob_second)"), HasSubstr(" +0000 "),
                                   HasSubstr("hermesctl allow-user "), HasSubstr(ns() + " 222222222\n")));

    const Finished let_in = hermesctl({"allow-user", second, "-v"});
    ASSERT_EQ(let_in.code, 0) << let_in.out << let_in.err;
    EXPECT_THAT(let_in.out, HasSubstr("in force: the running gateway has this list"));
    EXPECT_THAT(let_in.out + let_in.err, Not(HasSubstr(setting("HERMES_TEST_TOKEN"))));
    EXPECT_THAT(ask_as(second, "let in"), HasSubstr("you said 'let in'"));
    EXPECT_THAT(ask("and the first one"), HasSubstr("you said 'and the first one'"));
    const Json listed = Json::parse(hermesctl({"allow-user", "--list", "-o", "json"}).out);
    EXPECT_EQ(listed["inForce"], true);
    EXPECT_EQ(listed["users"][0]["owner"], true);
    EXPECT_EQ(listed["users"][1]["name"], "Bob Second (@bob_second)");
    EXPECT_THAT(hermesctl({"deploy", "-y", "--allow-user", setting("HERMES_TEST_USER")}).out,
                HasSubstr("nothing to change"))
        << "a deploy that does not name them keeps them, and the mark is what deploy writes";

    const Finished out = hermesctl({"allow-user", "--remove", second, "-y"});
    ASSERT_EQ(out.code, 0) << out.out << out.err;
    expect_no_answer("put out");
}

TEST_F(Allow, APairingGoesAndWhatElseLetsSomebodyInIsNamed) {
    in_pod(
        "mkdir -p /opt/data/platforms/pairing && echo '{\"222222222\": {\"user_name\": \"Bob\", "
        "\"approved_at\": 1}}' "
        "> /opt/data/platforms/pairing/telegram-approved.json");
    EXPECT_THAT(ask_as(second, "paired"), HasSubstr("you said 'paired'"));
    EXPECT_THAT(hermesctl({"allow-user", "--list"}).out, HasSubstr("paired with Hermes, not on the list"));

    in_pod("echo GATEWAY_ALLOWED_USERS=222222222 >> /opt/data/.env");
    const Finished still = hermesctl({"allow-user", "--remove", second, "-y"});
    EXPECT_EQ(still.code, 1) << still.out;
    EXPECT_THAT(still.err, AllOf(HasSubstr("off the list, but not out"),
                                 HasSubstr("GATEWAY_ALLOWED_USERS in /opt/data/.env names that one")));
    EXPECT_EQ(in_pod("cat /opt/data/platforms/pairing/telegram-approved.json"), "{}");
    EXPECT_THAT(in_pod("cat /opt/data/.env"), Not(HasSubstr("TELEGRAM_ALLOWED_USERS")))
        << "the revocation must not leave a list that shadows the Secret's";
    in_pod("sed -i /GATEWAY_ALLOWED_USERS/d /opt/data/.env");
    EXPECT_EQ(hermesctl({"restart"}).code, 0);
    EXPECT_EQ(hermesctl({"allow-user", "--remove", second, "-y"}).code, 0);
    expect_no_answer("not any more");
}

TEST_F(Allow, WhatLetsSomebodyInSinceTheStartIsInForceUntilTheNext) {
    in_pod("echo GATEWAY_ALLOWED_USERS=222222222 >> /opt/data/.env");
    ASSERT_EQ(hermesctl({"restart"}).code, 0);
    EXPECT_THAT(hermesctl({"allow-user", setting("HERMES_TEST_USER")}).out,
                HasSubstr("GATEWAY_ALLOWED_USERS in /opt/data/.env lets in 222222222, too"));
    // Later than what Hermes itself may write there as it starts.
    in_pod("sleep 16; sed -i /GATEWAY_ALLOWED_USERS/d /opt/data/.env");
    EXPECT_THAT(ask_as(second, "still in"), HasSubstr("you said 'still in'"));
    const Finished still = hermesctl({"allow-user", "--remove", second, "-y"});
    EXPECT_EQ(still.code, 1) << still.out;
    EXPECT_THAT(still.err, HasSubstr("/opt/data/.env was changed after the gateway's start"));
    ASSERT_EQ(hermesctl({"restart"}).code, 0);
    const Finished out = hermesctl({"allow-user", "--remove", second, "-y"});
    EXPECT_EQ(out.code, 0) << out.err;
    expect_no_answer("out at last");
}

/// After each of its writes; each answer takes its time, so that it is killed before the next one.
TEST_F(Allow, KilledAnywhereTheNextCommandEndsIt) {
    const std::string proxied = proxied_kubeconfig();
    ASSERT_NE(proxied, "");
    const std::string secrets = fmt::format("/api/v1/namespaces/{}/secrets", ns());
    for (const std::string& cut :
         {fmt::format("POST {}?", secrets), fmt::format("PATCH {}/hermes-secrets?", secrets),
          fmt::format("PATCH /apis/apps/v1/namespaces/{}/deployments/hermes?", ns())}) {
        SCOPED_TRACE("killed after: " + cut);
        const Finished let_in = hermesctl({"allow-user", second});
        ASSERT_EQ(let_in.code, 0) << let_in.err;
        node({"proxy", "latency", "400"});
        auto running =
            start_hermesctl({"allow-user", "--remove", second, "-y", "-v", "--kubeconfig", proxied});
        ASSERT_TRUE(running->says(cut)) << running->all();
        ASSERT_TRUE(running->running()) << running->all();
        running->signal(SIGKILL);
        running->wait();
        node({"proxy", "heal"});
        // As if half a minute had passed: the dead one's lease has lapsed.
        EXPECT_TRUE(client().remove({"Lease", ns(), "hermes-hermesctl"}));
        const Finished ended = hermesctl({"allow-user", "--remove", second, "-y"});
        EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
        EXPECT_THAT(ended.err, HasSubstr("half-done change of TELEGRAM_ALLOWED_USERS"));
        EXPECT_FALSE(exists("Secret", "hermes-secrets-previous"));
        expect_no_answer("out");
    }
}

}  // namespace
}  // namespace hermesctl::e2e
