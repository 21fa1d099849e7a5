// Who the `from` and `to` of a rule mean.
package main

import (
	"net/netip"
	"sort"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// peers are the pods that can be one: running, with an address of their own. A host-network pod is its node.
type peers struct {
	pods   []*corev1.Pod
	labels map[string]map[string]string // of namespaces
}

// matched is what the peers of one rule come to.
type matched struct {
	any    bool
	pods   []*corev1.Pod
	blocks []Block
}

func newPeers(cluster Cluster) peers {
	found := peers{labels: map[string]map[string]string{}}
	for _, namespace := range cluster.Namespaces {
		found.labels[namespace.Name] = namespace.Labels
	}
	for _, pod := range cluster.Pods {
		over := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if !pod.Spec.HostNetwork && !over && len(addresses(pod)) > 0 {
			found.pods = append(found.pods, pod)
		}
	}
	sort.Slice(found.pods, func(i, j int) bool {
		return found.pods[i].Namespace+"/"+found.pods[i].Name < found.pods[j].Namespace+"/"+found.pods[j].Name
	})
	return found
}

func (p peers) find(specified []networkingv1.NetworkPolicyPeer, namespace string) matched {
	result := matched{any: len(specified) == 0}
	for i := range specified {
		if block := specified[i].IPBlock; block != nil {
			result.addBlock(block)
			continue
		}
		for _, pod := range p.pods {
			if p.matches(&specified[i], namespace, pod) {
				result.pods = append(result.pods, pod)
			}
		}
	}
	return result
}

func (p peers) matches(peer *networkingv1.NetworkPolicyPeer, namespace string, pod *corev1.Pod) bool {
	if peer.NamespaceSelector == nil && pod.Namespace != namespace {
		return false
	}
	if peer.NamespaceSelector != nil && !selects(peer.NamespaceSelector, p.labels[pod.Namespace]) {
		return false
	}
	return peer.PodSelector == nil || selects(peer.PodSelector, pod.Labels)
}

func (m *matched) addBlock(block *networkingv1.IPBlock) {
	cidr, err := netip.ParsePrefix(block.CIDR)
	if err != nil {
		return
	}
	added := Block{CIDR: cidr.Masked()}
	for _, text := range block.Except {
		except, err := netip.ParsePrefix(text)
		if err != nil {
			return // an exception that cannot be read must not open what it closes
		}
		added.Except = append(added.Except, except.Masked())
	}
	m.blocks = append(m.blocks, added)
}

func (m matched) empty() bool {
	return !m.any && len(m.pods) == 0 && len(m.blocks) == 0
}

func (m matched) rule() Rule {
	made := Rule{AnyPeer: m.any, Blocks: m.blocks}
	for _, pod := range m.pods {
		made.Addrs = append(made.Addrs, addresses(pod)...)
	}
	return made
}
