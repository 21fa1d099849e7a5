// What policies mean: each case of cases.json asks who may speak to whom.
package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// The stage: pods in two namespaces, with a port named `http` (8080 in east, 8081 in west), and the outside.
var stage = map[string]struct{ ip, labels string }{
	"east/web":    {"10.42.0.11", "app=web,tier=front"},
	"east/client": {"10.42.0.12", "app=client"},
	"west/web":    {"10.42.0.21", "app=web"},
	"west/client": {"10.42.0.22", "app=client"},
	"lan":         {"192.168.50.10", ""},
	"lan2":        {"192.168.50.200", ""},
	"internet":    {"8.8.8.8", ""},
	"node":        {"192.168.50.1", ""},
}

func testCluster(t *testing.T, policies ...string) Cluster {
	t.Helper()
	cluster := Cluster{}
	for _, name := range []string{"east", "west"} {
		labels := map[string]string{"kubernetes.io/metadata.name": name}
		meta := metav1.ObjectMeta{Name: name, Labels: labels}
		cluster.Namespaces = append(cluster.Namespaces, &corev1.Namespace{ObjectMeta: meta})
	}
	for name, each := range stage {
		if each.labels == "" {
			continue
		}
		cluster.Pods = append(cluster.Pods, testPod(name, each.ip, each.labels))
	}
	for _, text := range policies {
		name := fmt.Sprintf("p%d", len(cluster.Policies))
		policy := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "east"}}
		if err := yaml.UnmarshalStrict([]byte(text), &policy.Spec); err != nil {
			t.Fatal(err)
		}
		cluster.Policies = append(cluster.Policies, policy)
	}
	return cluster
}

func testPod(name, ip, labels string) *corev1.Pod {
	namespace, short, _ := strings.Cut(name, "/")
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.Labels = short, namespace, map[string]string{}
	for _, label := range strings.Split(labels, ",") {
		key, value, _ := strings.Cut(label, "=")
		pod.Labels[key] = value
	}
	number := map[string]int32{"east": 8080, "west": 8081}[namespace]
	pod.Spec.NodeName = "here"
	ports := []corev1.ContainerPort{{Name: "http", ContainerPort: number}}
	pod.Spec.Containers = []corev1.Container{{Ports: ports}}
	pod.Status.PodIPs = []corev1.PodIP{{IP: ip}}
	return pod
}

// passes follows a packet the way the kernel does: out of the one pod's rules, into the other's.
func passes(rules []PodRules, from, to netip.Addr, port string) bool {
	for _, pod := range rules {
		for _, address := range pod.IPs {
			if address == from && pod.Egress != nil && !allowed(pod.Egress, to, port) {
				return false
			}
			if address == to && pod.Ingress != nil && !allowed(pod.Ingress, from, port) {
				return false
			}
		}
	}
	return true
}

func allowed(direction *Direction, peer netip.Addr, port string) bool {
	for _, rule := range direction.Rules {
		if hasPeer(rule, peer) && (rule.AnyPort || hasPort(rule, port)) {
			return true
		}
	}
	return false
}

func hasPeer(rule Rule, peer netip.Addr) bool {
	found := rule.AnyPeer
	for _, address := range rule.Addrs {
		found = found || address == peer
	}
	for _, block := range rule.Blocks {
		inside := block.CIDR.Contains(peer)
		for _, except := range block.Except {
			inside = inside && !except.Contains(peer)
		}
		found = found || inside
	}
	return found
}

func hasPort(rule Rule, port string) bool {
	var number uint16
	protocol, digits, _ := strings.Cut(port, "/")
	if _, err := fmt.Sscan(digits, &number); err != nil {
		panic(err)
	}
	for _, each := range rule.Ports {
		if strings.EqualFold(string(each.Protocol), protocol) && each.First <= number && number <= each.Last {
			return true
		}
	}
	return false
}

func addressOf(name string) netip.Addr {
	if pod, ok := stage[name]; ok {
		name = pod.ip
	}
	return netip.MustParseAddr(name)
}

// Case is one of cases.json, which the judge plays with real packets: policies are in namespace east,
// a flow is "from to protocol/port yes|no".
type Case struct {
	Name     string
	Policies []string
	Flows    []string
}

func readCases(t *testing.T) []Case {
	t.Helper()
	content, err := os.ReadFile("cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	if err := json.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestFlows(t *testing.T) {
	for _, each := range readCases(t) {
		t.Run(each.Name, func(t *testing.T) {
			rules := Compile(testCluster(t, each.Policies...), "here")
			for _, flow := range each.Flows {
				part := strings.Fields(flow)
				// what the node itself sends meets no rule
				from, to := addressOf(part[0]), addressOf(part[1])
				got := part[0] == "node" || passes(rules, from, to, part[2])
				if got != (part[3] == "yes") {
					t.Errorf("%s: passes %v", flow, got)
				}
			}
		})
	}
}

func TestWhoIsPoliced(t *testing.T) {
	cluster := testCluster(t, "podSelector: {}\ningress: [{from: [{podSelector: {}}]}]")
	for _, pod := range cluster.Pods {
		switch pod.Namespace + "/" + pod.Name {
		case "east/web":
			pod.Spec.HostNetwork = true
		case "east/client":
			pod.Status.Phase = corev1.PodSucceeded
		}
	}
	elsewhere := testPod("east/elsewhere", "10.42.1.5", "app=web")
	waiting := testPod("east/waiting", "10.42.0.9", "app=web")
	elsewhere.Spec.NodeName = "there"
	waiting.Status.PodIPs = nil
	cluster.Pods = append(cluster.Pods, elsewhere, waiting, testPod("east/one", "10.42.0.13", "app=web"))
	rules := Compile(cluster, "here")
	if len(rules) != 1 || rules[0].Pod != "east/one" {
		t.Fatalf("policed: %v", rules)
	}
	peers := rules[0].Ingress.Rules[0].Addrs
	if len(peers) != 2 || peers[0].String() != "10.42.1.5" {
		t.Errorf("peers: %v", peers)
	}
	if all := Compile(cluster, ""); len(all) != 2 {
		t.Errorf("on all nodes: %v", all)
	}
}
