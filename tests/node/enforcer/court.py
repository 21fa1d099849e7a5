"""What the tests of an enforcer share: policies that are in force, and which packets pass under them."""

import itertools
import time
import unittest

from packets import Probe, play
from stage import OUTSIDE, SENDERS, wait_until

CANARY_PORTS = range(20000, 20100)
DENY = "{podSelector: {}, policyTypes: [Ingress, Egress]}"
PATIENCE = 2.0  # a refusal by ICMP reaches TCP with its second attempt, after a second


class Court(unittest.TestCase):
    stage = None  # built once for all tests
    canary_ports = iter(CANARY_PORTS)

    @classmethod
    def open_on(cls, stage):
        """Waits until the enforcer knows every pod: each can be cut off."""
        cls.stage = stage
        namespaces = [*SENDERS, "west"]
        for namespace in namespaces:
            stage.policies(namespace, [DENY])
        port = next(cls.canary_ports)
        stage.release_canary(port)
        pods = [p for p in stage.namespaces if "/" in p]
        wait_until(
            "every pod to be cut off",
            lambda: "open" not in cls.passing([f"{pod} lan tcp/{CANARY_PORTS[-1]}" for pod in pods], 0.2),
        )
        for namespace in namespaces:
            stage.policies(namespace, [])

    @classmethod
    def passing(cls, flows, patience=PATIENCE):
        """What comes of each flow "SOURCE TARGET PROTOCOL/PORT"; more words in it do not matter."""
        probes = []
        for flow in flows:
            source, target, service = flow.split()[:3]
            protocol, port = service.split("/")
            namespace, address = cls.stage.namespaces[source], cls.stage.addresses[target]
            probes.append(Probe(namespace, OUTSIDE.get(source), address, protocol, int(port)))
        return play(probes, patience)

    def apply(self, policies):
        """`policies`: namespace -> specs; the other senders get none. The canary's policy comes last and opens
        another port each time: the others are in force then."""
        port = next(Court.canary_ports)
        for namespace in SENDERS:
            self.stage.policies(namespace, policies.get(namespace, ()))
        self.stage.release_canary(port)
        wait_until(
            "the policies to be in force",
            lambda: self.passing([f"judge/canary lan tcp/{port}"], 0.1) == ["open"],
        )

    def wrong(self, flows, patience=PATIENCE):
        """`flows`: flow -> "open" or "closed". Those that end otherwise, each with its outcomes."""
        tries = [self.passing(flows, patience)]
        if any(end == "open" and outcome != "open" for end, outcome in zip(flows.values(), tries[0])):
            time.sleep(1)  # kube-router may just be filling its sets anew: what is to pass gets a second try
            tries.append(self.passing(flows))
        found = {}
        for (flow, end), outcomes in zip(flows.items(), zip(*tries)):
            as_told = outcomes[-1] == "open" if end == "open" else set(outcomes) <= {"refused", "silent"}
            if not as_told:
                found[flow] = outcomes
        return found
