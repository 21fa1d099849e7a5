// The table as nftables takes it: its text, and that the kernel loads it.
package main

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"sigs.k8s.io/knftables"
)

func rendered(rules []PodRules) string {
	tx := knftables.NewFake(knftables.InetFamily, table).NewTransaction()
	Render(tx, rules, "cni0")
	return tx.String()
}

func TestText(t *testing.T) {
	text := rendered(Compile(testCluster(t, `
podSelector: {matchLabels: {app: client}}
policyTypes: [Egress]
egress:
- to:
  - ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 10.42.0.0/16]}
  - podSelector: {matchLabels: {app: web}}
  ports: [{port: 443}, {protocol: UDP, port: 8000, endPort: 8010}]
`), "here"))
	for _, wanted := range []string{
		"delete table inet policy_agent\nadd table inet policy_agent",
		`forward iifname "cni0" ip saddr vmap { 10.42.0.12 : jump egress-0 }`,
		`input iifname "cni0" ip saddr vmap { 10.42.0.12 : jump egress-0 }`,
		"egress-0 ip daddr { 10.42.0.12 } return",
		"egress-0 ip daddr { 10.42.0.11 } tcp dport 443 return",
		"egress-0 meta nfproto ipv4 ip daddr != { 10.0.0.0/8 } udp dport 8000-8010 return",
		"egress-0 meta l4proto tcp counter reject with tcp reset\n" +
			"add rule inet policy_agent egress-0 counter reject with icmpx",
	} {
		if !strings.Contains(text, wanted) {
			t.Errorf("lacks %q in\n%s", wanted, text)
		}
	}
	if strings.Contains(text, "ingress-") || strings.Contains(text, "oifname") {
		t.Errorf("polices ingress, which no policy isolates:\n%s", text)
	}
}

func TestBothFamilies(t *testing.T) {
	all, private := netip.MustParsePrefix("::/0"), netip.MustParsePrefix("fc00::/7")
	rule := Rule{AnyPort: true, Blocks: []Block{{CIDR: all, Except: []netip.Prefix{private}}}}
	pod := PodRules{Pod: "x/dual", Ingress: &Direction{Rules: []Rule{rule}}}
	pod.IPs = []netip.Addr{netip.MustParseAddr("10.42.0.5"), netip.MustParseAddr("fd00::5")}
	text := rendered([]PodRules{pod})
	for _, wanted := range []string{
		"ip daddr vmap { 10.42.0.5 : jump ingress-0 }", "ip6 daddr vmap { fd00::5 : jump ingress-0 }",
		"meta nfproto ipv6 ip6 saddr != { fc00::/7 } return",
	} {
		if !strings.Contains(text, wanted) {
			t.Errorf("lacks %q in\n%s", wanted, text)
		}
	}
	load(t, text)
}

// Twice: the second time there is a table to replace.
func load(t *testing.T, text string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root makes a network namespace to load it in")
	}
	command := exec.Command("unshare", "-n", "nft", "-f", "-")
	command.Stdin = strings.NewReader(text + text)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, text)
	}
}

func TestKernelLoadsEveryCase(t *testing.T) {
	for _, each := range readCases(t) {
		t.Run(each.Name, func(t *testing.T) {
			load(t, rendered(Compile(testCluster(t, each.Policies...), "here")))
		})
	}
}
