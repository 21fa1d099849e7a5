// Which ports a rule means. A named port is looked up in the pod that receives.
package main

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// withPorts gives the peers these ports, names resolved in the receivers; no rule if no peer or port remains.
func withPorts(to matched, ports []networkingv1.NetworkPolicyPort, receivers []*corev1.Pod) []Rule {
	rule := to.rule()
	rule.AnyPort = len(ports) == 0
	for i := range ports {
		rule.Ports = append(rule.Ports, resolve(&ports[i], receivers)...)
	}
	if to.empty() || (!rule.AnyPort && len(rule.Ports) == 0) {
		return nil
	}
	return []Rule{rule}
}

// egressRules splits off named ports: each peer pod has its own number for a name, and addresses have none.
func egressRules(to matched, ports []networkingv1.NetworkPolicyPort, all peers) []Rule {
	var numbered, named []networkingv1.NetworkPolicyPort
	for _, port := range ports {
		if port.Port != nil && port.Port.Type == intstr.String {
			named = append(named, port)
		} else {
			numbered = append(numbered, port)
		}
	}
	var rules []Rule
	if len(numbered) > 0 || len(named) == 0 {
		rules = withPorts(to, numbered, nil)
	}
	if len(named) == 0 {
		return rules
	}
	receivers := to.pods
	if to.any {
		receivers = all.pods
	}
	for _, pod := range receivers {
		rules = append(rules, withPorts(matched{pods: []*corev1.Pod{pod}}, named, []*corev1.Pod{pod})...)
	}
	return rules
}

func resolve(port *networkingv1.NetworkPolicyPort, receivers []*corev1.Pod) []Port {
	protocol := corev1.ProtocolTCP
	if port.Protocol != nil {
		protocol = *port.Protocol
	}
	switch {
	case port.Port == nil:
		return []Port{{Protocol: protocol, Last: 65535}}
	case port.Port.Type == intstr.Int:
		first := uint16(port.Port.IntVal)
		last := first
		if port.EndPort != nil {
			last = uint16(*port.EndPort)
		}
		return []Port{{Protocol: protocol, First: first, Last: last}}
	}
	var found []Port
	for _, pod := range receivers {
		found = append(found, namedPorts(pod, port.Port.StrVal, protocol)...)
	}
	return found
}

func namedPorts(pod *corev1.Pod, name string, protocol corev1.Protocol) []Port {
	containers := pod.Spec.Containers
	for _, each := range pod.Spec.InitContainers {
		if each.RestartPolicy != nil && *each.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			containers = append(containers[:len(containers):len(containers)], each) // a sidecar
		}
	}
	var found []Port
	for _, container := range containers {
		for _, port := range container.Ports {
			tcp := port.Protocol == "" && protocol == corev1.ProtocolTCP
			if port.Name == name && (port.Protocol == protocol || tcp) {
				number := uint16(port.ContainerPort)
				found = append(found, Port{Protocol: protocol, First: number, Last: number})
			}
		}
	}
	return found
}
