// For how long a connection on which nothing comes is believed in: pings, and what the kernel does, on real
// connections; the time is the test's own.
#include "hermesctl/net/websocket.hpp"
#include "support/fake_clock.hpp"
#include "wire/client.hpp"
#include "wire/websocket_server.hpp"

#include <array>
#include <atomic>
#include <stdexcept>

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace hermesctl::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const std::array<std::string, 1> v5{"v5.channel.k8s.io"};

class Liveness : public ::testing::Test {
  protected:
    ~Liveness() override { reading = true; }

    /// Connects to a server that reads on while `reading`, and answers so many pings.
    void serve(int answers) {
        server = std::make_unique<ScriptedServer>(upgraded([this, answers](Peer& peer) {
            for (int i = 0; !reading && i < 4000; ++i)
                system_clock().sleep(5ms);
            for (auto one = read_frame(peer); one.opcode != Opcode::close; one = read_frame(peer)) {
                if (one.opcode == Opcode::ping && ++pings <= answers)
                    peer.write(frame(one.payload, Opcode::pong));
            }
        }));
        transport = net::make_curl_transport(endpoint_of(*server), clock);
        socket = transport->upgrade(get("/exec"), v5).socket;
        if (!socket) throw std::runtime_error{"refused"};
    }
    /// Ten seconds, after which a ping goes out.
    void pass() {
        clock.advance(10s);
        socket->receive();
    }
    /// Takes in what comes next.
    void hear() {
        pollfd one{socket->fd(), POLLIN, 0};
        ASSERT_EQ(::poll(&one, 1, 20'000), 1);
        socket->receive();
    }
    int option(int level, int name) const {
        int value = -1;
        socklen_t size = sizeof value;
        ::getsockopt(socket->fd(), level, name, &value, &size);
        return value;
    }

    FakeClock clock{};
    std::atomic<bool> reading{true};
    std::atomic<int> pings{0};
    std::unique_ptr<ScriptedServer> server{};
    std::unique_ptr<net::Transport> transport{};
    std::unique_ptr<net::WebSocket> socket{};
};

TEST_F(Liveness, AnsweredPingsKeepASilentConnection) {
    serve(1000);
    for (int i = 0; i < 30; ++i) {
        pass();
        hear();
        ASSERT_FALSE(socket->closed()) << i;
    }
    EXPECT_EQ(pings, 30);
}

TEST_F(Liveness, AServerThatAnswersNoMoreIsLostAfterAMinute) {
    serve(3);
    for (int i = 0; i < 3; ++i) {
        pass();
        hear();
    }
    for (int i = 0; i < 7; ++i) {
        pass();
        ASSERT_FALSE(socket->closed()) << i;
    }
    pass();
    EXPECT_TRUE(socket->closed());
    EXPECT_THAT(socket->failure(), HasSubstr("not answered for 60 s"));
}

/// The server's reader waits for the remote program to take its input, and finds no ping meanwhile.
TEST_F(Liveness, SilenceWhileInputIsNotTakenIsNoLoss) {
    reading = false;
    serve(30);
    socket->send("input");
    for (int i = 0; i < 30; ++i) {
        pass();
        ASSERT_FALSE(socket->closed()) << i;
    }
    EXPECT_EQ(pings, 0);
    reading = true;
    for (int i = 0; pings < 30 && i < 4000; ++i)
        system_clock().sleep(5ms);
    hear();
    EXPECT_FALSE(socket->closed());
    for (int i = 0; i < 12 && !socket->closed(); ++i)
        pass();
    EXPECT_TRUE(socket->closed()) << "all input is read, so the server is free to answer";
}

TEST_F(Liveness, TheKernelAsksAfterTheOtherEnd) {
    serve(0);
    EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 30);
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 15);
}

}  // namespace
}  // namespace hermesctl::testing
