// Reading values out of objects, whatever shape they have.
#include "hermesctl/kube/object.hpp"

#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

const Json pod = Json::parse(R"({"kind":"Pod","metadata":{"name":"hermes-0","namespace":"hermes",
    "annotations":{"a/b~c":"yes"}},"spec":{"containers":[{"name":"agent","tty":true},{"name":"side"}],
    "replicas":3}})");

TEST(Object, IsNamedByKindNamespaceAndName) {
    EXPECT_EQ(ref_of(pod), (Ref{"Pod", "hermes", "hermes-0"}));
    EXPECT_EQ(ref_of(Json::object()), Ref{});
}

TEST(Object, TitleIsKindInLowerCaseAndName) {
    EXPECT_EQ(title({"NetworkPolicy", "hermes", "hermes-egress"}), "networkpolicy/hermes-egress");
}

TEST(Object, PointersReachMembersAndItems) {
    EXPECT_EQ(text_at(pod, "/spec/containers/1/name"), "side");
    EXPECT_EQ(int_at(pod, "/spec/replicas"), 3);
    EXPECT_TRUE(bool_at(pod, "/spec/containers/0/tty"));
    EXPECT_EQ(at(pod, ""), pod);
}

TEST(Object, WhatIsNotThereIsNull) {
    for (const char* pointer : {"/spec/nothing", "/spec/containers/2", "/spec/containers/-",
                                "/spec/containers/x", "/kind/deeper", "/spec/containers/1x", "spec", "//"}) {
        EXPECT_TRUE(at(pod, pointer).is_null()) << pointer;
    }
}

TEST(Object, AWrongTypeGivesTheFallback) {
    EXPECT_EQ(text_at(pod, "/spec/replicas", "none"), "none");
    EXPECT_EQ(int_at(pod, "/kind", 7), 7);
    EXPECT_TRUE(bool_at(pod, "/kind", true));
}

TEST(Object, KeysWithSlashesAreEscaped) {
    EXPECT_EQ(escape_pointer("a/b~c"), "a~1b~0c");
    EXPECT_EQ(text_at(pod, "/metadata/annotations/" + escape_pointer("a/b~c")), "yes");
}

}  // namespace
}  // namespace hermesctl::kube
