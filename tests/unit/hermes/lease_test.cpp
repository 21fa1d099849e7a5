// The lease on its way out; that two at once meet over it is for the end-to-end tests.
#include "hermesctl/hermes/lease.hpp"

#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;

TEST(HeldLease, IsGivenBackWithoutALongWaitForADeadNetwork) {
    testing::FakeClock clock;
    testing::FakeTransport net(clock);
    testing::FakeApi api(net);
    testing::RecordingReporter reporter;
    kube::Client client(net, clock, reporter);
    const Names names{.ns = "hermes", .name = "hermes"};
    api.put({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "hermes"}}}});
    {
        const HeldLease lease(client, names, "me", reporter);
        ASSERT_FALSE(api.object(names.lease()).is_null());
        net.serve = [](net::Transport::Ticket, const net::Request&) {};  // nothing comes any more
    }
    EXPECT_EQ(net.requests.back().method, "DELETE");
    EXPECT_LE(clock.elapsed(), 3s);
}

}  // namespace
}  // namespace hermesctl::hermes
