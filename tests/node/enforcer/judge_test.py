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
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from court import CANARY_PORTS, DENY, Court  # noqa: E402
from packets import inside  # noqa: E402
from random_test import RandomPoliciesTest, question_ports  # noqa: E402, F401
from stage import HERE, Stage, wait_until  # noqa: E402

CASES = json.loads((HERE / "cases.json").read_text())
KEPT = "HERMESCTL_NODE_STATE,HERMESCTL_REACH_ANSWERS"  # in the environment, through sudo


def wanted_listeners():
    """Every target listens, also where nothing is to pass: silence must mean the enforcer."""
    places = question_ports()
    for case in CASES:
        for flow in case["flows"]:
            _, target, service, _ = flow.split()
            protocol, port = service.split("/")
            places.setdefault(target, {"tcp": set(), "udp": set()})[protocol].add(int(port))
    places["lan"]["tcp"].update(CANARY_PORTS)
    places["east/web"]["tcp"].add(9000)
    return places


class JudgeTest(Court):
    def judge(self, flows):
        ends = {flow: "open" if flow.split()[3] == "yes" else "closed" for flow in flows}
        self.assertEqual(self.wrong(ends), {})

    def test_everything_listens(self):
        """Without a policy all of it passes: the positive control of every refusal."""
        self.apply({})
        flows = {" ".join([*flow.split()[:3], "yes"]) for case in CASES for flow in case["flows"]}
        self.judge(sorted(flows))

    def test_cases(self):
        for case in CASES:
            with self.subTest(case["name"]):
                self.apply({"east": case["policies"]})
                self.judge(case["flows"])

    def test_established_flows_live_on(self):
        self.apply({})
        with inside(self.stage.namespaces["east/client"]):
            connection = socket.socket()
        with connection:
            connection.settimeout(5)
            connection.connect((self.stage.addresses["east/web"], 9000))
            self.apply({"east": [DENY]})
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
        self.apply({})
        wait_until("the Service", lambda: self.passing(["east/client service tcp/80"], 0.2) == ["open"])
        for port, expected in ((80, "no"), (9000, "yes")):
            allow = f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{ports: [{{port: {port}}}]}}]}}"
            self.apply({"east": [allow]})
            self.judge([f"east/client service tcp/80 {expected}"])


def main():
    if os.geteuid():
        command = ["sudo", f"--preserve-env={KEPT}", sys.executable, "-B", *sys.argv]
        return subprocess.run(command).returncode
    with Stage() as stage:
        stage.build()
        stage.listen(wanted_listeners())
        Court.open_on(stage)
        return not unittest.main(verbosity=2, exit=False).result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(main())
