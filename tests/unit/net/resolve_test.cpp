#include "hermesctl/net/resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::net {
namespace {

TEST(AddressesOf, AreWhatANameStandsFor) {
    EXPECT_THAT(addresses_of("localhost"), ::testing::Contains(::testing::AnyOf("127.0.0.1", "::1")));
    EXPECT_THAT(addresses_of("192.0.2.7"), ::testing::ElementsAre("192.0.2.7"));
    EXPECT_THAT(addresses_of("not a name"), ::testing::IsEmpty());
}

}  // namespace
}  // namespace hermesctl::net
