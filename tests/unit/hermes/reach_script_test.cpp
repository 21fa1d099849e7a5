// manifests/reach.py against listeners on loopback.
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/live_proof.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

class ReachScript : public ::testing::Test {
  protected:
    ReachScript() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        if (::bind(fd_, plain, size) != 0) std::abort();
        ::getsockname(fd_, plain, &size);
        port_ = ntohs(address.sin_port);
    }
    ~ReachScript() override { ::close(fd_); }

    static Reached run(const std::vector<ReachTarget>& targets) {
        Json list = Json::array();
        for (const ReachTarget& target : targets)
            list.push_back(
                {{"name", target.name()}, {"by", target.by}, {"host", target.host}, {"port", target.port}});
        const auto result = run_process(
            {.argv = {"/usr/bin/python3", "-I", "-S", SOURCE_DIR "/manifests/reach.py", list.dump()}});
        return parse_reached(result.value().output, targets).value();
    }

    int fd_;
    int port_ = 0;
};

TEST_F(ReachScript, TellsOpenFromRefused) {
    const ReachTarget target{.by = "tcp", .host = "127.0.0.1", .port = port_};
    EXPECT_EQ(run({target}).at(target.name()), "refused");
    ASSERT_EQ(::listen(fd_, 4), 0);
    EXPECT_EQ(run({target}).at(target.name()), "open");
}

TEST_F(ReachScript, UdpIsOpenOnlyWhenItAnswers) {
    const int udp = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(udp, plain, size), 0);
    ::getsockname(udp, plain, &size);
    const ReachTarget silent{.by = "dns", .host = "127.0.0.1", .port = ntohs(address.sin_port)};
    EXPECT_EQ(run({silent}).at(silent.name()), "silent");
    ::close(udp);
    EXPECT_EQ(run({silent}).at(silent.name()), "refused");
}

TEST_F(ReachScript, WhatHasNoAddressIsSaid) {
    const ReachTarget nowhere{.by = "tcp", .host = "none.invalid", .port = 1};
    EXPECT_EQ(run({nowhere}).at(nowhere.name()), "unresolved");
}

}  // namespace
}  // namespace hermesctl::hermes
