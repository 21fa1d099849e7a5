// What is told of the Secret's keys, and that no value is.
#include "hermesctl/hermes/secret_list.hpp"

#include "hermesctl/base/crypto.hpp"
#include "support/fake_api.hpp"
#include "support/fake_clock.hpp"
#include "support/installation.hpp"
#include "support/recording_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Names names{.ns = "hermes", .name = "hermes"};
const std::string token = "123456789:AAvalue-that-is-never-shown-0123456";

class SecretListTest : public ::testing::Test {
  protected:
    SecretListTest() {
        testing::put_installation(api_);
        api_.merge(
            names.secret(),
            {{"metadata",
              {{"creationTimestamp", "2026-01-01T00:00:00Z"}, {"annotations", {{"hermesctl/salt", "5a17"}}}}},
             {"data",
              {{"TELEGRAM_BOT_TOKEN", base64_encode(token)},
               {"MINIMAX_API_KEY", base64_encode("key-0123456789")},
               {"COLONY_PAT", base64_encode("pat-0123456789")},
               {"UNUSED", base64_encode("")}}}});
        manage({manager("2026-01-01T00:00:00Z", {"TELEGRAM_BOT_TOKEN", "UNUSED"}),
                manager("2026-02-02T00:00:00Z", {"MINIMAX_API_KEY"}),
                manager("2026-03-03T00:00:00Z", {"COLONY_PAT", "MINIMAX_API_KEY"})});
        Json env = Json::array(
            {{{"name", "MY_PAT"},
              {"valueFrom", {{"secretKeyRef", {{"name", "hermes-secrets"}, {"key", "COLONY_PAT"}}}}}}});
        api_.merge(names.deployment(),
                   {{"spec",
                     {{"template",
                       {{"spec",
                         {{"containers",
                           {{{"name", "hermes"},
                             {"env", env},
                             {"envFrom", {{{"secretRef", {{"name", "hermes-secrets"}}}}}}}}}}}}}}}});
        api_.on_exec = [this](testing::FakeProcess& process) {
            process.out(inside_.dump() + "\n");
            process.exit(0);
        };
    }
    static Json manager(const std::string& time, const std::vector<std::string>& keys) {
        Json data{{".", Json::object()}};
        for (const std::string& key : keys)
            data["f:" + key] = Json::object();
        return {{"manager", "m"}, {"time", time}, {"fieldsV1", {{"f:data", data}}}};
    }
    void manage(const std::vector<Json>& managers) {
        Json secret = api_.object(names.secret());
        secret["metadata"]["managedFields"] = managers;
        api_.put(secret);
    }
    SecretKey key(const std::string& name) {
        for (const SecretKey& one : list_secret(client_, names).keys) {
            if (one.key == name) return one;
        }
        throw std::out_of_range(name);
    }

    testing::FakeClock clock_{};
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
    Json inside_{{"tokens", Json::array()},
                 {"gateways", Json::array()},
                 {"container", Json::object()},
                 {"plain", Json::array()},
                 {"resolvers", Json::object()},
                 {"configs",
                  {{"/opt/data/config.yaml",
                    {{"state", "read"},
                     {"provider", "minimax"},
                     {"references", {{"COLONY_PAT", {"mcp_servers.colony.headers.Authorization"}}}}}}}},
                 {"env_files",
                  {{"/opt/data/.env", {{"state", "read"}, {"shadows", {{"MINIMAX_API_KEY", false}}}}},
                   {"/etc/hermes/.env", {{"state", "absent"}, {"shadows", Json::object()}}}}}};
};

TEST_F(SecretListTest, NeverAValueNorAHashThatCanBeGuessed) {
    const std::string shown = to_json(list_secret(client_, names)).dump();
    for (const std::string& value : {token, std::string("key-0123456789"), std::string("pat-0123456789")}) {
        EXPECT_THAT(shown, Not(HasSubstr(value)));
        EXPECT_THAT(shown, Not(HasSubstr(base64_encode(value))));
        EXPECT_THAT(shown, Not(HasSubstr(sha256_hex(value).substr(0, 8))));
    }
    EXPECT_EQ(key("TELEGRAM_BOT_TOKEN").length, token.size());
    EXPECT_EQ(key("TELEGRAM_BOT_TOKEN").fingerprint,
              hmac_sha256_hex("5a17", "fingerprint\n" + token).substr(0, 8));
    api_.merge(names.secret(), {{"metadata", {{"annotations", {{"hermesctl/salt", ""}}}}}});
    EXPECT_EQ(key("TELEGRAM_BOT_TOKEN").fingerprint, "");
    EXPECT_FALSE(list_secret(client_, names).salted);
    EXPECT_EQ(to_json(list_secret(client_, names))["salted"], false) << "why there is no fingerprint";
}

TEST_F(SecretListTest, AgeIsWhatTheManagersTell) {
    const auto changed = [&](const std::string& name) { return rfc3339(key(name).changed).substr(0, 10); };
    EXPECT_EQ(changed("TELEGRAM_BOT_TOKEN"), "2026-01-01");
    EXPECT_TRUE(key("TELEGRAM_BOT_TOKEN").exact) << "its manager has changed nothing since";
    EXPECT_EQ(changed("MINIMAX_API_KEY"), "2026-02-02") << "the older of two";
    EXPECT_TRUE(key("MINIMAX_API_KEY").exact);
    EXPECT_EQ(changed("COLONY_PAT"), "2026-03-03");
    EXPECT_FALSE(key("COLONY_PAT").exact) << "the change may have been the other key's";
    manage({});
    EXPECT_EQ(changed("COLONY_PAT"), "2026-01-01");
    EXPECT_FALSE(key("COLONY_PAT").exact);
}

TEST_F(SecretListTest, WhoUsesIt) {
    EXPECT_THAT(key("TELEGRAM_BOT_TOKEN").used_by, ElementsAre("environment", "Telegram"));
    EXPECT_THAT(key("MINIMAX_API_KEY").used_by, ElementsAre("environment", "model provider minimax"));
    EXPECT_THAT(key("COLONY_PAT").used_by,
                ElementsAre("environment", "environment as MY_PAT",
                            "config.yaml: mcp_servers.colony.headers.Authorization"));
    api_.erase(names.deployment());
    EXPECT_THAT(key("UNUSED").used_by, IsEmpty());
}

TEST_F(SecretListTest, WhatShadowsItOrThatItIsNotKnown) {
    EXPECT_EQ(key("MINIMAX_API_KEY").shadowed_by, "/opt/data/.env");
    EXPECT_EQ(key("COLONY_PAT").shadowed_by, "");
    EXPECT_EQ(list_secret(client_, names).unseen, "");
    api_.erase({"Pod", "hermes", "hermes-1-a"});
    EXPECT_FALSE(key("COLONY_PAT").shadowed_by);
    EXPECT_THAT(list_secret(client_, names).unseen, HasSubstr("no agent runs"));
    EXPECT_TRUE(to_json(list_secret(client_, names))["keys"][0]["shadowed_by"].is_null());
}

TEST_F(SecretListTest, WhoMayNotSeeThePodsSeesTheSecretAllTheSame) {
    api_.deny("list", "pods");
    EXPECT_THAT(list_secret(client_, names).unseen, HasSubstr("cannot list"));
    EXPECT_THAT(key("UNUSED").used_by, ElementsAre("environment"));
    EXPECT_FALSE(key("UNUSED").shadowed_by);
    api_.deny("get", "deployments");
    EXPECT_THAT(list_secret(client_, names).unseen, HasSubstr("cannot get"));
    EXPECT_THAT(key("UNUSED").used_by, IsEmpty());
}

TEST_F(SecretListTest, WithoutASecretItSaysSo) {
    api_.erase(names.secret());
    EXPECT_THROW(list_secret(client_, names), Error);
}

}  // namespace
}  // namespace hermesctl::hermes
