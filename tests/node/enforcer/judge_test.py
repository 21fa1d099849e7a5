#!/usr/bin/env python3
"""Judges the node's enforcer by packets: what passes under each case of cases.json, against what should.

    HERMESCTL_NODE_STATE=DIR python3 tests/node/enforcer/judge_test.py       (root; the node of DIR is up)

Run it once with kube-router and once with the agent: held to the same table, they judge each other.
"""

import json
import os
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from packets import Probe, inside, play  # noqa: E402
from stage import HERE, OUTSIDE, Stage, wait_until  # noqa: E402

CASES = json.loads((HERE / "cases.json").read_text())
CANARY_PORT = 20000
PATIENCE = 2.0  # a refusal by ICMP reaches TCP with its second attempt, after a second
DENY = "{podSelector: {}, policyTypes: [Ingress, Egress]}"


def wanted_listeners():
    """Every target of the table listens, also where nothing is to pass: silence must mean the enforcer."""
    places = {}
    for case in CASES:
        for flow in case["flows"]:
            _, target, service, _ = flow.split()
            protocol, port = service.split("/")
            places.setdefault(target, {"tcp": set(), "udp": set()})[protocol].add(int(port))
    places["lan"]["tcp"].update(range(CANARY_PORT, CANARY_PORT + len(CASES) + 10))
    places["east/web"]["tcp"].add(9000)
    return places


class JudgeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = Stage()
        cls.addClassCleanup(cls.stage.strike)
        cls.stage.build()
        cls.stage.listen(wanted_listeners())
        cls.turn = 0
        cls.known()

    @classmethod
    def known(cls):
        """Waits until the enforcer knows every pod: each can be cut off."""
        for namespace in ("east", "west"):
            cls.stage.policies(namespace, [DENY])
        cls.stage.release_canary(CANARY_PORT - 1)
        pods = [p for p in cls.stage.namespaces if "/" in p]
        wait_until(
            "every pod to be cut off",
            lambda: "open" not in cls.passing([f"{pod} lan tcp/{CANARY_PORT}" for pod in pods], 0.2),
        )
        for namespace in ("east", "west"):
            cls.stage.policies(namespace, [])

    @classmethod
    def passing(cls, flows, patience=PATIENCE):
        probes = []
        for flow in flows:
            source, target, service = flow.split()[:3]
            protocol, port = service.split("/")
            probes.append(
                Probe(
                    cls.stage.namespaces[source],
                    OUTSIDE.get(source),
                    cls.stage.addresses[target],
                    protocol,
                    int(port),
                )
            )
        return play(probes, patience)

    def apply(self, *policies):
        """The canary's policy comes last and opens another port each time: the others are in force then."""
        type(self).turn += 1
        port = CANARY_PORT + self.turn
        self.stage.policies("east", policies)
        self.stage.release_canary(port)
        wait_until(
            "the policies to be in force",
            lambda: self.passing([f"judge/canary lan tcp/{port}"], 0.1) == ["open"],
        )

    def judge(self, flows):
        outcomes = dict(zip(flows, self.passing(flows)))
        shut = [flow for flow in flows if flow.split()[3] == "yes" and outcomes[flow] != "open"]
        if shut:  # kube-router may just be filling its sets anew: what is to pass gets a second try
            time.sleep(1)
            outcomes.update(zip(shut, self.passing(shut)))
        for flow, outcome in outcomes.items():
            expected = flow.split()[3]
            self.assertIn(outcome, ["open"] if expected == "yes" else ["refused", "silent"], flow)

    def test_everything_listens(self):
        """Without a policy all of it passes: the positive control of every refusal."""
        self.apply()
        flows = {" ".join([*flow.split()[:3], "yes"]) for case in CASES for flow in case["flows"]}
        self.judge(sorted(flows))

    def test_cases(self):
        for case in CASES:
            with self.subTest(case["name"]):
                self.apply(*case["policies"])
                self.judge(case["flows"])

    def test_established_flows_live_on(self):
        self.apply()
        with inside(self.stage.namespaces["east/client"]):
            connection = socket.socket()
        with connection:
            connection.settimeout(5)
            connection.connect((self.stage.addresses["east/web"], 9000))
            self.apply(DENY)
            self.judge(["east/client east/web tcp/9000 no"])
            connection.sendall(b"still here")
            self.assertEqual(connection.recv(20), b"still here")

    def test_services_are_judged_by_their_pods(self):
        """Destination NAT comes first: what counts is the port of the pod, not that of the Service."""
        service = {
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 9000}]},
        }
        created = self.stage.api.call("POST", "/api/v1/namespaces/east/services", service)[1]
        self.stage.addresses["service"] = created["spec"]["clusterIP"]
        self.apply()
        wait_until("the Service", lambda: self.passing(["east/client service tcp/80"], 0.2) == ["open"])
        for port, expected in ((80, "no"), (9000, "yes")):
            self.apply(
                f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{ports: [{{port: {port}}}]}}]}}"
            )
            self.judge([f"east/client service tcp/80 {expected}"])


if __name__ == "__main__":
    if os.geteuid():
        sys.exit(
            subprocess.run(
                ["sudo", "--preserve-env=HERMESCTL_NODE_STATE", sys.executable, *sys.argv]
            ).returncode
        )
    unittest.main(verbosity=2)
