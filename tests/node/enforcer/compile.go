// From policies, pods and namespaces to rules: a pure function, so that it can be tested as a table.
package main

import (
	"net/netip"
	"sort"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Cluster is what the rules are made from.
type Cluster struct {
	Policies   []*networkingv1.NetworkPolicy
	Pods       []*corev1.Pod
	Namespaces []*corev1.Namespace
}

// Compile gives the rules of every isolated pod on the node ("": on all), in a stable order.
func Compile(cluster Cluster, node string) []PodRules {
	policies := append([]*networkingv1.NetworkPolicy(nil), cluster.Policies...)
	sort.Slice(policies, func(i, j int) bool {
		return policies[i].Namespace+"/"+policies[i].Name < policies[j].Namespace+"/"+policies[j].Name
	})
	peers := newPeers(cluster)
	var compiled []PodRules
	for _, pod := range peers.pods {
		if node != "" && pod.Spec.NodeName != node {
			continue
		}
		rules := PodRules{Pod: pod.Namespace + "/" + pod.Name, IPs: addresses(pod)}
		for _, policy := range policies {
			if policy.Namespace == pod.Namespace && selects(&policy.Spec.PodSelector, pod.Labels) {
				rules.add(policy, pod, peers)
			}
		}
		if rules.Ingress != nil || rules.Egress != nil {
			compiled = append(compiled, rules)
		}
	}
	return compiled
}

// add makes the union: policies can only allow more.
func (r *PodRules) add(policy *networkingv1.NetworkPolicy, pod *corev1.Pod, peers peers) {
	ingress, egress := directions(policy)
	if ingress && r.Ingress == nil {
		r.Ingress = &Direction{}
	}
	if egress && r.Egress == nil {
		r.Egress = &Direction{}
	}
	if ingress {
		for _, rule := range policy.Spec.Ingress {
			to := peers.find(rule.From, policy.Namespace)
			r.Ingress.Rules = append(r.Ingress.Rules, withPorts(to, rule.Ports, []*corev1.Pod{pod})...)
		}
	}
	if egress {
		for _, rule := range policy.Spec.Egress {
			to := peers.find(rule.To, policy.Namespace)
			r.Egress.Rules = append(r.Egress.Rules, egressRules(to, rule.Ports, peers)...)
		}
	}
}

// directions applies the default: Ingress always, Egress if the policy has such rules.
func directions(policy *networkingv1.NetworkPolicy) (ingress, egress bool) {
	if len(policy.Spec.PolicyTypes) == 0 {
		return true, len(policy.Spec.Egress) > 0
	}
	for _, kind := range policy.Spec.PolicyTypes {
		ingress = ingress || kind == networkingv1.PolicyTypeIngress
		egress = egress || kind == networkingv1.PolicyTypeEgress
	}
	return ingress, egress
}

func selects(selector *metav1.LabelSelector, set map[string]string) bool {
	// the API server refuses a selector that does not parse; one that still comes selects nothing
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(labels.Set(set))
}

func addresses(pod *corev1.Pod) []netip.Addr {
	var found []netip.Addr
	for _, each := range pod.Status.PodIPs {
		if address, err := netip.ParseAddr(each.IP); err == nil {
			found = append(found, address)
		}
	}
	return found
}
