"""The node as a whole: up, down, and mended when it is half dead."""

import concurrent.futures
import subprocess

from . import build, cgroups, checks, configuration, images, network, pki, programs, storage
from .cluster import Cluster
from .holder import Holder
from .layout import INSIDE_STATE, INSIDE_TREE
from .processes import Processes
from .shell import NodeError, lock, say, succeeds, wait_until

CONTAINERD = "/run/containerd/containerd.sock"


class Node:
    def __init__(self, layout):
        self.layout = layout
        self.holder = Holder(layout)
        self.processes = Processes(layout, self.holder)
        self.locate()

    def locate(self):
        """The node's address, when its network is there."""
        addresses = network.link_addresses(self.layout)
        self.address = addresses[1] if addresses else None
        self.cluster = Cluster(self.layout, self.address)

    def exclusive(self):
        """One `up` or `down` at a time. The lock lies beside the state, so that wiping keeps it."""
        return lock(
            self.layout.state.with_name(f".{self.layout.state.name}.lock"), "another command on this node"
        )

    # --- the enforcer of NetworkPolicies is a switch that outlives a restart ---

    def enforcer(self):
        try:
            return (self.layout.state / "enforcer").read_text().strip()
        except OSError:
            return None

    def set_enforcer(self, chosen):
        (self.layout.state / "enforcer").write_text(chosen + "\n")

    def switch_enforcer(self, wanted):
        """The former one's rules stay when it stops, as they should; here they have to go."""
        former = self.enforcer()
        if former != wanted:
            self.processes.stop("enforcer")
            if former != "none":
                self.processes.inside(programs.enforcer_cleanup(former), self.layout.node_ns)
            self.set_enforcer(wanted)
        if wanted != "none":
            self.start("enforcer")

    # --- the programs of the node: name -> (command line, network namespace) ---

    def table(self):
        inner, world = self.layout.node_ns, self.layout.world_ns
        table = {
            "etcd": (programs.etcd(), inner),
            "containerd": (programs.containerd(), inner),
            "apiserver": (programs.apiserver(self.address), inner),
            "toxiproxy": (programs.toxiproxy(self.address), inner),
            "dnsmasq": (programs.dnsmasq(), world),
            "registry": (programs.registry(images.registry_root()), world),
            "standins": (programs.standins(), world),
            "controller-manager": (programs.controller_manager(), inner),
            "scheduler": (programs.scheduler(), inner),
            "kubelet": (programs.kubelet(), inner),
            "kube-proxy": (programs.kube_proxy(), inner),
        }
        if self.enforcer() not in (None, "none"):
            table["enforcer"] = (programs.enforcer(self.enforcer()), inner)
        return table

    def start(self, name):
        command, net = self.table()[name]
        self.processes.start(name, command, net, programs.ENVIRONMENT)

    def dead(self):
        return (
            [name for name in self.table() if not self.processes.alive(name)]
            if self.holder.pid() and self.address
            else []
        )

    def healthy(self):
        return bool(self.holder.pid() and self.address and not self.dead() and not self.cluster.missing())

    # --- up and down ---

    def up(self, enforcer=None):
        with self.exclusive():
            self.locate()  # another `up` may have been waited for
            if self.healthy():
                if enforcer:
                    self.switch_enforcer(enforcer)
                return "it was up"
            checks.check(self.layout.state)
            images.prepare()
            fresh = not (self.layout.state / "etcd/member").exists()
            try:
                self._boot(enforcer)
            except (NodeError, subprocess.CalledProcessError) as error:
                if fresh:
                    raise
                say(f"mending failed ({error}); starting again from nothing")
                self._down(wipe=True)
                self._boot(enforcer)
            return "booted" if fresh else "mended"

    def _boot(self, enforcer):
        self.layout.create()
        if not self.holder.pid():
            self.holder.kill()
            self._clear()
            self.set_enforcer(
                enforcer or self.enforcer() or ("kube-router" if build.find_kube_router() else "agent")
            )
        network.create(self.layout)
        self.locate()
        pki.create(self.layout.pki, self.address)
        configuration.write(self.layout, self.address)
        if not self.holder.pid():
            cgroups.create(self.layout.cgroup)
            storage.create(self.layout)
            self.holder.start(str(build.binary("pause")))
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            parts = [
                pool.submit(part)
                for part in (self._boot_control_plane, self._boot_containers, self._boot_world)
            ]
            for part in parts:
                part.result()
        if enforcer:
            self.switch_enforcer(enforcer)
        self.cluster.wait_ready(180)
        if dead := self.dead():
            raise NodeError(f"{dead[0]} died:\n{self.processes.tail(dead[0])}")

    def _boot_control_plane(self):
        for name in ("etcd", "apiserver", "toxiproxy"):
            self.start(name)
        wait_until("the API server", self._api_serves, 60)
        for name in ("controller-manager", "scheduler"):
            self.start(name)
        self.cluster.apply()

    def _api_serves(self):
        if not self.processes.alive("apiserver"):
            raise NodeError(f"the API server died:\n{self.processes.tail('apiserver')}")
        return self.cluster.serves()

    def _boot_containers(self):
        self.start("containerd")
        wait_until(
            "containerd",
            lambda: succeeds(self.holder.enter(["ctr", "-a", CONTAINERD, "version"]), cwd="/"),
            30,
        )
        present = self.processes.inside(
            ["ctr", "-a", CONTAINERD, "-n", "k8s.io", "images", "list", "-q"]
        ).split()
        for image in images.PRELOADED:
            if images.REFERENCES[image] not in present:
                self.processes.inside(
                    [
                        "ctr",
                        "-a",
                        CONTAINERD,
                        "-n",
                        "k8s.io",
                        "images",
                        "import",
                        programs.cached(images.archive_path(image)),
                    ]
                )
        wait_until("the API server", self._api_serves, 60)
        for name in ("kubelet", "kube-proxy"):
            self.start(name)
        wait_until("the kubelet's registration", self.cluster.registered, 60)
        if self.enforcer() != "none":  # kube-router gives up where there is no node object
            self.start("enforcer")

    def _boot_world(self):
        for name in ("dnsmasq", "registry", "standins"):
            self.start(name)
        wait_until(
            "the stand-ins", lambda: succeeds(self.holder.enter(self.world_command("ping")), cwd="/"), 20
        )

    def world_command(self, *arguments):
        return [
            programs.PYTHON,
            f"{INSIDE_TREE}/world/control.py",
            "--state",
            f"{INSIDE_STATE}/world",
            *arguments,
        ]

    def down(self, wipe=False):
        with self.exclusive():
            self._down(wipe)
        if wipe:
            self.layout.state.with_name(f".{self.layout.state.name}.lock").unlink(missing_ok=True)

    def _down(self, wipe):
        """Everything of the node is in the holder's process namespace and seen from its mount namespace only.
        Without farewells, as in a power cut: etcd, containerd and the bot have to live with that anyway."""
        self.holder.kill()
        self._clear()
        network.remove(self.layout)
        if wipe and self.layout.state.exists():
            subprocess.run(["rm", "-rf", "--one-file-system", self.layout.state], check=True)

    def _clear(self):
        """What a dead node leaves: pid files and cgroups."""
        for record in self.layout.run.glob("*.pid"):
            record.unlink()
        cgroups.remove(self.layout.cgroup)
