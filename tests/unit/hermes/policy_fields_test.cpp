// What the API server refuses of a NetworkPolicy is refused, by its field; what it takes is taken.
#include "hermesctl/hermes/policy_checks.hpp"
#include "hermesctl/kube/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> complaints(const std::string& spec) {
    const auto objects = kube::parse_yaml(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: " + spec, "test");
    return complaints_about_policy(objects.at(0));
}

struct Case {
    const char* spec;
    const char* complaint;
};

TEST(PolicyFields, WhatTheServerRefusesIsNamedByItsField) {
    const Case cases[] = {
        {"{egres: []}", "spec.egres: unknown key 'egres'; did you mean egress?"},
        {"[]", "spec: must be a mapping"},
        {"{egress: {}}", "spec.egress: must be a list"},
        {"{podSelector: all}", "spec.podSelector: must be a mapping"},
        {"{podSelector: {app: a}}", "spec.podSelector.app: unknown key 'app'"},
        {"{podSelector: {matchLabels: {app: 1}}}", "spec.podSelector.matchLabels.app: must be text"},
        {"{policyTypes: [egress]}", R"(spec.policyTypes[0]: "egress" must be Ingress or Egress)"},
        {"{policyTypes: Egress}", "spec.policyTypes: must be a list"},
        {"{egress: [{from: []}]}", "spec.egress[0].from: unknown key 'from'"},
        {"{egress: [{to: {}}]}", "spec.egress[0].to: must be a list"},
        {"{egress: [{to: [{}]}]}", "spec.egress[0].to[0]: must have either an ipBlock or selectors"},
        {"{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}",
         "spec.egress[0].to[0]: must have either an ipBlock or selectors"},
        {"{egress: [{to: [{ipBlock: {}}]}]}", "spec.egress[0].to[0].ipBlock: has no cidr"},
        {"{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}",
         R"(spec.egress[0].to[0].ipBlock.cidr: "10.0.0.0/33" is no address range; one looks like 192.168.0.0/16)"},
        {"{egress: [{to: [{ipBlock: {cidr: 10.0.0.1}}]}]}",
         R"(spec.egress[0].to[0].ipBlock.cidr: "10.0.0.1" is no address range; one looks like 192.168.0.0/16)"},
        {"{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]}",
         R"(spec.ingress[0].from[0].ipBlock.except[0]: "11.0.0.0/16" must be inside of 10.0.0.0/8, and smaller)"},
        {"{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
         R"(spec.egress[0].to[0].ipBlock.except[0]: "10.0.0.0/8" must be inside of 10.0.0.0/8, and smaller)"},
        {"{egress: [{ports: [{port: 99999}]}]}",
         "spec.egress[0].ports[0].port: 99999 must be a number from 1 to 65535"},
        {"{egress: [{ports: [{port: '443'}]}]}",
         R"(spec.egress[0].ports[0].port: "443" must be a port's number, without quotes, or its name)"},
        {"{egress: [{ports: [{protocol: tcp}]}]}",
         R"(spec.egress[0].ports[0].protocol: "tcp" must be TCP, UDP or SCTP)"},
        {"{egress: [{ports: [{port: 443, endPort: 80}]}]}",
         "spec.egress[0].ports[0].endPort: needs a port by number, and must not be below it"},
        {"{egress: [{ports: [{port: web, endPort: 80}]}]}",
         "spec.egress[0].ports[0].endPort: needs a port by number, and must not be below it"},
        {"{egress: [{ports: [{endPort: 80}]}]}",
         "spec.egress[0].ports[0].endPort: needs a port by number, and must not be below it"},
        {"{podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}}",
         R"(spec.podSelector.matchExpressions[0].operator: "in" must be In, NotIn, Exists or DoesNotExist)"},
        {"{podSelector: {matchExpressions: [{key: a, operator: In}]}}",
         "spec.podSelector.matchExpressions[0]: must have values with In and NotIn, and none otherwise"},
        {"{podSelector: {matchExpressions: [{operator: Exists}]}}",
         "spec.podSelector.matchExpressions[0]: has no key"},
    };
    for (const Case& one : cases) {
        const auto found = complaints(one.spec);
        ASSERT_FALSE(found.empty()) << one.spec;
        EXPECT_EQ(found.front(), std::string("networkpolicy/a: ") + one.complaint) << one.spec;
    }
    EXPECT_THAT(complaints("{ingres: [], egres: []}"), SizeIs(2));
}

TEST(PolicyFields, WhatTheServerTakesIsTaken) {
    for (const char* spec : {
             "{podSelector: {}}",
             "{podSelector: null, ingress: null, egress: [{}], policyTypes: [Ingress, Egress]}",
             "{egress: [{to: null, ports: [{}, {port: 53, protocol: UDP}, {port: 1, endPort: 1}]}]}",
             "{egress: [{to: [{ipBlock: {cidr: 10.1.2.3/8, except: [10.9.9.9/16]}}, {podSelector: {}}]}]}",
             "{egress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {a: b}}}]}]}",
             "{ingress: [{from: [{ipBlock: {cidr: '::/0', except: ['fd00::/8']}}], ports: [{port: "
             "dns-tcp}]}]}",
             "{podSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b]}, {key: c, operator: "
             "Exists}]}}",
         })
        EXPECT_THAT(complaints(spec), IsEmpty()) << spec;
}

TEST(PolicyFields, ALivePolicyAndOtherObjectsAreTaken) {
    const auto objects = kube::parse_yaml(R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: a
  namespace: b
  uid: c
  resourceVersion: "1"
  generation: 1
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels: {app.kubernetes.io/name: a}
  annotations: {meta.helm.sh/release-name: a}
  ownerReferences: [{apiVersion: v1, kind: Pod, name: a, uid: c}]
  managedFields: [{manager: helm, fieldsV1: {}}]
spec: {podSelector: {}}
status: {}
---
apiVersion: crd.projectcalico.org/v1
kind: NetworkPolicy
metadata: {name: a}
spec: {order: 1}
---
kind: Pod
metadata: {name: a}
spec: 1
)",
                                          "test");
    for (const kube::Json& object : objects)
        EXPECT_THAT(complaints_about_policy(object), IsEmpty()) << object;
}

}  // namespace
}  // namespace hermesctl::hermes
