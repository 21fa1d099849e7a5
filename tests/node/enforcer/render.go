// From rules to one nftables table of our own, replaced as a whole in one transaction.
package main

import (
	"fmt"
	"net/netip"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/knftables"
)

const table = "policy_agent"

// Render fills the transaction. Destination NAT comes before these hooks: rules see pods and not services.
func Render(tx *knftables.Transaction, pods []PodRules, bridge string) {
	tx.Add(&knftables.Table{})
	tx.Delete(&knftables.Table{})
	tx.Add(&knftables.Table{})
	from, to := map[netip.Addr]string{}, map[netip.Addr]string{}
	for i, pod := range pods {
		if pod.Egress != nil {
			chain := fmt.Sprintf("egress-%d", i)
			renderDirection(tx, chain, pod, pod.Egress, "daddr")
			register(from, pod, chain)
		}
		if pod.Ingress != nil {
			chain := fmt.Sprintf("ingress-%d", i)
			renderDirection(tx, chain, pod, pod.Ingress, "saddr")
			register(to, pod, chain)
		}
	}
	// what the node itself sends to its pods goes by neither hook: the kubelet's probes always pass
	hook(tx, "forward", knftables.ForwardHook)
	dispatch(tx, "forward", "iifname", bridge, "saddr", from)
	dispatch(tx, "forward", "oifname", bridge, "daddr", to)
	hook(tx, "input", knftables.InputHook)
	dispatch(tx, "input", "iifname", bridge, "saddr", from)
}

func hook(tx *knftables.Transaction, name string, at knftables.BaseChainHook) {
	tx.Add(&knftables.Chain{
		Name:     name,
		Type:     knftables.PtrTo(knftables.FilterType),
		Hook:     knftables.PtrTo(at),
		Priority: knftables.PtrTo(knftables.FilterPriority),
	})
	add(tx, name, "ct state established,related accept")
	add(tx, name, "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept")
}

// dispatch jumps to the chain of the pod that the packet comes from or goes to.
func dispatch(tx *knftables.Transaction, chain, side, bridge, field string, pods map[netip.Addr]string) {
	for _, family := range []string{"ip", "ip6"} {
		var elements []string
		for address, target := range pods {
			if familyOf(address) == family {
				elements = append(elements, fmt.Sprintf("%s : jump %s", address, target))
			}
		}
		if len(elements) > 0 {
			sort.Strings(elements)
			match := fmt.Sprintf("%s %q %s %s", side, bridge, family, field)
			add(tx, chain, match+" vmap { "+strings.Join(elements, ", ")+" }")
		}
	}
}

func register(chains map[netip.Addr]string, pod PodRules, chain string) {
	for _, address := range pod.IPs {
		chains[address] = chain
	}
}

// renderDirection returns for what is allowed, so that the other pod's chain has its say, and refuses the
// rest at once: a client sees "refused" and not a silence.
func renderDirection(tx *knftables.Transaction, chain string, pod PodRules, to *Direction, field string) {
	tx.Add(&knftables.Chain{Name: chain, Comment: knftables.PtrTo(comment(pod.Pod))})
	for _, match := range addressMatches(field, pod.IPs) {
		add(tx, chain, match+" return") // a pod cannot be cut off from itself
	}
	for _, rule := range to.Rules {
		for _, peer := range peerMatches(field, rule) {
			for _, port := range portMatches(rule) {
				add(tx, chain, strings.TrimSpace(peer+" "+port)+" return")
			}
		}
	}
	add(tx, chain, "meta l4proto tcp counter reject with tcp reset")
	add(tx, chain, "counter reject with icmpx port-unreachable")
}

func add(tx *knftables.Transaction, chain, rule string) {
	tx.Add(&knftables.Rule{Chain: chain, Rule: strings.TrimSpace(rule)})
}

func comment(text string) string {
	return text[:min(len(text), knftables.CommentLengthMax)]
}

// peerMatches gives one match per way to be a peer; an empty one matches everybody.
func peerMatches(field string, rule Rule) []string {
	if rule.AnyPeer {
		return []string{""}
	}
	matches := addressMatches(field, rule.Addrs)
	for _, block := range rule.Blocks {
		family := familyOf(block.CIDR.Addr())
		match := fmt.Sprintf("%s %s %s", family, field, block.CIDR)
		if block.CIDR.Bits() == 0 {
			match = map[string]string{"ip": "meta nfproto ipv4", "ip6": "meta nfproto ipv6"}[family]
		}
		if except := outermost(block.Except); len(except) > 0 {
			match += fmt.Sprintf(" %s %s != { %s }", family, field, strings.Join(except, ", "))
		}
		matches = append(matches, match)
	}
	return matches
}

func addressMatches(field string, addresses []netip.Addr) []string {
	byFamily := map[string][]string{}
	seen := map[netip.Addr]bool{}
	for _, address := range addresses {
		if !seen[address] {
			seen[address] = true
			byFamily[familyOf(address)] = append(byFamily[familyOf(address)], address.String())
		}
	}
	var matches []string
	for _, family := range []string{"ip", "ip6"} {
		if list := byFamily[family]; len(list) > 0 {
			sort.Strings(list)
			matches = append(matches, fmt.Sprintf("%s %s { %s }", family, field, strings.Join(list, ", ")))
		}
	}
	return matches
}

// outermost leaves out what lies inside another exception: nftables takes no overlapping intervals.
func outermost(prefixes []netip.Prefix) []string {
	var kept []string
	for i, prefix := range prefixes {
		covered := false
		for j, other := range prefixes {
			wider := other.Bits() < prefix.Bits() || (other == prefix && j < i)
			covered = covered || (wider && other.Contains(prefix.Addr()))
		}
		if !covered {
			kept = append(kept, prefix.String())
		}
	}
	return kept
}

func portMatches(rule Rule) []string {
	if rule.AnyPort {
		return []string{""}
	}
	var matches []string
	for _, port := range rule.Ports {
		protocol := map[corev1.Protocol]string{
			corev1.ProtocolTCP: "tcp", corev1.ProtocolUDP: "udp", corev1.ProtocolSCTP: "sctp",
		}[port.Protocol]
		switch {
		case protocol == "":
		case port.First == 0:
			matches = append(matches, "meta l4proto "+protocol)
		case port.First == port.Last:
			matches = append(matches, fmt.Sprintf("%s dport %d", protocol, port.First))
		default:
			matches = append(matches, fmt.Sprintf("%s dport %d-%d", protocol, port.First, port.Last))
		}
	}
	return matches
}

func familyOf(address netip.Addr) string {
	if address.Is4() {
		return "ip"
	}
	return "ip6"
}
