// What is read of clusters as k3s, kubeadm and others make them, and what is said about gaps.
#include "hermesctl/hermes/cluster.hpp"

#include "hermesctl/kube/yaml.hpp"
#include "support/fake_api.hpp"
#include "support/recording_reporter.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hermesctl::hermes {
namespace {

using namespace nlohmann::json_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr std::string_view k3s = R"(
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec:
  clusterIP: 10.43.0.10
  clusterIPs: [10.43.0.10]
  selector: {k8s-app: kube-dns}
  ports: [{name: dns, port: 53, protocol: UDP, targetPort: 53}, {name: metrics, port: 9153, targetPort: 9153}]
---
apiVersion: v1
kind: Service
metadata: {name: traefik, namespace: kube-system}
spec: {clusterIP: 10.43.7.7, clusterIPs: [10.43.7.7], externalIPs: [85.10.0.10]}
status: {loadBalancer: {ingress: [{ip: 85.10.0.9}]}}
---
apiVersion: v1
kind: Node
metadata: {name: n, annotations: {k3s.io/node-args: '["server","--cluster-cidr","10.52.0.0/16"]'}}
spec: {podCIDR: 10.42.0.0/24, podCIDRs: [10.42.0.0/24]}
status:
  addresses:
    - {type: InternalIP, address: 192.168.1.20}
    - {type: ExternalIP, address: 85.10.0.7}
    - {type: Hostname, address: n}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
endpoints: [{addresses: [85.10.0.8]}]
)";

class Cluster : public ::testing::Test {
  protected:
    void put(std::string_view yaml) {
        for (const Json& object : kube::parse_yaml(yaml, "test"))
            api_.put(object);
    }
    std::vector<std::string> witnesses() {
        std::vector<std::string> texts;
        for (const Witness& witness : read().witnesses)
            texts.push_back(witness.text());
        return texts;
    }
    ClusterFacts read(const std::string& server = "https://127.0.0.1:6443",
                      const std::vector<std::string>& except = {}) {
        kube::Round round(client_);
        want_cluster(round);
        round.run();
        return cluster_of(round, {server, except, [this](const std::string& name) { return names_[name]; }});
    }

    std::vector<std::string> unread(const std::string& server = "https://127.0.0.1:6443",
                                    const std::vector<std::string>& except = {}) {
        std::vector<std::string> all;
        for (const Gap& gap : read(server, except).gaps)
            all.push_back(gap.what);
        return all;
    }

    testing::FakeClock clock_;
    testing::FakeTransport transport_{clock_};
    testing::FakeApi api_{transport_};
    testing::RecordingReporter reporter_;
    kube::Client client_{transport_, clock_, reporter_};
    std::map<std::string, std::vector<std::string>> names_{};
};

TEST_F(Cluster, ReadsK3s) {
    put(k3s);
    const ClusterFacts facts = read();
    EXPECT_EQ(facts.dns_selector, R"({"k8s-app": "kube-dns"})"_json);
    EXPECT_THAT(facts.dns_addresses, ElementsAre("10.43.0.10"));
    EXPECT_THAT(facts.dns_target_ports, ElementsAre(53));
    EXPECT_THAT(facts.node_addresses, ElementsAre("192.168.1.20", "85.10.0.7"));
    EXPECT_THAT(facts.api_addresses, ElementsAre("85.10.0.8", "127.0.0.1"));
    EXPECT_THAT(facts.pod_ranges, ElementsAre("10.42.0.0/24", "10.52.0.0/16"));
    EXPECT_THAT(facts.service_ranges, ElementsAre("10.43.0.0/16"));
    EXPECT_THAT(facts.balancer_addresses, ElementsAre("85.10.0.9", "85.10.0.10"));
    EXPECT_THAT(facts.gaps, IsEmpty());
    EXPECT_FALSE(facts.incomplete);
}

TEST_F(Cluster, WitnessesAreListenersThatTheCageGoverns) {
    put(k3s);
    EXPECT_THAT(witnesses(), ElementsAre("10.43.0.10:9153"));
    put("{apiVersion: v1, kind: Service, metadata: {name: kubernetes, namespace: default}, spec: {clusterIP: "
        "10.43.0.1}}");
    EXPECT_THAT(witnesses(), ElementsAre("10.43.0.10:9153", "10.43.0.1:443"));
    api_.merge({"EndpointSlice", "default", "kubernetes"},
               {{"endpoints", {{{"addresses", {"192.168.1.20"}}}}}});
    EXPECT_THAT(witnesses(), ElementsAre("10.43.0.10:9153")) << "the pod's own node may be open to it";
}

TEST_F(Cluster, TheApiServerIsAWitnessOnOtherNodesThanItsOwn) {
    put(k3s);
    put("{apiVersion: v1, kind: Service, metadata: {name: kubernetes, namespace: default}, spec: {clusterIP: "
        "10.43.0.1}}");
    put("{apiVersion: v1, kind: Node, metadata: {name: worker}, status: {addresses: [{type: InternalIP, "
        "address: "
        "192.168.1.21}]}}");
    api_.merge({"EndpointSlice", "default", "kubernetes"},
               {{"endpoints", {{{"addresses", {"192.168.1.20"}}}}}});
    const Witness api = read().witnesses.back();
    // All addresses of a node: the endpoint's need not be the one that its pods know it by.
    EXPECT_EQ(api.word(), "10.43.0.1:443/192.168.1.20/85.10.0.7");
    EXPECT_THAT(api.doubt, HasSubstr("own nodes")) << "alone it is not enough";
}

constexpr std::string_view named_dns = R"(
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  clusterIP: 10.96.0.10
  selector: {k8s-app: kube-dns}
  ports: [{port: 53, protocol: UDP, targetPort: dns}, {port: 9153, targetPort: metrics}]
---
apiVersion: v1
kind: Pod
metadata: {name: coredns-1, namespace: kube-system, labels: {k8s-app: kube-dns, hash: a}}
spec: {containers: [{ports: [{name: dns, containerPort: 1053, protocol: UDP},
                             {name: metrics, containerPort: 9253}]}]}
status: {podIP: 10.42.0.3, conditions: [{type: Ready, status: "True"}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: kube-system, labels: {tier: system}}
)";

TEST_F(Cluster, NamedPortsOfTheDnsAreTheNumbersOfItsPods) {
    put(named_dns);
    const ClusterFacts facts = read();
    EXPECT_THAT(facts.dns_target_ports, ElementsAre(1053));
    ASSERT_EQ(facts.witnesses.size(), 1u);
    EXPECT_EQ(facts.witnesses[0].text(), "10.96.0.10:9153");
    EXPECT_EQ(facts.witnesses[0].target_port, 9253);
    EXPECT_THAT(facts.witnesses[0].behind, Contains("10.42.0.3"));
    EXPECT_EQ(facts.dns_namespace_labels, R"({"tier": "system"})"_json);
    api_.deny("list", "pods");
    EXPECT_FALSE(read().dns_port_known);
    EXPECT_TRUE(read().incomplete);
}

TEST_F(Cluster, OtherServicesOfTheDnsHaveWitnessesToo) {
    put(named_dns);
    put(R"(
apiVersion: v1
kind: Service
metadata: {name: coredns-metrics, namespace: kube-system}
spec: {clusterIP: 10.96.0.77, selector: {k8s-app: kube-dns}, ports: [{port: 9154, targetPort: metrics}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless, namespace: kube-system}
spec: {clusterIP: None, selector: {k8s-app: kube-dns}, ports: [{port: 9155}]}
---
apiVersion: v1
kind: Service
metadata: {name: of-others, namespace: kube-system}
spec: {clusterIP: 10.96.0.78, selector: {k8s-app: other}, ports: [{port: 9156}]}
---
apiVersion: v1
kind: Service
metadata: {name: elsewhere, namespace: apps}
spec: {clusterIP: 10.96.0.79, selector: {k8s-app: kube-dns}, ports: [{port: 9157}]}
)");
    EXPECT_THAT(witnesses(), ElementsAre("10.96.0.10:9153", "10.96.0.77:9154"));
    EXPECT_EQ(read().witnesses.at(1).target_port, 9253);
    EXPECT_TRUE(read().witnesses.at(1).of_dns);
}

TEST_F(Cluster, WhetherAWitnessListensIsKnown) {
    put(named_dns);
    EXPECT_EQ(read().witnesses.at(0).doubt, "");
    api_.merge({"Pod", "kube-system", "coredns-1"},
               {{"status", {{"conditions", {{{"type", "Ready"}, {"status", "False"}}}}}}});
    EXPECT_THAT(read().witnesses.at(0).doubt, HasSubstr("no ready pod"));
    api_.deny("list", "pods");
    EXPECT_THAT(read().witnesses.at(0).doubt, HasSubstr("could not be read"));
}

TEST_F(Cluster, ADnsOnItsNodesNetworkIsNoWitness) {
    put(named_dns);
    api_.merge({"Pod", "kube-system", "coredns-1"}, {{"spec", {{"hostNetwork", true}}}});
    EXPECT_THAT(witnesses(), IsEmpty()) << "the pod's own node may be open to it";
}

TEST_F(Cluster, PrefersWhatTheApiServes) {
    put(k3s);
    put("{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: kubernetes}, "
        "spec: {cidrs: [10.96.0.0/12, 'fd00::/108']}}");
    EXPECT_THAT(read().service_ranges, ElementsAre("10.96.0.0/12", "fd00::/108"));
}

TEST_F(Cluster, ReadsWhatKubeadmLeaves) {
    put(R"(
apiVersion: v1
kind: ConfigMap
metadata: {name: kubeadm-config, namespace: kube-system}
data:
  ClusterConfiguration: |
    networking: {serviceSubnet: "11.96.0.0/12,fd00::/108", podSubnet: 11.244.0.0/16}
)");
    const ClusterFacts facts = read();
    EXPECT_THAT(facts.service_ranges, ElementsAre("11.96.0.0/12", "fd00::/108"));
    EXPECT_THAT(facts.pod_ranges, ElementsAre("11.244.0.0/16"));
}

TEST_F(Cluster, FindsDnsUnderOtherNames) {
    put(R"(
apiVersion: v1
kind: Service
metadata: {name: dns-default, namespace: openshift-dns}
spec:
  clusterIP: 172.30.0.10
  selector: {dns.operator.openshift.io/daemonset-dns: default}
  ports: [{name: dns, port: 53, protocol: UDP, targetPort: dns}, {name: dns-tcp, port: 53, targetPort: dns-tcp}]
---
apiVersion: v1
kind: Pod
metadata: {name: x, namespace: openshift-dns, labels: {dns.operator.openshift.io/daemonset-dns: default}}
spec: {containers: [{ports: [{name: dns, containerPort: 5353, protocol: UDP}]},
                    {ports: [{name: dns-tcp, containerPort: 5353, protocol: TCP}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: node-local-dns-x, namespace: kube-system, labels: {k8s-app: node-local-dns}}
)");
    const ClusterFacts facts = read();
    EXPECT_EQ(facts.dns_namespace, "openshift-dns");
    EXPECT_THAT(facts.dns_target_ports, ElementsAre(5353));
    EXPECT_THAT(facts.dns_addresses, UnorderedElementsAre("172.30.0.10", "169.254.20.10"));
}

TEST_F(Cluster, NeverLeavesASilentGap) {
    put(k3s);
    api_.deny("list", "nodes");
    EXPECT_THAT(unread(), ElementsAre("nodes")) << "service addresses are private here";
    EXPECT_TRUE(read().incomplete);
    api_.deny("list", "services");
    api_.deny("list", "endpointslices");
    EXPECT_THAT(unread("https://api.example.com:6443"),
                ElementsAre("services", "nodes", "endpointslices in namespace default", "api.example.com",
                            "service addresses"));
}

TEST_F(Cluster, AllAddressesOfANameAreClosed) {
    put(k3s);
    const std::string server = "https://api.example.com:6443";
    names_["api.example.com"] = {"85.10.0.20", "2a01:4f8::20"};
    EXPECT_THAT(read(server).api_addresses, ElementsAre("85.10.0.8", "85.10.0.20", "2a01:4f8::20"));
    EXPECT_THAT(unread(server), IsEmpty());
    names_.clear();
    EXPECT_THAT(unread(server), ElementsAre("api.example.com"));
    EXPECT_THAT(read(server).gaps.at(0).why, HasSubstr("network.except"));
    EXPECT_THAT(unread(server, {"85.10.0.0/24"}), ElementsAre("api.example.com"));
    EXPECT_THAT(read(server, {"85.10.0.0/24"}).gaps.at(0).why,
                HasSubstr("cannot be told whether network.except covers them"));
    names_["lb.example"] = {"85.10.0.11"};
    api_.merge({"Service", "kube-system", "traefik"},
               {{"status", {{"loadBalancer", {{"ingress", {{{"hostname", "lb.example"}}}}}}}}});
    EXPECT_THAT(unread(), ElementsAre("lb.example"));
    EXPECT_THAT(read().balancer_addresses, ElementsAre("85.10.0.10"))
        << "what it stands for is not looked up";
}

constexpr std::string_view without_ranges = R"(
apiVersion: v1
kind: Node
metadata: {name: n}
status: {addresses: [{type: InternalIP, address: 192.168.1.20}]}
)";

TEST_F(Cluster, UnknownPodRangesAreAGap) {
    put(without_ranges);
    EXPECT_THAT(unread(), Contains("pod addresses")) << "nothing tells";
    EXPECT_THAT(unread("", {"10.0.0.0/8"}), Contains("pod addresses")) << "which may not be theirs";
    put(named_dns);
    EXPECT_THAT(unread(), Not(Contains("pod addresses"))) << "the DNS's pods have private addresses";
    api_.merge({"Pod", "kube-system", "coredns-1"}, {{"status", {{"podIP", "100.0.0.3"}}}});
    EXPECT_THAT(unread(), Contains("pod addresses"));
    EXPECT_THAT(unread("", {"85.10.0.0/24"}), Contains("pod addresses")) << "it has nothing to do with them";
    EXPECT_THAT(unread("", {"100.0.0.0/16"}), Not(Contains("pod addresses")));
    put("{apiVersion: v1, kind: Node, metadata: {name: n}, spec: {podCIDRs: [10.42.0.0/24]}}");
    EXPECT_THAT(unread(), Contains("pod addresses")) << "not of these ranges";
    put("{apiVersion: v1, kind: Node, metadata: {name: n}, spec: {podCIDRs: [100.0.0.0/24]}}");
    EXPECT_THAT(unread(), Not(Contains("pod addresses")));
}

TEST_F(Cluster, PodRangesOfInstallersCountThoughTheApiServesServiceRanges) {
    put(k3s);
    put("{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {name: kubernetes}, "
        "spec: {cidrs: [10.96.0.0/12]}}");
    EXPECT_THAT(read().pod_ranges, ElementsAre("10.42.0.0/24", "10.52.0.0/16"));
}

TEST_F(Cluster, WithoutTheApiForServiceRangesIsComplete) {
    put(k3s);
    api_.fail_always("GET", "ServiceCIDR", testing::refusal(404, "NotFound", "no such resource"));
    EXPECT_FALSE(read().incomplete);
    api_.deny("list", "configmaps");
    EXPECT_TRUE(read().incomplete);
}

TEST_F(Cluster, TellsAboutAnUnknownPublicServiceRange) {
    put("{apiVersion: v1, kind: Service, metadata: {name: kube-dns, namespace: kube-system}, "
        "spec: {clusterIP: 34.118.224.10, clusterIPs: [34.118.224.10], selector: {k8s-app: kube-dns}}}");
    const ClusterFacts facts = read("https://34.1.2.3");
    EXPECT_THAT(facts.service_ranges, ElementsAre("34.118.224.10"));
    EXPECT_THAT(unread("https://34.1.2.3"), ElementsAre("service addresses"));
    EXPECT_THAT(facts.api_addresses, ElementsAre("34.1.2.3"));
    EXPECT_THAT(read("https://[2a01::1]:6443/x").api_addresses, Contains("2a01::1"));
}

}  // namespace
}  // namespace hermesctl::hermes
