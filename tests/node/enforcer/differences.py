"""Where an enforcer is known to do otherwise than the API says. Each difference rewrites the egress rules of a policy
into ones that open (as the API has it) what the enforcer may open: where the two give different answers, packets prove
nothing about hermesctl. random_test.py leaves these questions out, and shows that each difference is there."""

from dataclasses import dataclass
from typing import Callable

from random_policies import within
from stage import HTTP, NODE_ADDRESS, SENDERS, TALK

NUMBERS = {("http", "TCP"): sorted(set(HTTP.values())), ("talk", "UDP"): [TALK]}
OWN = {("http", "TCP"): HTTP[SENDERS[0]], ("talk", "UDP"): TALK}


@dataclass(frozen=True)
class Difference:
    what: str
    rewrite: Callable  # a spec with its policyTypes -> its egress rules
    example: dict  # the spec of a policy for the sender's namespace


def key(port):
    return (port.get("port"), port.get("protocol", "TCP"))


def is_name(port):
    return isinstance(port.get("port"), str)


def numbered(port, number):
    return {**port, "port": number}


def pods_of(rule):
    return [peer for peer in rule.get("to", []) if "ipBlock" not in peer]


def for_each(rewrite):
    """`rewrite`: rule -> rules."""
    return lambda spec: [made for rule in spec["egress"] for made in rewrite(rule)]


def unknown_names(rule):
    ports = rule.get("ports", [])
    nothing = ports and all(is_name(port) and key(port) not in NUMBERS for port in ports)
    return [rule, {"to": pods_of(rule)}] if nothing and pods_of(rule) else [rule]


def names_without_peers(rule):
    ports = rule.get("ports", [])
    if rule.get("to") or not any(is_name(port) for port in ports):
        return [rule]
    kept = [port for port in ports if not is_name(port)]
    kept += [numbered(port, OWN[key(port)]) for port in ports if key(port) in OWN]
    return [{"ports": kept}] if kept else []


def shared_numbers(rule):
    ports = [numbered(port, n) for port in rule.get("ports", []) for n in NUMBERS.get(key(port), [])]
    return [rule, {"to": pods_of(rule), "ports": ports}] if ports and pods_of(rule) else [rule]


def shared_set(rule):
    blocks = [peer["ipBlock"] for peer in rule.get("to", []) if "ipBlock" in peer]
    exceptions = [each for block in blocks for each in block.get("except", [])]
    if len(blocks) < 2 or not exceptions:
        return [rule]
    peers = []
    for cidr in (block["cidr"] for block in blocks):
        inside = [each for each in exceptions if each == cidr or within(each, cidr)]
        peers.append({"ipBlock": {"cidr": cidr, "except": inside}})
    return [{**rule, "to": pods_of(rule) + peers}]


def ingress_rules(spec):
    to = [{"podSelector": spec["podSelector"]}]
    rules = spec.get("ingress", []) if "Ingress" in spec["policyTypes"] else []
    return [*spec["egress"], *({"to": to, "ports": rule.get("ports", [])} for rule in rules)]


def node_ports(spec):
    to = [{"ipBlock": {"cidr": f"{NODE_ADDRESS}/32"}}]
    ports = [{"protocol": p, "port": 30000, "endPort": 32767} for p in ("TCP", "UDP")]
    return [*spec["egress"], {"to": to, "ports": ports}]


def client(*rules):
    return {"podSelector": {"matchLabels": {"app": "client"}}, "policyTypes": ["Egress"], "egress": list(rules)}


KUBE_ROUTER = [
    Difference(
        "ports that are all names which no selected pod has are every port of these pods",
        for_each(unknown_names),
        client({"to": [{"podSelector": {}}], "ports": [{"port": "nope"}]}),
    ),
    Difference(
        "a named port without `to` is its number in the policy's own namespace, at every address",
        for_each(names_without_peers),
        client({"ports": [{"port": "http"}]}),
    ),
    Difference(
        "selected pods with several named ports share the numbers of a name",
        for_each(shared_numbers),
        client({"to": [{"namespaceSelector": {}}], "ports": [{"port": "http"}]}),
    ),
    Difference(
        "the blocks of a rule are one set: the exception of one closes what another as wide or wider opens",
        for_each(shared_set),
        client(
            {
                "to": [
                    {"ipBlock": {"cidr": "0.0.0.0/0"}},
                    {"ipBlock": {"cidr": "192.168.0.0/16", "except": ["192.168.50.0/24"]}},
                ]
            }
        ),
    ),
    Difference(
        "what a policy lets in, its pods may also send to one another, if it is for both directions",
        ingress_rules,
        {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}]},
    ),
    Difference("the NodePort range of the node is open to every pod", node_ports, client()),
]
DIFFERENCES = {"kube-router": KUBE_ROUTER, "agent": []}


def as_enforced(spec, differences):
    """The policy that means, as the API has it, what the enforcer makes of this one."""
    rules = spec.get("egress", [])
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if rules else [])]
    if "Egress" not in types:
        return spec
    enforced = {**spec, "policyTypes": types, "egress": rules}
    for difference in differences:
        enforced["egress"] = difference.rewrite(enforced)
    return enforced
