// manifests/reach.py against listeners on loopback, and in a network of its own.
#include "hermesctl/base/process.hpp"
#include "hermesctl/hermes/live_proof.hpp"
#include "support/answering_socket.hpp"
#include "support/loopback_socket.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace hermesctl::hermes {
namespace {

using Socket = hermesctl::testing::LoopbackSocket;
using testing::AnsweringSocket;
using ::testing::HasSubstr;

using Words = std::vector<std::string>;
const std::string script = SOURCE_DIR "/manifests/reach.py";

class ReachScript : public ::testing::Test {
  protected:
    /// What reach.py prints; `python` are the words before its own arguments.
    static std::string print(const std::vector<ReachTarget>& targets, Words python) {
        Json list = Json::array();
        for (const ReachTarget& target : targets)
            list.push_back(
                {{"name", target.name()}, {"by", target.by}, {"host", target.host}, {"port", target.port}});
        python.insert(python.end(), {"1", list.dump()});
        return run_process({.argv = std::move(python)}).value().output;
    }
    static Reached run(const std::vector<ReachTarget>& targets) {
        return parse_reached(print(targets, {"/usr/bin/python3", "-I", "-S", script}), targets).value();
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
    for (const char* by : {"dns", "ntp"}) {
        std::optional<Socket> udp(std::in_place, SOCK_DGRAM);
        const ReachTarget target{.by = by, .host = "127.0.0.1", .port = udp->port()};
        EXPECT_EQ(run({target}).at(target.name()), "silent") << by;
        udp.reset();
        EXPECT_EQ(run({target}).at(target.name()), "refused") << by;
    }
}

/// Servers answer what is asked in their own way alone.
TEST_F(ReachScript, NameAndTimeServersUnderstandWhatTheyAreAsked) {
    const AnsweringSocket time_server([](std::string_view asked) {
        const bool of_a_client = asked.size() == 48 && asked[0] == '\x23';  // version 4
        return of_a_client ? std::string(asked) : "";
    });
    const AnsweringSocket name_server([](std::string_view asked) {
        constexpr std::string_view one_question("\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 10);
        const bool asks =
            asked.substr(2, 10) == one_question && asked.ends_with(std::string_view("\0\0\1\0\1", 5));
        return asks ? std::string(asked) : "";
    });
    const ReachTarget ntp{.by = "ntp", .host = "127.0.0.1", .port = time_server.port()};
    const ReachTarget dns{.by = "dns", .host = "127.0.0.1", .port = name_server.port()};
    EXPECT_EQ(run({ntp}).at(ntp.name()), "open");
    EXPECT_EQ(run({dns}).at(dns.name()), "open");
}

/// The mapped address wants a socket of IPv6, and no such network on this machine.
TEST_F(ReachScript, AnAddressOfIpv6IsTriedAsOne) {
    const ReachTarget target{.by = "tcp", .host = "::ffff:127.0.0.1", .port = tcp_.port()};
    EXPECT_EQ(run({target}).at(target.name()), "refused");
    tcp_.listen();
    EXPECT_EQ(run({target}).at(target.name()), "open");
}

TEST_F(ReachScript, TheGatewayIsThatOfTheDefaultRoute) {
    const std::string head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n";
    const std::string on_link = "eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\n";
    const std::string elsewhere = "eth0\t0000000A\t0200007F\t0003\t0\t0\t0\t000000FF\n";
    const std::string by_router = "eth0\t00000000\t0100007F\t0003\t0\t0\t0\t00000000\n";
    const ReachTarget target{.by = "tcp", .host = "gateway", .port = tcp_.port()};
    tcp_.listen();
    const auto print_with = [&](const std::string& table) {
        const std::string wrapped = fmt::format(R"(import builtins, io
real = builtins.open
builtins.open = lambda path, *more: io.StringIO({}) if path == "/proc/net/route" else real(path, *more)
exec(real("{}").read()))",
                                                Json(table).dump(), script);
        return print({target}, {"/usr/bin/python3", "-I", "-S", "-c", wrapped});
    };
    const std::string found = print_with(head + on_link + elsewhere + by_router);
    EXPECT_THAT(found, HasSubstr(R"("gateway": ["127.0.0.1"])"));
    EXPECT_EQ(parse_reached(found, {target}).value().at(target.name()), "open");
    const std::string none = print_with(head + on_link + elsewhere);
    EXPECT_EQ(parse_reached(none, {target}).value().at(target.name()), "unresolved");
}

/// In a network of its own, where the groups of `range` may have a socket for ICMP.
class ReachScriptPing : public ReachScript {
  protected:
    static Words namespace_words(const std::string& range) {
        Words words{"/usr/bin/unshare", "--net"};
        if (::geteuid() != 0) words.insert(words.end(), {"--user", "--map-current-user", "--keep-caps"});
        words.insert(
            words.end(),
            {"sh", "-c", "ip link set lo up && echo $0 >/proc/sys/net/ipv4/ping_group_range && exec \"$@\"",
             range});
        return words;
    }
    static std::string how(const std::string& range) {
        const ReachTarget target{.by = "icmp", .host = "127.0.0.1"};
        Words python = namespace_words(range);
        python.insert(python.end(), {"/usr/bin/python3", "-I", "-S", script});
        return parse_reached(print({target}, python), {target}).value().at(target.name());
    }
    void SetUp() override {
        Words words = namespace_words("1 0");
        words.emplace_back("true");
        if (run_process({.argv = words}).value().exit_code != 0)
            GTEST_SKIP() << "no network namespace can be made here";
    }
};

TEST_F(ReachScriptPing, IcmpIsOpenToTheGroupsThatMayAndDeniedToOthers) {
    constexpr gid_t nobody = 65534;  // reach.py's, when it is started by root
    const gid_t group = ::geteuid() == 0 ? nobody : ::getegid();
    EXPECT_EQ(how(fmt::format("{0} {0}", group)), "open");
    EXPECT_EQ(how("1 0"), "denied");
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
