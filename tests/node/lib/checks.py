"""Whether the node can run here, said before anything is changed."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import deps
from .layout import TREE
from .shell import NodeError, succeeds

KEPT = (
    "HOME",
    "PATH",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "HERMESCTL_NODE_STATE",
    "HERMESCTL_KUBE_ROUTER",
    "GOPROXY",
)


def become_root(state, arguments):
    """Namespaces, mounts and cgroups are root's. The person's own directories stay the ones that are used."""
    if os.geteuid() == 0:
        return
    if not shutil.which("sudo"):
        raise NodeError("this needs root (namespaces, mounts, cgroups), and there is no sudo")
    kept = [f"{name}={os.environ[name]}" for name in KEPT if name in os.environ]
    command = [
        "sudo",
        "--",
        "env",
        *kept,
        f"HERMESCTL_NODE_STATE={Path(state).resolve()}",
        sys.executable,
        str(TREE / "node"),
    ]
    os.execvp("sudo", command + arguments)


def give_back(layout):
    """The kubeconfigs belong to the person who called sudo."""
    if owner := os.environ.get("SUDO_UID"):
        for path in (layout.kubeconfig, layout.proxy_kubeconfig):
            os.chown(path, int(owner), int(os.environ.get("SUDO_GID", owner)))


def check(state):
    problems = [
        p for p in (architecture(), packages(), namespaces(), overlay(state), filtering(), memory()) if p
    ]
    if problems:
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
    existing = next(p for p in [Path(state), *Path(state).parents] if p.exists())
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
    if not Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists() and not succeeds(
        ["modprobe", "br_netfilter"]
    ):
        return "this kernel does not offer br_netfilter"


def memory():
    total = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    if total < 3 << 20:
        return f"{total >> 10} MB of memory: the node and a bot need 3 GB"
