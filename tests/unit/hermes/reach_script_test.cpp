// manifests/reach.py against listeners on loopback.
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/live_proof.hpp"
#include "support/loopback_socket.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using Socket = hermesctl::testing::LoopbackSocket;

class ReachScript : public ::testing::Test {
  protected:
    static Reached run(const std::vector<ReachTarget>& targets) {
        Json list = Json::array();
        for (const ReachTarget& target : targets)
            list.push_back(
                {{"name", target.name()}, {"by", target.by}, {"host", target.host}, {"port", target.port}});
        const auto result = run_process(
            {.argv = {"/usr/bin/python3", "-I", "-S", SOURCE_DIR "/manifests/reach.py", "1", list.dump()}});
        return parse_reached(result.value().output, targets).value();
    }

    Socket tcp_{SOCK_STREAM};
};

TEST_F(ReachScript, TellsOpenFromRefused) {
    const ReachTarget target{.by = "tcp", .host = "127.0.0.1", .port = tcp_.port()};
    EXPECT_EQ(run({target}).at(target.name()), "refused");
    tcp_.listen();
    EXPECT_EQ(run({target}).at(target.name()), "open");
}

TEST_F(ReachScript, UdpIsOpenOnlyWhenItAnswers) {
    std::optional<Socket> udp(std::in_place, SOCK_DGRAM);
    const ReachTarget silent{.by = "dns", .host = "127.0.0.1", .port = udp->port()};
    EXPECT_EQ(run({silent}).at(silent.name()), "silent");
    udp.reset();
    EXPECT_EQ(run({silent}).at(silent.name()), "refused");
}

TEST_F(ReachScript, WhatHasNoAddressIsSaid) {
    const ReachTarget nowhere{.by = "tcp", .host = "none.invalid", .port = 1};
    EXPECT_EQ(run({nowhere}).at(nowhere.name()), "unresolved");
}

TEST_F(ReachScript, NothingIsSaidOfWhatIsNotTried) {
    std::vector<ReachTarget> many;
    for (int i = 1; i <= 65; ++i)
        many.push_back({.by = "tcp", .host = "127.0.0." + std::to_string(i), .port = tcp_.port()});
    const Reached reached = run(many);
    EXPECT_EQ(reached.size(), 64u);
    EXPECT_EQ(reached.count(many.back().name()), 0u);
}

}  // namespace
}  // namespace hermesctl::hermes
