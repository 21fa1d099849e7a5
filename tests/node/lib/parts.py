"""The parts of a node, as `status` lists them: what runs, in which network, and the files that shape it."""

from typing import NamedTuple

from . import images, pki, programs
from .layout import TREE


class Part(NamedTuple):
    argv: list
    net: str
    files: tuple = ()  # changed ones mean that it has to be started again
    env = programs.ENVIRONMENT


def table(layout, address, enforcement):
    inner, world, conf = layout.node_ns, layout.world_ns, layout.state / "conf"
    sources = tuple(sorted(p for p in (TREE / "world").glob("*.py") if not p.name.startswith("test_")))
    parts = {
        "etcd": Part(programs.etcd(), inner),
        "containerd": Part(programs.containerd(), inner, (conf / "containerd.toml",)),
        "apiserver": Part(programs.apiserver(address), inner),
        "toxiproxy": Part(programs.toxiproxy(address), inner, (conf / "toxiproxy.json",)),
        "dnsmasq": Part(programs.dnsmasq(), world, (conf / "dnsmasq.conf",)),
        "registry": Part(programs.registry(images.registry_root()), world),
        "standins": Part(programs.standins(pki.world_certificate()), world, sources),
        "controller-manager": Part(programs.controller_manager(), inner),
        "scheduler": Part(programs.scheduler(), inner),
        "kubelet": Part(programs.kubelet(), inner, (conf / "kubelet.yaml",)),
        "kube-proxy": Part(programs.kube_proxy(), inner),
    }
    if enforcement.active():
        parts["enforcer"] = Part(enforcement.command(), inner)
    return parts
