// manifests/gate.py against listeners and a name server on loopback.
#include "hermesctl/base/file.hpp"
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/gate.hpp"
#include "support/answering_socket.hpp"
#include "support/loopback_socket.hpp"
#include "support/scratch.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace hermesctl::hermes {
namespace {

using namespace std::chrono_literals;
using Socket = hermesctl::testing::LoopbackSocket;
using testing::AnsweringSocket;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string gate = SOURCE_DIR "/manifests/gate.py";

/// Says NXDOMAIN to everything, once `silent` is over.
AnsweringSocket::Answer says_nothing_there(std::chrono::milliseconds silent) {
    return [from = std::chrono::steady_clock::now() + silent](std::string_view asked) -> std::string {
        if (asked.size() < 12 || std::chrono::steady_clock::now() < from) return "";
        std::string answer(asked);
        answer[2] = '\x81';
        answer[3] = '\x83';
        return answer;
    };
}

/// A listener whose queue is full: whoever tries to connect hears nothing.
class SilentListener {
  public:
    SilentListener() {
        if (::listen(socket_.fd(), 0) != 0) std::abort();
        for (const Socket& caller : callers_)
            call_from(caller);
    }
    std::string address() const { return socket_.address(); }

  private:
    void call_from(const Socket& caller) const {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(socket_.port()));
        ::fcntl(caller.fd(), F_SETFL, O_NONBLOCK);
        (void)::connect(caller.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    }

    Socket socket_{SOCK_STREAM};
    std::array<Socket, 3> callers_{{Socket{SOCK_STREAM}, Socket{SOCK_STREAM}, Socket{SOCK_STREAM}}};
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
        const auto result =
            run_process({.argv = {"/usr/bin/env", "NODE_ADDRESS=" + node, "/usr/bin/python3", "-I", "-S",
                                  gate, witnesses, scratch_.path(), std::to_string(dns_port), limit}});
        const auto took = std::chrono::steady_clock::now() - begun;
        return {result.value().exit_code, read_file(scratch_.path("dev/termination-log")).value_or(""),
                std::chrono::duration_cast<std::chrono::milliseconds>(took)};
    }

    /// The seconds that the gate says it took, by a clock of its own that only its own waiting moves.
    double seconds_told(const std::string& witnesses) {
        scratch_.write("etc/resolv.conf", "nameserver 127.0.0.1\n");
        scratch_.write("dev/termination-log", "");
        const std::string script = fmt::format(R"(import select, time
now, ready = [0.0], select.select
def sleep(seconds):
    now[0] += seconds
def wait(read, write, other, seconds):
    found = ready(read, write, other, 0)
    if not found[1]:
        sleep(seconds)
    return found
time.monotonic, time.sleep, select.select = lambda: now[0], sleep, wait
exec(open("{}").read()))",
                                               gate);
        const auto result = run_process({.argv = {"/usr/bin/python3", "-I", "-S", "-c", script, witnesses,
                                                  scratch_.path(), std::to_string(dns_.port())}});
        EXPECT_THAT(result.value().output, StartsWith("closed after "));
        return std::stod(result.value().output.substr(std::string_view("closed after ").size()));
    }

    testing::Scratch scratch_{};
    AnsweringSocket dns_{says_nothing_there(0ms)};
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

TEST_F(GateScript, CostsLessThanASecondOnceTheCageIsClosed) {
    EXPECT_LE(seconds_told(witness_.address()), 1) << "refused";
    const SilentListener one;
    const SilentListener other;
    const double silent = seconds_told(one.address() + "," + other.address());
    EXPECT_GE(silent, 0.7) << "one after the other, five times";
    EXPECT_LE(silent, 1) << "but both at once";
}

TEST_F(GateScript, WaitsForDnsFirst) {
    const AnsweringSocket late{says_nothing_there(600ms)};
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
