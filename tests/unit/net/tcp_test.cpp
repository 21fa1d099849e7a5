// Unacknowledged bytes on real connections: a path that is cut, and a reader that only rests.
#include "net/tcp.hpp"

#include "hermesctl/base/clock.hpp"

#include <functional>
#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hermesctl::net {
namespace {

using namespace std::chrono_literals;

/// Both ends of a connection over the loopback.
class Connection : public ::testing::Test {
  protected:
    void SetUp() override {
        const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int small = 4096;
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        ASSERT_EQ(::bind(listener, generic, size), 0);
        ASSERT_EQ(::listen(listener, 1), 0);
        ASSERT_EQ(::getsockname(listener, generic, &size), 0);
        near = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_EQ(::connect(near, generic, size), 0);
        far = ::accept(listener, nullptr, nullptr);
        ASSERT_GE(far, 0);
        ::close(listener);
    }
    void TearDown() override {
        ::close(near);
        ::close(far);
    }
    /// From now on no segment reaches the far end, so that its kernel acknowledges nothing.
    void cut() {
        sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
        const sock_fprog program{1, &drop};
        ASSERT_EQ(setsockopt(far, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
    }
    void mend() {
        const int unused = 0;
        ASSERT_EQ(setsockopt(far, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused), 0);
    }
    bool eventually(const std::function<bool()>& true_now) {
        for (int i = 0; i < 500; ++i) {
            if (true_now()) return true;
            system_clock().sleep(20ms);
        }
        return false;
    }

    int near = -1;
    int far = -1;
};

TEST_F(Connection, OwesNothingWhenAllIsAcknowledged) {
    ASSERT_EQ(::send(near, "x", 1, 0), 1);
    EXPECT_TRUE(eventually([&] { return unacknowledged(near) == 0ms; }));
    EXPECT_EQ(unacknowledged(-1), 0ms);
}

TEST_F(Connection, OwesAnAcknowledgementOnACutPath) {
    cut();
    ASSERT_EQ(::send(near, "x", 1, 0), 1);
    EXPECT_TRUE(eventually([&] { return unacknowledged(near) > 500ms; }));
    mend();
    EXPECT_TRUE(eventually([&] { return unacknowledged(near) == 0ms; }));
}

TEST_F(Connection, AReaderThatRestsOwesNothingUntilItsPathIsCut) {
    const std::string much(64u << 10, 'x');
    while (::send(near, much.data(), much.size(), MSG_DONTWAIT) > 0) {
    }
    system_clock().sleep(400ms);
    EXPECT_LT(unacknowledged(near), 400ms) << "its kernel answers the probes";
    cut();
    EXPECT_TRUE(eventually([&] { return unacknowledged(near) > 500ms; }));
}

}  // namespace
}  // namespace hermesctl::net
