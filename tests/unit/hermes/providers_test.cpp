// A provider's key may go by several names: deploy asks for one only if it has none of them.
#include "hermesctl/hermes/compose.hpp"
#include "hermesctl/hermes/live_proof.hpp"
#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Providers, HaveKeysOfSeveralNames) {
    EXPECT_THAT(keys_of_provider("minimax"), ElementsAre("MINIMAX_API_KEY"));
    EXPECT_THAT(keys_of_provider("gemini"), ElementsAre("GOOGLE_API_KEY", "GEMINI_API_KEY"));
    EXPECT_THAT(keys_of_provider("copilot"), ElementsAre("COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"));
    EXPECT_THAT(keys_of_provider("minimax-oauth"), IsEmpty());
    EXPECT_EQ(key_of_provider("gemini"), "GOOGLE_API_KEY");
}

TEST(Providers, AreInReachWhereThePodAsksThem) {
    std::ifstream file(SOURCE_DIR "/manifests/asking.py");
    const std::string script{std::istreambuf_iterator<char>(file), {}};
    static const std::regex row(R"re("([a-z-]+)": \("[A-Z_]*", "https://([^/"]+))re");
    std::size_t rows = 0;
    for (std::sregex_iterator one(script.begin(), script.end(), row), end; one != end; ++one, ++rows) {
        EXPECT_EQ(host_of_provider(one->str(1)), one->str(2));
        const auto targets = reach_targets({.provider = one->str(1)});
        EXPECT_TRUE(std::ranges::any_of(targets, [&](const ReachTarget& target) {
            return target.row == "live-provider" && target.host == one->str(2) && target.lifeline;
        })) << one->str(1);
    }
    EXPECT_GE(rows, 7U);
    EXPECT_EQ(host_of_provider("gemini"), "");
}

/// What compose() misses when these secrets are given; "" if nothing.
std::string missing_with(const std::string& provider, const Json& secrets) {
    testing::FakeClock clock;
    testing::FakeTransport transport(clock);
    testing::FakeApi api(transport);
    testing::RecordingReporter story;
    kube::Client client(transport, clock, story);
    std::istringstream in;
    const Environment environment{{"TOKEN", "123456789:AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
                                  {"KEY", "the-key-of-a-provider"}};
    Wish wish{.server = "https://192.0.2.1:6443", .readers = {in, environment, ""}};
    wish.settings = {{"model", {{"provider", provider}, {"default", "m"}}},
                     {"telegram", {{"allowedUsers", {1}}}},
                     {"secrets", secrets}};
    wish.settings["secrets"]["TELEGRAM_BOT_TOKEN"] = {{"env", "TOKEN"}};
    try {
        compose(client, wish, story);
        return "";
    } catch (const Error& error) {
        return error.message();
    }
}

TEST(Providers, ASecondNameOfTheKeyWillDo) {
    EXPECT_THAT(missing_with("gemini", Json::object()), HasSubstr("GOOGLE_API_KEY"));
    EXPECT_EQ(missing_with("gemini", {{"GEMINI_API_KEY", {{"env", "KEY"}}}}), "");
    EXPECT_EQ(missing_with("zai", {{"ZAI_API_KEY", {{"env", "KEY"}}}}), "");
    EXPECT_THAT(missing_with("minimax", {{"MINIMAX_CN_API_KEY", {{"env", "KEY"}}}}),
                HasSubstr("MINIMAX_API_KEY"));
}

}  // namespace
}  // namespace hermesctl::hermes
