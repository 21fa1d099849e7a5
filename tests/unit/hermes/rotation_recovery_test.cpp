// A rotation that was killed after any of its writes: the next command finds a state that it can end.
#include "rotating.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

const SecretChanges other_token{{"TELEGRAM_BOT_TOKEN", new_token}, {"ADDED", "added"}};

class RotationRecovery : public Rotating {
  protected:
    /// The server is gone for this hermesctl after its nth write, as when it were killed there; how many it
    /// made.
    int rotate_cut_after(int nth) {
        int made = 0;
        after_write_ = [&] {
            if (++made == nth) api_.down = true;
        };
        try {
            rotate(other_token);
        } catch (const Error&) {
        }
        after_write_ = nullptr;
        api_.down = false;
        clock_.advance(10min);
        return made;
    }
    void expect_whole(const std::string& when) {
        EXPECT_FALSE(half_done_now()) << when;
        EXPECT_EQ(template_mark(), mark()) << when;
        EXPECT_EQ(pod_, values()) << when;
        EXPECT_EQ(values().count("ADDED"), token() == new_token ? 1u : 0u) << when << ": half of it";
        EXPECT_EQ(values().at("KEEP"), "kept") << when;
        EXPECT_TRUE(accepted_.contains(token())) << when << ": the bot does not answer";
    }
    void reset() {
        put_secret({{"TELEGRAM_BOT_TOKEN", old_token}, {"MINIMAX_API_KEY", "the-old-key"}, {"KEEP", "kept"}});
        api_.erase(names_.previous());
        kube::Client other(transport_, clock_, reporter_);
        const Json annotations{{"hermesctl/secret-hmac", mark()}};
        other.patch(names_.deployment(), kube::Patch::merge,
                    {{"spec", {{"template", {{"metadata", {{"annotations", annotations}}}}}}}});
    }
    /// Walks through all writes; how many there were.
    int walk() {
        const int all = rotate_cut_after(0);
        for (int nth = 1; nth <= all; ++nth) {
            reset();
            rotate_cut_after(nth);
            recover();
            expect_whole(fmt::format("cut after write {} of {}", nth, all));
            EXPECT_FALSE(recover()) << "there is nothing left to do";
        }
        return all;
    }
    void leave_half_done() {
        after_write_ = [&] {
            if (token() == new_token) api_.down = true;
        };
        EXPECT_THROW(rotate(other_token), Error);
        after_write_ = nullptr;
        api_.down = false;
        ASSERT_TRUE(half_done_now());
    }
};

TEST_F(RotationRecovery, EndsWhereverAGoodOneWasKilled) {
    EXPECT_EQ(walk(), 5);
}

TEST_F(RotationRecovery, EndsWhereverABadOneWasKilled) {
    accepted_ = {old_token};
    EXPECT_EQ(walk(), 7);
}

/// Killed once more while it goes on, again at each place.
TEST_F(RotationRecovery, EndsWhereverARecoveryWasKilled) {
    for (const bool good : {true, false}) {
        accepted_ = good ? std::set{old_token, new_token} : std::set{old_token};
        for (int nth = 1; nth <= 7; ++nth) {
            for (int again = 1; again <= 7; ++again) {
                reset();
                rotate_cut_after(nth);
                int made = 0;
                after_write_ = [&] {
                    if (++made == again) api_.down = true;
                };
                try {
                    recover();
                } catch (const Error&) {
                }
                after_write_ = nullptr;
                api_.down = false;
                clock_.advance(10min);
                recover();
                expect_whole(fmt::format("cut after {}, and after {} of the recovery", nth, again));
            }
        }
    }
}

TEST_F(RotationRecovery, GoesOnOnlyWithWhatHasLapsed) {
    leave_half_done();
    api_.merge(names_.previous(),
               {{"metadata",
                 {{"annotations",
                   {{"hermesctl/rotation",
                     Json{{"holder", "bob@there (pid 7)"},
                          {"renewed", rfc3339(clock_.wall())},
                          {"new",
                           {{"TELEGRAM_BOT_TOKEN", secrets_mark(salt, {{"TELEGRAM_BOT_TOKEN", new_token}})},
                            {"ADDED", secrets_mark(salt, {{"ADDED", "added"}})}}}}
                         .dump()}}}}}});
    EXPECT_THAT(failure([&] { recover(); }), HasSubstr("bob@there (pid 7)"));
    EXPECT_TRUE(half_done_now());
    clock_.advance(31s);
    EXPECT_TRUE(recover());
    expect_whole("after it has lapsed");
}

TEST_F(RotationRecovery, WithTheLeaseHeldNobodyElseIsAtWork) {
    leave_half_done();
    Json record = api_.object(names_.previous());
    Json note = Json::parse(record["metadata"]["annotations"]["hermesctl/rotation"].get<std::string>());
    note["holder"] = "bob@there (pid 7)";
    note["renewed"] = rfc3339(clock_.wall());
    record["metadata"]["annotations"]["hermesctl/rotation"] = note.dump();
    api_.put(record);
    HeldLease lease(client_, names_, reporter_);
    EXPECT_TRUE(recover_rotation(client_, names_, steps(), &lease, reporter_));
    expect_whole("with the lease held");
}

TEST_F(RotationRecovery, AServerThatGoesAwayLeavesItHalfDoneAndThatIsTold) {
    while_waiting_ = [] { throw Error(ExitCode::unreachable, "the API server is gone", "hermesctl wait"); };
    EXPECT_THAT(
        failure([&] { rotate(other_token); }, ExitCode::unreachable),
        AllOf(HasSubstr("the API server is gone; the change of ADDED, TELEGRAM_BOT_TOKEN is half done"),
              HasSubstr("the same again, or hermesctl deploy")));
}

TEST_F(RotationRecovery, AnInterruptGivesItUpForTheNextOne) {
    while_waiting_ = [] { throw Error(ExitCode::interrupted, "interrupted"); };
    EXPECT_THAT(failure([&] { rotate(other_token); }, ExitCode::interrupted),
                AllOf(HasSubstr("the change of ADDED, TELEGRAM_BOT_TOKEN is half done"),
                      HasSubstr("the same again")));
    while_waiting_ = nullptr;
    const auto found = half_done(api_.object(names_.previous()), names_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->holder, "");
    EXPECT_TRUE(recover());
    expect_whole("after an interrupt");
}

TEST_F(RotationRecovery, AnswersOrNotTheNewValueStaysWhereNoKeyIsToBlame) {
    leave_half_done();
    while_waiting_ = [] { throw Error(ExitCode::failed, "no node takes it"); };
    EXPECT_TRUE(recover());
    EXPECT_THAT(story(), HasSubstr("no node takes it; the change of ADDED, TELEGRAM_BOT_TOKEN stays"));
    while_waiting_ = nullptr;
    expect_whole("after a trouble of another");
    EXPECT_EQ(token(), new_token);
}

TEST_F(RotationRecovery, WhatSomebodyElseHasSetSinceStays) {
    leave_half_done();
    api_.merge(names_.secret(), {{"data", {{"TELEGRAM_BOT_TOKEN", base64_encode("of-another")}}}});
    EXPECT_TRUE(recover());
    EXPECT_EQ(token(), "of-another");
    EXPECT_EQ(template_mark(), mark());
    EXPECT_FALSE(half_done_now());
}

TEST_F(RotationRecovery, OfAStoppedAgentKeepsTheNewValuesAndStartsNothing) {
    leave_half_done();
    api_.merge(names_.deployment(), {{"spec", {{"replicas", 0}}}});
    EXPECT_TRUE(recover());
    EXPECT_EQ(token(), new_token);
    EXPECT_EQ(template_mark(), mark());
    EXPECT_EQ(waits_, 0);
    EXPECT_FALSE(half_done_now());
}

TEST_F(RotationRecovery, WithoutTheSecretTheOldValuesStay) {
    leave_half_done();
    api_.erase(names_.secret());
    EXPECT_TRUE(recover());
    EXPECT_TRUE(half_done_now());
    EXPECT_THAT(story(), HasSubstr("the old values stay"));
}

TEST_F(RotationRecovery, ASecretOfThatNameThatIsNotOursIsLeftAlone) {
    api_.put(testing::object_of("Secret", "hermes", "hermes-secrets-previous"));
    EXPECT_FALSE(recover());
    EXPECT_THAT(failure([&] { rotate(other_token); }), HasSubstr("is there already"));
    EXPECT_EQ(token(), old_token);
    EXPECT_TRUE(half_done_now());
}

}  // namespace
}  // namespace hermesctl::hermes
