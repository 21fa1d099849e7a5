// manifests/gate.py against listeners and a name server on loopback.
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "support/loopback_socket.hpp"
#include "support/scratch.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using Socket = hermesctl::testing::LoopbackSocket;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Says NXDOMAIN to everything, once `silent` is over.
class NameServer {
  public:
    explicit NameServer(std::chrono::milliseconds silent) : from_(std::chrono::steady_clock::now() + silent) {
        thread_ = std::thread([this] { serve(); });
    }
    ~NameServer() {
        ended_ = true;
        thread_.join();
    }
    NameServer(const NameServer&) = delete;
    NameServer& operator=(const NameServer&) = delete;

    int port() const { return socket_.port(); }

  private:
    void serve() {
        while (!ended_) {
            pollfd one{socket_.fd(), POLLIN, 0};
            if (::poll(&one, 1, 20) <= 0) continue;
            std::array<char, 512> query{};
            sockaddr_in peer{};
            socklen_t size = sizeof peer;
            auto* plain = reinterpret_cast<sockaddr*>(&peer);
            const ssize_t got = ::recvfrom(socket_.fd(), query.data(), query.size(), 0, plain, &size);
            if (got < 12 || std::chrono::steady_clock::now() < from_) continue;
            query[2] = '\x81';
            query[3] = '\x83';
            if (::sendto(socket_.fd(), query.data(), static_cast<std::size_t>(got), 0, plain, size) < 0)
                return;
        }
    }

    Socket socket_{SOCK_DGRAM};
    std::chrono::steady_clock::time_point from_;
    std::atomic<bool> ended_{false};
    std::thread thread_{};
};

class GateScript : public ::testing::Test {
  protected:
    struct Outcome {
        int code = 0;
        std::string message{};  // its termination message
        std::chrono::milliseconds took{};
    };

    Outcome run(const std::string& witnesses, int dns_port, const std::string& limit = "3",
                const std::string& node = "") {
        scratch_.write("etc/resolv.conf",
                       "search x.svc.cluster.local svc.cluster.local\nnameserver 127.0.0.1\n");
        scratch_.write("dev/termination-log", "");
        const auto begun = std::chrono::steady_clock::now();
        const auto result = run_process({.argv = {"/usr/bin/env", "NODE_ADDRESS=" + node, "/usr/bin/python3",
                                                  "-I", "-S", SOURCE_DIR "/manifests/gate.py", witnesses,
                                                  scratch_.path(), std::to_string(dns_port), limit}});
        const auto took = std::chrono::steady_clock::now() - begun;
        return {result.value().exit_code, read_file(scratch_.path("dev/termination-log")).value_or(""),
                std::chrono::duration_cast<std::chrono::milliseconds>(took)};
    }

    testing::Scratch scratch_{};
    NameServer dns_{0ms};
    Socket witness_{SOCK_STREAM};
};

TEST_F(GateScript, LetsTheAgentStartOnceTheWitnessIsClosed) {
    const Outcome outcome = run(witness_.address(), dns_.port());
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.message, StartsWith("closed after"));
}

TEST_F(GateScript, HoldsWhileOneWitnessIsOpen) {
    const Socket other{SOCK_STREAM};
    witness_.listen();
    const Outcome outcome = run(other.address() + "," + witness_.address(), dns_.port(), "1");
    EXPECT_EQ(outcome.code, gate_still_open);
    EXPECT_EQ(outcome.message, witness_.address());
    EXPECT_GE(outcome.took, 1s);
}

/// Some networks let a pod reach its own node whatever the policies say.
TEST_F(GateScript, DoesNotLookAtAWitnessOnItsOwnNode) {
    witness_.listen();
    const std::string words = witness_.address() + "/192.168.1.20/192.168.1.21";
    EXPECT_EQ(run(words, dns_.port(), "1", "192.168.1.2").code, gate_still_open);
    const Outcome own = run(words, dns_.port(), "1", "192.168.1.21");
    EXPECT_EQ(own.code, 0);
    EXPECT_EQ(own.message, "nothing to look at from this node");
    // The others are looked at all the same.
    const Socket closed{SOCK_STREAM};
    Socket open{SOCK_STREAM};  // of its own: nobody empties the queue of the one above
    open.listen();
    const std::string both = closed.address() + "/192.168.1.21," + open.address();
    EXPECT_EQ(run(both, dns_.port(), "1", "192.168.1.21").code, gate_still_open);
}

TEST_F(GateScript, OneFailedAttemptIsNotEnough) {
    // The queue of a listener that nobody empties fills up: from then on it is silent. Before that it is
    // open.
    const Socket full{SOCK_STREAM};
    if (::listen(full.fd(), 3) != 0) std::abort();
    const Outcome outcome = run(full.address(), dns_.port());
    EXPECT_EQ(outcome.code, 0);
    // Five silent attempts of 150 ms each, after the ones that got through.
    EXPECT_GE(outcome.took, 750ms);
}

TEST_F(GateScript, WaitsForDnsFirst) {
    const NameServer late{600ms};
    const Outcome outcome = run(witness_.address(), late.port());
    EXPECT_EQ(outcome.code, 0);
    EXPECT_GE(outcome.took, 600ms);
    const Socket silent{SOCK_DGRAM};
    const Outcome never = run(witness_.address(), silent.port(), "1");
    EXPECT_EQ(never.code, gate_no_dns);
    EXPECT_THAT(never.message, HasSubstr("no answer from the name servers 127.0.0.1"));
}

TEST_F(GateScript, WithoutWitnessesSaysSoAndPasses) {
    const Outcome outcome = run("", dns_.port());
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.message, HasSubstr("nothing to look at"));
}

}  // namespace
}  // namespace hermesctl::hermes
