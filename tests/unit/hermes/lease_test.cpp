// One hermesctl at a time: who holds the lease, when it has lapsed, and how its loss shows.
#include "hermesctl/hermes/lease.hpp"

#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using kube::Json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Names names{.ns = "hermes", .name = "hermes"};

class HeldLeaseTest : public ::testing::Test {
  protected:
    HeldLeaseTest() { api_.put({{"kind", "Namespace"}, {"metadata", {{"name", "hermes"}}}}); }

    HeldLease take() { return {client_, names, reporter_}; }
    /// Another machine's lease, renewed so long ago by its clock.
    void other(std::chrono::seconds age) {
        const std::string then = rfc3339(clock_.wall() - age);
        api_.put({{"apiVersion", "coordination.k8s.io/v1"},
                  {"kind", "Lease"},
                  {"metadata", {{"name", "hermes-hermesctl"}, {"namespace", "hermes"}}},
                  {"spec", {{"holderIdentity", "bob"}, {"acquireTime", then}, {"renewTime", then}}}});
    }
    std::string holder() const { return kube::text_at(api_.object(names.lease()), "/spec/holderIdentity"); }
    std::string refusal_of(const std::function<void()>& action) {
        try {
            action();
        } catch (const Error& error) {
            return error.message() + " | " + error.hint();
        }
        return "";
    }

    hermesctl::testing::FakeClock clock_{};
    hermesctl::testing::FakeTransport transport_{clock_};
    hermesctl::testing::FakeApi api_{transport_};
    hermesctl::testing::RecordingReporter reporter_{};
    kube::Client client_{transport_, clock_, reporter_};
};

TEST_F(HeldLeaseTest, IsTakenAndGivenBack) {
    {
        const HeldLease lease = take();
        EXPECT_EQ(holder(), this_holder());
    }
    EXPECT_TRUE(api_.object(names.lease()).is_null());
    EXPECT_THAT(reporter_.events, IsEmpty());
}

TEST_F(HeldLeaseTest, IsGivenBackWithoutALongWaitForADeadNetwork) {
    const std::string said = refusal_of([this] {
        const HeldLease lease = take();
        transport_.serve = [](net::Transport::Ticket, const net::Request&) {};  // nothing comes any more
        throw Error(ExitCode::unreachable, "no answer");
    });
    EXPECT_THAT(said, HasSubstr("no answer"));
    EXPECT_EQ(transport_.requests.back().method, "DELETE");
    EXPECT_LE(clock_.elapsed(), 3s);
}

/// Else the next command would be told of another one at work.
TEST_F(HeldLeaseTest, IsGivenBackToABusyServer) {
    {
        const HeldLease lease = take();
        transport_.serve = [this, serve = transport_.serve](auto ticket, const net::Request& request) {
            transport_.after(8s, [=] { serve(ticket, request); });
        };
    }
    EXPECT_TRUE(api_.object(names.lease()).is_null());
}

TEST_F(HeldLeaseTest, NamesWhoHoldsIt) {
    other(20s);
    EXPECT_THAT(refusal_of([&] { take(); }), AllOf(HasSubstr("works on this installation: bob, since 20"),
                                                   HasSubstr("lapses in a minute at most")));
    EXPECT_EQ(holder(), "bob");
    EXPECT_EQ(clock_.elapsed(), 0s);
}

/// Of a quota that the other one's lease fills, or without the right to make one.
TEST_F(HeldLeaseTest, NamesWhoHoldsItWhereNoneCouldBeMade) {
    other(20s);
    api_.deny("create", "leases");
    EXPECT_THAT(refusal_of([&] { take(); }), HasSubstr("works on this installation: bob"));
}

TEST_F(HeldLeaseTest, LooksLapsedByAnotherClockButIsRenewed) {
    for (const auto age : {90s, -90s}) {
        other(age);
        transport_.after(12s, [&] { other(age); });
        EXPECT_THAT(refusal_of([&] { take(); }), HasSubstr("bob"));
        EXPECT_EQ(holder(), "bob");
    }
}

TEST_F(HeldLeaseTest, OfAKilledOneIsTakenOnceNobodyHasRenewedItFor30s) {
    other(90s);
    const HeldLease lease = take();
    EXPECT_EQ(holder(), this_holder());
    EXPECT_GE(clock_.elapsed(), 30s);
    ASSERT_FALSE(reporter_.events.empty());
    EXPECT_THAT(reporter_.events.front().detail, HasSubstr("whether bob still lives"));
    const auto renewed = parse_rfc3339(kube::text_at(api_.object(names.lease()), "/spec/renewTime"));
    EXPECT_LT(clock_.wall() - renewed, 2s);
}

TEST_F(HeldLeaseTest, OfLongAgoIsTakenAtOnce) {
    other(600s);
    const HeldLease lease = take();
    EXPECT_EQ(holder(), this_holder());
    EXPECT_EQ(clock_.elapsed(), 0s);
}

TEST_F(HeldLeaseTest, WithoutTheRightToItSaysSo) {
    api_.deny("create", "leases");
    HeldLease lease = take();
    lease.renew();
    ASSERT_EQ(reporter_.events.size(), 1U);
    EXPECT_EQ(reporter_.events[0].state, State::warning);
    EXPECT_THAT(reporter_.events[0].detail, HasSubstr("leases are not allowed"));
}

/// A teardown of what is being deleted goes on.
TEST_F(HeldLeaseTest, WhereNoneCanBeMadeSaysWhy) {
    api_.fail_always("POST", "Lease",
                     testing::refusal(403, "Forbidden",
                                      "leases \"x\" is forbidden: unable to create new content in "
                                      "namespace hermes because it is being terminated"));
    const HeldLease lease = take();
    ASSERT_EQ(reporter_.events.size(), 1U);
    EXPECT_EQ(reporter_.events[0].state, State::warning);
    EXPECT_THAT(reporter_.events[0].detail,
                AllOf(HasSubstr("it is being terminated"), ::testing::Not(HasSubstr("not allowed"))));
}

TEST_F(HeldLeaseTest, IsRenewedWhenDue) {
    HeldLease lease = take();
    lease.renew_if_due();
    const std::string first = kube::text_at(api_.object(names.lease()), "/spec/renewTime");
    clock_.advance(10s);
    lease.renew_if_due();
    EXPECT_GT(kube::text_at(api_.object(names.lease()), "/spec/renewTime"), first);
}

TEST_F(HeldLeaseTest, TakenOverByAnotherIsLost) {
    HeldLease lease = take();
    other(0s);
    EXPECT_THAT(refusal_of([&] { lease.renew(); }), HasSubstr("bob"));
    EXPECT_EQ(refusal_of([&] { lease.renew(); }), "") << "said once";
    lease.give_up();
    EXPECT_EQ(holder(), "bob");
}

TEST_F(HeldLeaseTest, ThatIsGoneIsNotHeldByNobody) {
    HeldLease lease = take();
    api_.erase(names.lease());
    const std::string said = refusal_of([&] { lease.renew(); });
    EXPECT_THAT(said, HasSubstr("lease/hermes-hermesctl is gone"));
    EXPECT_THAT(said, ::testing::Not(HasSubstr("since")));
}

TEST_F(HeldLeaseTest, StaysOursWhenTheAnswerToARenewalWasLost) {
    HeldLease lease = take();
    api_.merge(names.lease(), {{"metadata", {{"labels", {{"seen", "yes"}}}}}});
    EXPECT_EQ(refusal_of([&] { lease.renew(), lease.renew(); }), "");
    EXPECT_EQ(holder(), this_holder());
}

}  // namespace
}  // namespace hermesctl::hermes
