// rotate-secret on a real cluster: a new token works, a wrong one changes nothing, one that turns bad is put
// back, and a rotation that is killed anywhere is ended by the next command.
#include "e2e/node.hpp"
#include "hermesctl/base/crypto.hpp"

#include <chrono>
#include <thread>

#include <fmt/format.h>

namespace hermesctl::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* token_key = "TELEGRAM_BOT_TOKEN";

/// They share one installation, and begin with either of its two tokens, so that each can run alone.
class Rotate : public Node {
  protected:
    Rotate() : Node(Scope::suite) {}
    std::string token() {
        const Json data = kube::at(get("secret/hermes-secrets"), "/data");
        return base64_decode(kube::text_at(data, "/TELEGRAM_BOT_TOKEN")).value_or("");
    }
    bool half_done() { return exists("Secret", "hermes-secrets-previous"); }
    std::vector<std::string> rotate(const std::string& variable, std::vector<std::string> more = {}) const {
        std::vector<std::string> all{"rotate-secret", fmt::format("{}=env:{}", token_key, variable), "-y"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
};

TEST_F(Rotate, NewTokenWorksAWrongOneChangesNothingAndOneThatTurnsBadIsPutBack) {
    const Finished good = hermesctl(rotate("HERMES_TEST_TOKEN_NEXT", {"-o", "json"}));
    ASSERT_EQ(good.code, 0) << good.out << good.err;
    const Json said = Json::parse(good.out, nullptr, false);
    EXPECT_EQ(said["inForce"], true) << said;
    EXPECT_EQ(said["bot"], "@cage_bot") << said;
    EXPECT_EQ(token(), setting("HERMES_TEST_TOKEN_NEXT"));
    EXPECT_FALSE(half_done());
    EXPECT_THAT(ask("with the new token"), HasSubstr("you said 'with the new token'"));
    const Finished again = hermesctl({"deploy", "-y"});
    EXPECT_THAT(again.out, HasSubstr("nothing to change")) << again.err;

    const std::string before = pod_uids();
    const Finished wrong =
        hermesctl(rotate("BAD"), {{"BAD", "111111111:AAE-this-token-is-refused-everywhere-00"}});
    EXPECT_EQ(wrong.code, 1) << wrong.out;
    EXPECT_THAT(wrong.err, AllOf(HasSubstr("refuses it"), HasSubstr("nothing was changed")));
    EXPECT_EQ(token(), setting("HERMES_TEST_TOKEN_NEXT"));
    EXPECT_EQ(pod_uids(), before);

    // Valid when it is tried, refused when the gateway starts with it.
    node({"world", "fault", "telegram", "reject", "--name", "cage", "--after", "1"});
    const Finished bad = hermesctl(rotate("HERMES_TEST_TOKEN"));
    EXPECT_EQ(bad.code, 1) << bad.out;
    EXPECT_THAT(bad.err, AllOf(HasSubstr("did not work"), HasSubstr("is back, and the bot answers")));
    EXPECT_EQ(token(), setting("HERMES_TEST_TOKEN_NEXT"));
    EXPECT_FALSE(half_done());
    EXPECT_TRUE(answers());
}

/// The new token turned bad; killed before the old one is written back.
TEST_F(Rotate, KilledWhileItIsPutBackTheNextCommandEndsIt) {
    if (token() != setting("HERMES_TEST_TOKEN_NEXT")) {
        const Finished good = hermesctl(rotate("HERMES_TEST_TOKEN_NEXT"));
        ASSERT_EQ(good.code, 0) << good.out << good.err;
    }
    const std::string proxied = proxied_kubeconfig();
    ASSERT_NE(proxied, "");
    node({"world", "fault", "telegram", "reject", "--name", "cage", "--after", "1"});
    node({"proxy", "latency", "400"});
    auto running = start_hermesctl(rotate("HERMES_TEST_TOKEN", {"-v", "--kubeconfig", proxied}));
    ASSERT_TRUE(running->says("putting back the old")) << running->all();
    kill(*running);
    EXPECT_TRUE(half_done());
    const Finished ended = hermesctl({"deploy", "-y"});
    EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("half-done change of TELEGRAM_BOT_TOKEN"));
    EXPECT_FALSE(half_done());
    EXPECT_EQ(token(), setting("HERMES_TEST_TOKEN_NEXT"));
    EXPECT_TRUE(answers());
    EXPECT_THAT(hermesctl({"deploy", "-y"}).out, HasSubstr("nothing to change"));
}

/// Before its first change, before the pod rolls, and while it waits; each answer takes its time, so that it
/// is killed before the next write.
TEST_F(Rotate, KilledAnywhereTheNextCommandEndsIt) {
    const std::string proxied = proxied_kubeconfig();
    ASSERT_NE(proxied, "");
    const std::string secrets = fmt::format("/api/v1/namespaces/{}/secrets", ns());
    const std::vector<std::string> cuts{
        fmt::format("POST {}?", secrets), fmt::format("PATCH {}/hermes-secrets?", secrets),
        fmt::format("PATCH /apis/apps/v1/namespaces/{}/deployments/hermes?", ns())};
    bool next = token() == setting("HERMES_TEST_TOKEN");  // which of two tokens is the new one
    for (std::size_t i = 0; i < cuts.size(); ++i) {
        SCOPED_TRACE("killed after: " + cuts[i]);
        node({"proxy", "latency", "400"});
        auto running = start_hermesctl(
            rotate(next ? "HERMES_TEST_TOKEN_NEXT" : "HERMES_TEST_TOKEN", {"-v", "--kubeconfig", proxied}));
        ASSERT_TRUE(running->says(cuts[i])) << running->all();
        if (i == 2) std::this_thread::sleep_for(4s);
        kill(*running);
        EXPECT_TRUE(half_done());
        EXPECT_THAT(hermesctl({"status", "--no-check"}).out, HasSubstr("half-done"));
        const bool by_deploy = i != 1;
        const Finished ended = by_deploy ? hermesctl({"deploy", "-y"})
                                         : hermesctl({"rotate-secret", "EXTRA=env:HERMES_TEST_USER", "-y"});
        EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
        EXPECT_THAT(ended.err, HasSubstr("half-done change of TELEGRAM_BOT_TOKEN"));
        EXPECT_FALSE(half_done());
        EXPECT_TRUE(answers());
        next = token() == setting("HERMES_TEST_TOKEN");
        const Finished settled = hermesctl({"deploy", "-y"});
        EXPECT_THAT(settled.out, HasSubstr("nothing to change")) << settled.err;
    }
}

TEST_F(Rotate, ATokenThatIsTakenOutIsNamed) {
    const Finished taken = hermesctl({"rotate-secret", "--remove", token_key, "-y"});
    EXPECT_EQ(taken.code, 0) << taken.out << taken.err;
    const Finished waited = hermesctl({"wait"});
    EXPECT_EQ(waited.code, 1) << waited.err;
    EXPECT_THAT(waited.err, AllOf(HasSubstr("there is no TELEGRAM_BOT_TOKEN in secret/hermes-secrets"),
                                  HasSubstr("hint: hermesctl rotate-secret")));
    EXPECT_THAT(hermesctl({"status"}).out, HasSubstr("there is no TELEGRAM_BOT_TOKEN"));
    const Finished back = hermesctl(rotate("TOKEN"), {{"TOKEN", setting("HERMES_TEST_TOKEN")}});
    EXPECT_EQ(back.code, 0) << back.out << back.err;
    EXPECT_TRUE(answers());
}

}  // namespace
}  // namespace hermesctl::e2e
