"""The stage that the judge's tests play on: pods in a few namespaces, the outside, and listeners everywhere."""

import base64
import http.client
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib.images import PAUSE_REFERENCE  # noqa: E402
from lib.layout import LAN_HOST, NODE_ADDRESS, POD_RANGE, Layout, default_state  # noqa: E402

SENDERS = ("east", "east2", "east3", "east4")  # alike, so that as many sets of policies are in force at once
PODS = {
    **{f"{namespace}/web": {"app": "web", "tier": "front"} for namespace in SENDERS},
    **{f"{namespace}/client": {"app": "client"} for namespace in SENDERS},
    "west/web": {"app": "web"},
    "west/client": {"app": "client"},
    "judge/canary": {"app": "canary"},
}
NAMESPACES = {
    **dict.fromkeys(SENDERS, {"side": "east"}),
    "west": {"side": "west", "coast": "long"},
    "judge": {"side": "judge"},
}
HTTP = {**dict.fromkeys(SENDERS, 8080), "west": 8081, "judge": 8082}  # named ports of all pods
TALK = 7002  # UDP
OUTSIDE = {"lan": LAN_HOST, "lan2": "192.168.50.200", "internet": "8.8.8.8"}
POLICIES = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies"


class Api:
    """The node's API server, with the account of its kubeconfig."""

    def __init__(self, state):
        view = [
            str(HERE.parent / "node"),
            "--state",
            state,
            "kubectl",
            "config",
            "view",
            "--raw",
            "--flatten",
            "-o",
            "json",
        ]
        config = json.loads(subprocess.run(view, check=True, capture_output=True).stdout)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(
            cadata=base64.b64decode(cluster["certificate-authority-data"]).decode()
        )
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(
                base64.b64decode(user["client-certificate-data"])
                + base64.b64decode(user["client-key-data"])
            )
            pair.flush()
            context.load_cert_chain(pair.name)
        self.connection = http.client.HTTPSConnection(
            urllib.parse.urlsplit(cluster["server"]).netloc, context=context
        )

    def call(self, method, path, body="", ignore=()):
        kind = "application/yaml" if isinstance(body, str) else "application/json"
        data = body if isinstance(body, str) else json.dumps(body)
        self.connection.request(method, path, data, {"Content-Type": kind})
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        if response.status >= 400 and response.status not in ignore:
            raise AssertionError(f"{method} {path}: {answer.get('message')}")
        return response.status, answer


def wait_until(what, found, patience=90.0):
    end = time.monotonic() + patience
    while not (result := found()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what}")
        time.sleep(0.05)
    return result


class Stage:
    def __init__(self):
        self.layout = Layout(default_state())
        self.api = Api(str(self.layout.state))
        self.world = f"/var/run/netns/{self.layout.world_ns}"
        self.node = f"/var/run/netns/{self.layout.node_ns}"
        self.addresses = {**OUTSIDE, "node": NODE_ADDRESS}
        self.namespaces = {**dict.fromkeys(OUTSIDE, self.world), "node": self.node}
        self.listeners = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.strike()

    def build(self):
        self.remove_namespaces()  # a run that was killed left its own
        for name, labels in PODS.items():
            wait_until(f"the creation of {name}", lambda: self.create(name, labels))
        for name in PODS:
            pod = wait_until(f"{name} to run", lambda: self.running(name))
            self.addresses[name] = pod["status"]["podIP"]
            self.namespaces[name] = f"/proc/{pid_of(pod['metadata']['uid'])}/ns/net"
        self.outside("add")

    def create(self, name, labels):
        """Refused until the namespace has its account, and while an earlier stage is going."""
        namespace, short = name.split("/")
        metadata = {"name": namespace, "labels": NAMESPACES[namespace]}
        self.api.call("POST", "/api/v1/namespaces", {"metadata": metadata}, ignore=(409,))
        container = {
            "name": "main",
            "image": PAUSE_REFERENCE,
            "imagePullPolicy": "Never",
            "ports": [
                {"name": "http", "containerPort": HTTP[namespace]},
                {"name": "talk", "containerPort": TALK, "protocol": "UDP"},
            ],
        }
        pod = {
            "metadata": {"name": short, "labels": labels},
            "spec": {
                "containers": [container],
                "terminationGracePeriodSeconds": 0,
                "automountServiceAccountToken": False,
            },
        }
        return (
            self.api.call("POST", f"/api/v1/namespaces/{namespace}/pods", pod, ignore=(403, 404, 409))[0]
            == 201
        )

    def running(self, name):
        namespace, short = name.split("/")
        pod = self.api.call("GET", f"/api/v1/namespaces/{namespace}/pods/{short}")[1]
        return pod if pod["status"]["phase"] == "Running" and pod["status"].get("podIP") else None

    def outside(self, verb):
        """More addresses in the world, and a way from there to the pods. `verb` is add or del."""
        here = ["ip", "-n", self.layout.world_ns]
        changes = [["addr", verb, f"{a}/32", "dev", "lo"] for a in OUTSIDE.values() if a != LAN_HOST]
        for change in [*changes, ["route", verb, POD_RANGE, "via", NODE_ADDRESS]]:
            subprocess.run([*here, *change], stderr=subprocess.DEVNULL)

    def listen(self, wanted):
        """`wanted`: place -> {"tcp": ports, "udp": ports}."""
        for place, ports in wanted.items():
            address = "0.0.0.0" if place in PODS else self.addresses[place]
            specs = [
                f"{protocol}:{address}:{','.join(map(str, sorted(each)))}"
                for protocol, each in ports.items()
                if each
            ]
            command = [
                "setpriv",  # a run that is killed takes its listeners with it
                "--pdeathsig=TERM",
                "nsenter",
                f"--net={self.namespaces[place]}",
                sys.executable,
                HERE.parent / "world/listeners.py",
                *specs,
            ]
            self.listeners.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        for process in self.listeners:
            if process.stdout.readline() != b"ready\n":
                raise AssertionError(f"no listener: {process.args}")

    def policies(self, namespace, specs):
        """Replaces the namespace's policies."""
        path = POLICIES.format(namespace)
        self.api.call("DELETE", path)
        for number, spec in enumerate(specs):
            self.api.call("POST", path, manifest(f"p{number}", spec))

    def release_canary(self, port):
        """Changes the canary's one policy in place: at no moment is it free."""
        spec = f"{{podSelector: {{}}, policyTypes: [Egress], egress: [{{ports: [{{port: {port}}}]}}]}}"
        path = POLICIES.format("judge")
        if self.api.call("PUT", path + "/canary", manifest("canary", spec), ignore=(404,))[0] == 404:
            self.api.call("POST", path, manifest("canary", spec))

    def strike(self):
        for process in self.listeners:
            process.terminate()
            process.stdout.close()
            process.wait()
        self.outside("del")
        self.remove_namespaces()
        self.api.connection.close()

    def remove_namespaces(self):
        for namespace in NAMESPACES:
            self.api.call("DELETE", f"/api/v1/namespaces/{namespace}", ignore=(404, 409))


def manifest(name, spec):
    text = "\n".join("  " + line for line in spec.splitlines())
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy"
    return f"{head}\nmetadata: {{name: {name}}}\nspec:\n{text}\n"


def pid_of(uid):
    """A process of the pod, seen from the machine: its cgroup carries the pod's uid."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                groups = Path(f"/proc/{entry}/cgroup").read_text()
            except OSError:
                continue
            if uid in groups or uid.replace("-", "_") in groups:
                return entry
    raise AssertionError(f"no process of pod {uid}")
