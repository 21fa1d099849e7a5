"""The API server as the benchmark itself talks to it, to prepare and to clean up: none of it is measured."""

import base64
import http.client
import json
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from measure import BenchError

# Kind -> where its objects are; {} is the namespace
PLACES = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
}


@dataclass(frozen=True)
class Line:
    """One way to the API server."""

    name: str
    kubeconfig: Path
    server: str
    files: dict = field(default_factory=dict)  # curl's option -> file: cacert, cert, key


class Api:
    """A kubeconfig with a client certificate, as the node's."""

    def __init__(self, kubectl, kubeconfig, scratch):
        view = [*kubectl, "config", "view", "--raw", "--flatten", "-o", "json", f"--kubeconfig={kubeconfig}"]
        config = json.loads(subprocess.run(view, check=True, capture_output=True).stdout)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.server = cluster["server"]
        self.files = {}
        for name, data in (
            ("cacert", cluster["certificate-authority-data"]),
            ("cert", user["client-certificate-data"]),
            ("key", user["client-key-data"]),
        ):
            self.files[name] = Path(scratch) / f"{Path(kubeconfig).name}.{name}"
            self.files[name].write_bytes(base64.b64decode(data))
            self.files[name].chmod(0o600)
        self.context = ssl.create_default_context(cafile=self.files["cacert"])
        self.context.load_cert_chain(self.files["cert"], self.files["key"])
        self.config = config
        self.scratch = Path(scratch)
        self.line = Line(Path(kubeconfig).name, Path(kubeconfig), self.server, self.files)

    def line_through(self, name, server, identity):
        """By way of a proxy of the benchmark's own."""
        cluster, user = dict(self.config["clusters"][0]["cluster"]), self.config["users"][0]
        cluster["server"] = server
        if not identity:
            del cluster["certificate-authority-data"]
            user = {**user, "user": {}}
        config = {**self.config, "users": [user]}
        config["clusters"] = [{**self.config["clusters"][0], "cluster": cluster}]
        path = self.scratch / name
        path.write_text(json.dumps(config))
        path.chmod(0o600)
        return Line(name, path, server, self.files if identity else {})

    def connect(self):
        where = urlsplit(self.server)
        return http.client.HTTPSConnection(where.hostname, where.port, context=self.context, timeout=60)

    def ask(self, method, path, body=None, kind="application/json"):
        """(status, answer)"""
        connection = self.connect()
        try:
            headers = {"Accept": "application/json", "Content-Type": kind}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def get(self, path):
        status, answer = self.ask("GET", path)
        if status != 200:
            raise BenchError(f"GET {path}: {status} {answer.get('message', '')}")
        return answer

    def namespaces(self, prefix):
        names = [item["metadata"]["name"] for item in self.get("/api/v1/namespaces")["items"]]
        return [name for name in names if name.startswith(prefix)]

    def remove_namespaces(self, prefix, timeout=180):
        """And waits until they are gone."""
        for name in self.namespaces(prefix):
            self.ask("DELETE", f"/api/v1/namespaces/{name}")
        end = time.monotonic() + timeout
        while left := self.namespaces(prefix):
            if time.monotonic() > end:
                raise BenchError(f"still there after {timeout} s: {', '.join(left)}")
            time.sleep(0.5)

    def versions(self, objects):
        """What tells whether somebody wrote to them. A Deployment's resourceVersion also follows its pods."""
        found = []
        for item in objects:
            kind, meta = item["kind"], item["metadata"]
            live = self.get(f"{PLACES[kind].format(meta.get('namespace'))}/{meta['name']}")["metadata"]
            found.append(live["generation" if kind == "Deployment" else "resourceVersion"])
        return found
