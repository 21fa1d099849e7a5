#include "hermesctl/hermes/traffic.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Ports tcp(int first, int last) {
    return Ports::of(Protocol::tcp, first, last);
}

std::string example(const Traffic& traffic) {
    const auto packet = traffic.example();
    return packet ? packet->text() : "";
}

TEST(PortSets, UniteIntersectAndDiffer) {
    const Ports web = tcp(80, 80) | tcp(443, 443);
    EXPECT_EQ(web.text(), "TCP 80, 443");
    EXPECT_EQ((web | tcp(81, 442)).text(), "TCP 80-443");
    EXPECT_EQ((web & tcp(0, 100)).text(), "TCP 80");
    EXPECT_EQ((tcp(1, 10) - tcp(4, 6)).text(), "TCP 1-3, 7-10");
    EXPECT_TRUE((web - Ports::of(Protocol::tcp)).empty());
    EXPECT_EQ(web - Ports::of(Protocol::udp), web);
    EXPECT_EQ(Ports::all().text(), "TCP every port, UDP every port, SCTP every port");
    EXPECT_EQ((tcp(65535, 65535) | Ports::of(Protocol::udp, 0, 0)).text(), "TCP 65535, UDP 0");
}

TEST(TrafficSets, LessTheirExceptions) {
    const Traffic some = Traffic("10.0.0.0/30", tcp(80, 80)) - Traffic("10.0.0.2/32", Ports::all());
    EXPECT_THAT(some.text(), ElementsAre("TCP 80 to 10.0.0.0/31, 10.0.0.3/32"));
    EXPECT_TRUE((some & Traffic("10.0.0.2", Ports::all())).empty());
    EXPECT_EQ(some | Traffic("10.0.0.2", tcp(80, 80)), Traffic("10.0.0.0/30", tcp(80, 80)));
    EXPECT_EQ(Traffic("10.0.0.7/30", tcp(1, 1)), Traffic("10.0.0.4/30", tcp(1, 1)))
        << "bits after the prefix";
    EXPECT_TRUE(Traffic("nas.example", Ports::all()).empty());
}

TEST(TrafficSets, KeepTheFamiliesApart) {
    const Traffic all{Ports::all()};
    EXPECT_EQ(all, Traffic("0.0.0.0/0", Ports::all()) | Traffic("::/0", Ports::all()));
    EXPECT_EQ(all - Traffic("0.0.0.0/0", Ports::all()), Traffic("::/0", Ports::all()));
    EXPECT_THAT(all.text(),
                ElementsAre("TCP every port, UDP every port, SCTP every port to 0.0.0.0/0, ::/0"));
    EXPECT_THAT((Traffic("255.255.255.255", tcp(1, 1)) | Traffic("::", tcp(1, 1))).text(),
                ElementsAre("TCP 1 to 255.255.255.255/32, ::/128"));
    const Traffic last("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", tcp(1, 1));
    EXPECT_THAT(last.text(), ElementsAre("TCP 1 to ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"));
    EXPECT_TRUE((last & Traffic("::/1", Ports::all())).empty());
}

TEST(TrafficSets, ReadAsFewRanges) {
    const Traffic some = Traffic("1.0.0.0/8", tcp(80, 80)) | Traffic("2.0.0.0/7", tcp(80, 80)) |
                         Traffic("9.0.0.0/8", tcp(443, 443));
    EXPECT_THAT(some.text(), ElementsAre("TCP 80 to 1.0.0.0/8, 2.0.0.0/7", "TCP 443 to 9.0.0.0/8"));
    const Traffic holed = Traffic("10.0.0.0/8", tcp(80, 80)) - Traffic("10.0.0.0/32", Ports::all());
    EXPECT_THAT(holed.text(), ElementsAre("TCP 80 to 10.0.0.1-10.255.255.255"));
    EXPECT_THAT(Traffic().text(), IsEmpty());
}

TEST(TrafficSets, NameAllTheirRangesWhateverThePort) {
    const Traffic some = Traffic("::1", tcp(1, 1)) | Traffic("2.0.0.0/8", tcp(443, 443)) |
                         Traffic("3.0.0.0/8", tcp(80, 80)) | Traffic("10.0.0.1/32", tcp(80, 80)) |
                         Traffic("10.0.0.2/31", tcp(80, 80)) | Traffic("10.0.0.4/30", tcp(80, 80));
    EXPECT_THAT(some.ranges(),
                ElementsAre("2.0.0.0/7", "10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/30", "::1/128"));
    EXPECT_THAT(Traffic(Ports::all()).ranges(), ElementsAre("0.0.0.0/0", "::/0"));
    EXPECT_THAT(Traffic().ranges(), IsEmpty());
}

TEST(TrafficSets, ShowOnePacketOfThem) {
    EXPECT_EQ(example(Traffic("192.168.0.0/16", Ports::all())), "TCP 192.168.0.1:1");
    EXPECT_EQ(example(Traffic("192.168.1.5", Ports::of(Protocol::udp, 53, 53))), "UDP 192.168.1.5:53");
    EXPECT_EQ(example(Traffic("fd00::/8", tcp(443, 443))), "TCP [fd00::1]:443");
    EXPECT_EQ(example(Traffic("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", tcp(9, 9))),
              "TCP [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:9");
    EXPECT_EQ(example(Traffic()), "");
}

}  // namespace
}  // namespace hermesctl::hermes
