// rotate-secret on a real cluster: a new token works, a wrong one changes nothing, a rotation that is killed
// anywhere is ended by the next command; keys are listed, taken out of the agent's own .env, tried while no
// agent runs.
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
const std::string cn_key =
    "sk-api-standin-minimax-cn-key-for-tests-0123456789";  // tests/node/world/credentials.py
const std::string bad_token = "111111111:AAE-this-token-is-refused-everywhere-00";

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
    Json listed(const std::string& key) {
        const Finished list = hermesctl({"rotate-secret", "--list", "-o", "json"});
        EXPECT_EQ(list.code, 0) << list.err;
        for (const char* name : {"HERMES_TEST_TOKEN", "HERMES_TEST_KEY"})
            EXPECT_THAT(list.out + list.err, Not(HasSubstr(setting(name))));
        const Json all = Json::parse(list.out, nullptr, false);
        for (const Json& one : kube::at(all, "/keys")) {
            if (one["key"] == key) return one;
        }
        return nullptr;
    }
};

TEST_F(Rotate, WhatTheAgentsOwnFileSetsIsFoundAndTakenOut) {
    EXPECT_EQ(listed("MINIMAX_API_KEY")["shadowed_by"], "");
    EXPECT_EQ(listed("MINIMAX_API_KEY")["length"], setting("HERMES_TEST_KEY").size());
    in_pod(
        "printf '# mine\\nA=1\\nexport MINIMAX_API_KEY=\"%s\"\\n' \"$MINIMAX_API_KEY\" > /opt/data/.env; "
        "chmod 640 /opt/data/.env");
    EXPECT_EQ(listed("MINIMAX_API_KEY")["shadowed_by"], "/opt/data/.env");

    const Finished done = hermesctl({"rotate-secret", "--unshadow", "MINIMAX_API_KEY", "-y"});
    EXPECT_EQ(done.code, 0) << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("/opt/data/.env.before-"));
    EXPECT_THAT(done.out, HasSubstr("-- rm /opt/data/.env.before-"));
    EXPECT_EQ(listed("MINIMAX_API_KEY")["shadowed_by"], "");
    // With its next start Hermes adds a variable of its own to the file, and closes it for others.
    EXPECT_EQ(in_pod("grep -v '^API_SERVER_KEY=' /opt/data/.env; stat -c %u /opt/data/.env"),
              "# mine\nA=1\n10000\n");
    EXPECT_EQ(in_pod("stat -c '%a %u' /opt/data/.env.before-*"), "640 10000\n");
    EXPECT_THAT(ask("and now"), HasSubstr("you said 'and now'"));
}

TEST_F(Rotate, NewTokenWorksAndAWrongOneChangesNothing) {
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
    const Finished wrong = hermesctl(rotate("BAD"), {{"BAD", bad_token}});
    EXPECT_EQ(wrong.code, 1) << wrong.out;
    EXPECT_THAT(wrong.err, AllOf(HasSubstr("refuses it"), HasSubstr("nothing was changed")));
    EXPECT_EQ(token(), setting("HERMES_TEST_TOKEN_NEXT"));
    EXPECT_EQ(pod_uids(), before);
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

TEST_F(Rotate, WhileNoAgentRunsValuesAreTriedInAOneShotPod) {
    ASSERT_EQ(hermesctl({"stop", "--now", "-y"}).code, 0);
    const Json before = get("secret/hermes-secrets")["data"];
    const Finished done =
        hermesctl({"rotate-secret", "TELEGRAM_BOT_TOKEN=env:BAD", "MINIMAX_API_KEY=env:CN", "-y"},
                  {{"BAD", bad_token}, {"CN", cn_key}});
    EXPECT_EQ(done.code, 1) << done.out << done.err;
    EXPECT_THAT(done.err, HasSubstr("one-shot pod"));
    EXPECT_THAT(done.err, HasSubstr("Telegram refuses it: Unauthorized (401)"));
    EXPECT_THAT(done.err, HasSubstr("it is a key of minimax-cn"));
    for (const std::string& value : {bad_token, cn_key})
        EXPECT_THAT(done.out + done.err, Not(HasSubstr(value)));
    EXPECT_EQ(get("secret/hermes-secrets")["data"], before);
    EXPECT_TRUE(client().list("Job", ns()).empty());
}

}  // namespace
}  // namespace hermesctl::e2e
