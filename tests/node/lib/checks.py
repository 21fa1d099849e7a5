"""Whether the node can run here, said before anything is changed."""

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import cgroups, deps
from .layout import cache_dir
from .shell import NodeError, succeeds

STATE_SIZE, CACHE_SIZE = 2, 10  # GB
# How bridges were before br_netfilter came: seen by no iptables
BRIDGE_SWITCHES = ("bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables")


def check(state):
    found = [architecture(), packages(), namespaces(), cgroups.trial(), overlay(state), memory()]
    found += room(state, cache_dir())
    if not found[1]:  # filters are tried with programs of those packages
        found.append(filtering())
    refuse(found)
    refuse([bridges(Path("/proc/sys/net/bridge"))])  # changes the machine: last


def refuse(found):
    if problems := [p for p in found if p]:
        raise NodeError("the node cannot run here:\n  " + "\n  ".join(problems))


def architecture():
    if platform.machine() != "x86_64":
        return f"the images are for amd64, this machine is {platform.machine()}"


def packages():
    if missing := deps.missing():
        return f"missing: {', '.join(missing)} (`tests/node/node deps` installs them)"


def namespaces():
    if not succeeds(["unshare", "--mount", "--pid", "--net", "--fork", "--mount-proc", "true"]):
        return "no new namespaces (unshare fails): in a container this needs --privileged"


def overlay(state):
    """containerd keeps images as overlays, which a directory on one (a container's root) cannot hold."""
    existing = nearest(state)
    with tempfile.TemporaryDirectory(dir=existing) as scratch:
        for name in ("lower", "upper", "work", "merged"):
            os.mkdir(f"{scratch}/{name}")
        options = f"lowerdir={scratch}/lower,upperdir={scratch}/upper,workdir={scratch}/work"
        trial = [
            "unshare",
            "--mount",
            "mount",
            "-t",
            "overlay",
            "overlay",
            "-o",
            options,
            f"{scratch}/merged",
        ]
        result = subprocess.run(trial, capture_output=True, text=True)
    if result.returncode:
        return f"no overlay file system in {existing}: {result.stderr.strip()} (another place: --state)"


def filtering():
    """kube-proxy and the enforcers need iptables, ipset and nftables, in a network namespace of their own."""
    trials = {
        "iptables": ["iptables", "-t", "nat", "-L", "-n"],
        "nftables": ["nft", "add", "table", "inet", "trial"],
        "ipset": ["ipset", "create", "trial", "hash:net"],
    }
    failed = [name for name, trial in trials.items() if not succeeds(["unshare", "--net", *trial])]
    if failed:
        return f"this kernel does not offer: {', '.join(failed)}"


def bridges(switches):
    """The module begins by showing the machine's own bridges to iptables, too, which nobody asked for."""
    if switches.exists():
        return None
    if not succeeds(["modprobe", "br_netfilter"]) or not switches.exists():
        return "this kernel does not offer br_netfilter"
    for name in BRIDGE_SWITCHES:
        (switches / name).write_text("0\n")


def nearest(path):
    """The path, or what exists above it."""
    return next(p for p in [Path(path), *Path(path).parents] if p.exists())


def room(state, cache):
    """For what is to be made: a new state, and what a first build leaves in the cache and beside it."""
    wanted = {} if (Path(state) / "etcd").exists() else {state: STATE_SIZE}
    if not any(cache.glob("registry/*/digests")):
        wanted[cache] = CACHE_SIZE
    for path, size in wanted.items():
        free = shutil.disk_usage(nearest(path)).free >> 30
        if free < size:
            yield f"{free} GB free for {path}: this needs {size} GB"


def memory():
    total = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    if total < 3 << 20:
        return f"{total >> 10} MB of memory: the node and a bot need 3 GB"
