// Paths of the kinds that are used.
#include "hermesctl/kube/kinds.hpp"

#include <set>
#include <stdexcept>

#include <gtest/gtest.h>

namespace hermesctl::kube {
namespace {

TEST(Kinds, PathsOfTheCoreGroup) {
    EXPECT_EQ(collection_path(kind_of("Pod"), "hermes"), "/api/v1/namespaces/hermes/pods");
    EXPECT_EQ(object_path({"Namespace", "", "hermes"}), "/api/v1/namespaces/hermes");
}

TEST(Kinds, PathsOfOtherGroups) {
    EXPECT_EQ(object_path({"Deployment", "hermes", "hermes"}),
              "/apis/apps/v1/namespaces/hermes/deployments/hermes");
    EXPECT_EQ(collection_path(kind_of("Lease"), "n"), "/apis/coordination.k8s.io/v1/namespaces/n/leases");
}

TEST(Kinds, NoNamespaceMeansAllOfThem) {
    EXPECT_EQ(collection_path(kind_of("Deployment"), ""), "/apis/apps/v1/deployments");
}

TEST(Kinds, ANamespaceIsNoPartOfAClusterWidePath) {
    EXPECT_EQ(collection_path(kind_of("Node"), "hermes"), "/api/v1/nodes");
}

TEST(Kinds, NamesAreEncoded) {
    EXPECT_EQ(object_path({"Pod", "a/b", "c?d"}), "/api/v1/namespaces/a%2Fb/pods/c%3Fd");
}

TEST(Kinds, GroupIsWhatStandsBeforeTheVersion) {
    EXPECT_EQ(group_of(kind_of("Pod")), "");
    EXPECT_EQ(group_of(kind_of("ClusterRoleBinding")), "rbac.authorization.k8s.io");
}

TEST(Kinds, EachStandsInTheTableOnce) {
    std::set<std::string_view> names;
    for (const Kind& kind : kinds()) {
        EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
        EXPECT_EQ(&kind_of(kind.name), &kind);
    }
}

TEST(Kinds, AnUnknownKindIsAMistakeInTheProgram) {
    EXPECT_THROW(kind_of("Gadget"), std::logic_error);
}

}  // namespace
}  // namespace hermesctl::kube
