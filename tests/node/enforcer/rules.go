// What NetworkPolicies mean for one pod, without a word of nftables in it.
package main

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
)

// PodRules says what may pass to and from a pod. A nil direction is not isolated: everything passes.
type PodRules struct {
	Pod     string // namespace/name
	IPs     []netip.Addr
	Ingress *Direction
	Egress  *Direction
}

// Direction is an isolated one: what no rule allows is refused.
type Direction struct {
	Rules []Rule
}

// Rule allows the traffic that matches its peers and, unless AnyPort, one of its ports.
type Rule struct {
	AnyPeer bool
	Addrs   []netip.Addr
	Blocks  []Block
	AnyPort bool
	Ports   []Port
}

// Block is an ipBlock.
type Block struct {
	CIDR   netip.Prefix
	Except []netip.Prefix
}

// Port is a range of ports; one without numbers in the policy spans them all.
type Port struct {
	Protocol    corev1.Protocol
	First, Last uint16
}
