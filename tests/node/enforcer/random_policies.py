"""Policies by chance, near the edges of what the stage has: its labels, ranges and ports."""

import ipaddress
import random

from stage import HTTP, OUTSIDE, TALK

PORTS = [7001, TALK, 7003, *sorted(set(HTTP.values()))]
POD_LABELS = {"app": ["web", "client", "canary"], "tier": ["front", "back"]}
NAMESPACE_LABELS = {"side": ["east", "west", "judge"], "coast": ["long", "short"]}
RANGES = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "8.0.0.0/7",
    "10.0.0.0/8",
    "10.42.0.0/16",
    "192.168.0.0/16",
    "192.168.50.0/24",
    "192.168.50.128/25",
    "192.168.50.200/26",  # with bits that do not count
    *(f"{address}/32" for address in OUTSIDE.values()),
]


def within(inner, outer):
    inner, outer = (ipaddress.ip_network(text, strict=False) for text in (inner, outer))
    return inner != outer and inner.subnet_of(outer)


class Policies:
    """One set for one namespace. `addresses`: place -> address."""

    def __init__(self, seed, namespace, addresses):
        self.random = random.Random(seed)
        self.namespace_labels = {**NAMESPACE_LABELS, "kubernetes.io/metadata.name": [namespace, "west"]}
        own = [addresses[place] for place in (f"{namespace}/web", "west/web")]
        self.ranges = [*RANGES, *(f"{address}/32" for address in own)]

    def some(self):
        return [self.policy() for _ in range(self.random.choice([1, 1, 2, 3]))]

    def chance(self, share):
        return self.random.random() < share

    def several(self, make, *counts):
        return [make() for _ in range(self.random.choice(counts))]

    def policy(self):
        spec = {"podSelector": {} if self.chance(0.3) else self.selector(POD_LABELS)}
        if self.chance(0.6):
            spec["podSelector"] = {"matchLabels": {"app": "client"}}
        if self.chance(0.7):
            spec["policyTypes"] = self.random.choice([["Egress"], ["Egress"], ["Ingress", "Egress"], ["Ingress"]])
        if self.chance(0.9):
            spec["egress"] = self.several(self.rule, 0, 1, 1, 2, 3)
        if self.chance(0.2):
            spec["ingress"] = self.several(dict, 0, 1)
        return spec

    def rule(self):
        rule = {}
        if self.chance(0.8):
            rule["to"] = self.several(self.peer, 1, 1, 2, 3)
        if self.chance(0.7):
            rule["ports"] = self.several(self.port, 1, 1, 2, 3)
        return rule

    def peer(self):
        if self.chance(0.5):
            return {"ipBlock": self.block()}
        peer = {}
        if self.chance(0.6):
            peer["namespaceSelector"] = self.selector(self.namespace_labels)
        if not peer or self.chance(0.5):
            peer["podSelector"] = self.selector(POD_LABELS)
        return peer

    def block(self):
        block = {"cidr": self.random.choice(self.ranges)}
        if inside := [each for each in self.ranges if within(each, block["cidr"])]:
            block["except"] = self.several(lambda: self.random.choice(inside), 0, 1, 2)
        return block

    def selector(self, labels):
        selector = {}
        if self.chance(0.3):
            key = self.random.choice(list(labels))
            selector["matchLabels"] = {key: self.random.choice(labels[key])}
        if self.chance(0.6):
            selector["matchExpressions"] = self.several(lambda: self.expression(labels), 1, 1, 2)
        return selector

    def expression(self, labels):
        key = self.random.choice(list(labels))
        operator = self.random.choice(["In", "NotIn", "Exists", "DoesNotExist"])
        if operator in ("In", "NotIn"):
            values = self.several(lambda: self.random.choice(labels[key]), 1, 2)
            return {"key": key, "operator": operator, "values": values}
        return {"key": key, "operator": operator}

    def port(self):
        port = {}
        if self.chance(0.6):
            port["protocol"] = self.random.choice(["TCP", "UDP"])
        kind = self.random.choice(["all", "number", "number", "range", "name"])
        if kind in ("number", "range"):
            port["port"] = self.random.choice(PORTS)
        if kind == "range":
            port["endPort"] = port["port"] + self.random.randrange(3)
        if kind == "name":
            port["port"] = self.random.choice(["http", "http", "talk", "nope"])
        return port
