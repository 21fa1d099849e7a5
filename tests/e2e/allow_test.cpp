// allow-user on a real node, with the real gateway: let in, put out, and who tried in vain.
#include "e2e/node.hpp"

#include <sstream>

#include <fmt/format.h>

namespace hermesctl::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* second = "222222222";  // the stand-in Telegram calls that one Bob

/// They share one installation: each but the last one leaves it with its one user.
class Allow : public Node {
  protected:
    Allow() : Node(Scope::suite) {}
    /// To the second user; the first one has answers to what was said after that, so the gateway lives.
    void expect_no_answer() {
        const std::size_t before = answers_to_second();
        node({"world", "say", "/version", "--as", second});
        for (int i = 0; i < 2; ++i)  // chats may be answered side by side
            EXPECT_TRUE(answers());
        EXPECT_EQ(answers_to_second(), before);
    }
    std::size_t answers_to_second() {
        std::istringstream sent(node({"world", "sent"}));
        std::size_t count = 0;
        for (std::string line; std::getline(sent, line);)
            count += line.find(std::string("\"chat_id\": ") + second) != std::string::npos &&
                     line.find(version_answer) != std::string::npos;
        return count;
    }
};

TEST_F(Allow, ASecondUserIsLetInAndARemovedOneGetsNoAnswer) {
    expect_no_answer();
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
    EXPECT_THAT(ask("let in", second), HasSubstr("you said 'let in'"));
    EXPECT_TRUE(answers());
    const Json listed = Json::parse(hermesctl({"allow-user", "--list", "-o", "json"}).out);
    EXPECT_EQ(listed["inForce"], true);
    EXPECT_EQ(listed["users"][0]["owner"], true);
    EXPECT_EQ(listed["users"][1]["name"], "Bob Second (@bob_second)");
    EXPECT_THAT(hermesctl({"deploy", "-y", "--allow-user", setting("HERMES_TEST_USER")}).out,
                HasSubstr("nothing to change"))
        << "a deploy that does not name them keeps them, and the mark is what deploy writes";

    const Finished out = hermesctl({"allow-user", "--remove", second, "-y"});
    ASSERT_EQ(out.code, 0) << out.out << out.err;
    expect_no_answer();
}

TEST_F(Allow, APairingGoesAndWhatElseLetsSomebodyInIsNamedUntilItIsOutOfForce) {
    in_pod(
        "mkdir -p /opt/data/platforms/pairing && echo '{\"222222222\": {\"user_name\": \"Bob\", "
        "\"approved_at\": 1}}' "
        "> /opt/data/platforms/pairing/telegram-approved.json");
    EXPECT_TRUE(answers(second));
    EXPECT_THAT(hermesctl({"allow-user", "--list"}).out, HasSubstr("paired with Hermes, not on the list"));

    in_pod("echo GATEWAY_ALLOWED_USERS=222222222 >> /opt/data/.env");
    const Finished still = hermesctl({"allow-user", "--remove", second, "-y"});
    EXPECT_EQ(still.code, 1) << still.out;
    EXPECT_THAT(still.err, AllOf(HasSubstr("off the list, but not out"),
                                 HasSubstr("GATEWAY_ALLOWED_USERS in /opt/data/.env names that one")));
    EXPECT_EQ(in_pod("cat /opt/data/platforms/pairing/telegram-approved.json"), "{}");
    EXPECT_THAT(in_pod("cat /opt/data/.env"), Not(HasSubstr("TELEGRAM_ALLOWED_USERS")))
        << "the revocation must not leave a list that shadows the Secret's";

    ASSERT_EQ(hermesctl({"restart"}).code, 0);
    EXPECT_THAT(hermesctl({"allow-user", setting("HERMES_TEST_USER")}).out,
                HasSubstr("GATEWAY_ALLOWED_USERS in /opt/data/.env lets in 222222222, too"));
    // Later than what Hermes itself may write there as it starts.
    in_pod("sleep 16; sed -i /GATEWAY_ALLOWED_USERS/d /opt/data/.env");
    EXPECT_TRUE(answers(second)) << "what the gateway has is what it started with";
    const Finished in_force = hermesctl({"allow-user", "--remove", second, "-y"});
    EXPECT_EQ(in_force.code, 1) << in_force.out;
    EXPECT_THAT(in_force.err, HasSubstr("/opt/data/.env was changed after the gateway's start"));
    ASSERT_EQ(hermesctl({"restart"}).code, 0);
    const Finished out = hermesctl({"allow-user", "--remove", second, "-y"});
    EXPECT_EQ(out.code, 0) << out.err;
    expect_no_answer();
}

/// After each of its writes; each answer takes its time, so that it is killed before the next one.
TEST_F(Allow, KilledAnywhereTheNextCommandEndsIt) {
    const std::string proxied = proxied_kubeconfig();
    ASSERT_NE(proxied, "");
    const std::string secrets = fmt::format("/api/v1/namespaces/{}/secrets", ns());
    bool in = false;
    const auto change = [&](std::vector<std::string> more) {
        std::vector<std::string> all{"allow-user", second, "-y"};
        if (in) all.insert(all.begin() + 1, "--remove");
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    for (const std::string& cut :
         {fmt::format("POST {}?", secrets), fmt::format("PATCH {}/hermes-secrets?", secrets),
          fmt::format("PATCH /apis/apps/v1/namespaces/{}/deployments/hermes?", ns())}) {
        SCOPED_TRACE(fmt::format("killed after: {}, {}", cut, in ? "--remove" : "in"));
        node({"proxy", "latency", "400"});
        auto running = start_hermesctl(change({"-v", "--kubeconfig", proxied}));
        ASSERT_TRUE(running->says(cut)) << running->all();
        kill(*running);
        const Finished ended = hermesctl(change({}));
        EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
        EXPECT_THAT(ended.err, HasSubstr("half-done change of TELEGRAM_ALLOWED_USERS"));
        EXPECT_FALSE(exists("Secret", "hermes-secrets-previous"));
        in = !in;
        if (in)
            EXPECT_TRUE(answers(second));
        else
            expect_no_answer();
    }
}

}  // namespace
}  // namespace hermesctl::e2e
