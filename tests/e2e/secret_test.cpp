// Keys of the Secret: listed, taken out of the agent's own .env, tried while no agent runs.
#include "e2e/node.hpp"

#include <fmt/format.h>

namespace hermesctl::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string cn_key =
    "sk-api-standin-minimax-cn-key-for-tests-0123456789";  // tests/node/world/credentials.py
const std::string bad_token = "111111111:AAE-this-token-is-refused-everywhere-00";

class Secrets : public Node {
  protected:
    Secrets() : Node(Scope::suite) {}
    std::string in_pod(const std::string& script) {
        return hermesctl({"exec", "--", "sh", "-c", script}).out;
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

TEST_F(Secrets, WhatTheAgentsOwnFileSetsIsFoundAndTakenOut) {
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

TEST_F(Secrets, WhileNoAgentRunsValuesAreTriedInAOneShotPod) {
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
