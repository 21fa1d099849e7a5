"""What hermesctl itself computes: the answers of reach_answers.cpp."""

import json
import os
import subprocess


class Engine:
    """`stage` is built, and its pods stay."""

    def __init__(self, stage):
        self.program = os.environ["HERMESCTL_REACH_ANSWERS"]
        self.addresses = stage.addresses
        self.known = {kind: stage.api.call("GET", f"/api/v1/{kind}")[1]["items"] for kind in ("pods", "namespaces")}

    def answers(self, policies, flows):
        """`policies`: namespace -> specs. For each flow "open", "closed" or "receiver"."""
        objects = [
            {"metadata": {"name": f"p{number}", "namespace": namespace}, "spec": spec}
            for namespace, specs in policies.items()
            for number, spec in enumerate(specs)
        ]
        asked = {**self.known, "policies": objects, "questions": [self.question(flow) for flow in flows]}
        run = subprocess.run([self.program], input=json.dumps(asked), capture_output=True, text=True)
        if run.returncode:
            raise AssertionError(run.stderr)
        return dict(zip(flows, json.loads(run.stdout)))

    def question(self, flow):
        source, target, service = flow.split()[:3]
        protocol, port = service.split("/")
        return {
            "from": source,
            "to": self.addresses[target],
            "protocol": protocol.upper(),
            "port": int(port),
        }
