"""What is asked of the cluster itself: its manifests applied, and whether it is ready."""

import json
import os

from .build import kube
from .layout import API_PORT, NODE_NAME, TREE
from .shell import run, wait_until

MANIFESTS = TREE / "manifests"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
# What a node has to serve before it is called up: namespace, the label of its pods
SERVED = (("kube-system", "k8s-app=kube-dns"), ("local-path-storage", "app=local-path-provisioner"))


class Cluster:
    def __init__(self, layout, api_address):
        self.layout = layout
        self.address = api_address
        self._context = None

    def environment(self):
        ours = {"KUBECONFIG": str(self.layout.kubeconfig), "KUBECACHEDIR": str(self.layout.state / "kubectl")}
        return {**os.environ, **ours, "NO_PROXY": "*", "no_proxy": "*"}

    def kubectl(self, *arguments):
        return run(kube("kubectl", *arguments), env=self.environment())

    def get(self, path):
        """The API server's answer, parsed when it is JSON; None when there is none. Cheaper than kubectl."""
        import ssl  # they cost more than most verbs, which do without
        import urllib.request

        if not self._context:
            pki = self.layout.pki
            self._context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
            self._context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._context)
        )
        try:
            with opener.open(f"https://{self.address}:{API_PORT}{path}", timeout=5) as answer:
                body = answer.read().decode()
        except OSError:  # URLError is one
            return None
        return json.loads(body) if body.startswith("{") else body

    def serves(self):
        return self.get("/readyz") == "ok"

    def wait_serves(self):
        wait_until("the API server", self.serves)

    def apply(self):
        self.kubectl(
            "apply", "--server-side", "--force-conflicts", "--field-manager=node", f"--filename={MANIFESTS}"
        )

    def registered(self):
        return self.get(f"/api/v1/nodes/{NODE_NAME}") is not None

    def node_ready(self):
        node = self.get(f"/api/v1/nodes/{NODE_NAME}") or {}
        conditions = {c["type"]: c["status"] for c in node.get("status", {}).get("conditions", [])}
        return conditions.get("Ready") == "True" and not troubles(node)

    def has_default_class(self):
        found = self.get("/apis/storage.k8s.io/v1/storageclasses/local-path") or {}
        return found.get("metadata", {}).get("annotations", {}).get(DEFAULT_CLASS) == "true"

    def running(self, namespace, label):
        """A ready pod of this boot: after a crash the API server still shows the ones of before."""
        boot = int((self.layout.run / "holder").stat().st_mtime)
        pods = self.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={label}") or {}
        return any(started(pod) >= boot for pod in pods.get("items", []))

    def missing(self):
        """What keeps the node from being up, in words, each looked for as it is wanted."""
        if not self.serves():
            yield "the API server does not answer"
            return
        if not self.node_ready():
            yield "the node is not Ready"
        yield from (f"no {label} runs in {ns}" for ns, label in SERVED if not self.running(ns, label))

    def exec_kubectl(self, arguments):
        """In this process's place, so that a signal reaches it."""
        command = kube("kubectl", *arguments)
        os.execve(command[0], command, self.environment())


def troubles(node):
    """Taints that somebody's cordon is not: it is as wanted, and outlives a restart."""
    taints = node["spec"].get("taints", [])
    return [taint for taint in taints if taint["key"] != "node.kubernetes.io/unschedulable"]


def started(pod):
    """When the youngest container of a ready pod began, in seconds; 0 when the pod is not ready."""
    from datetime import datetime

    status = pod["status"]
    if not any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", [])):
        return 0
    begun = [c["state"].get("running", {}).get("startedAt") for c in status.get("containerStatuses", [])]
    return max(datetime.fromisoformat(t).timestamp() for t in begun) if begun and all(begun) else 0
