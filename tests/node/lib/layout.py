"""Where everything lies: the tree of sources, the cache that all nodes share, and one node's state."""

import hashlib
import os
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
CHECKOUT = TREE.parent.parent

# The same directories as the node's own processes see them, whatever their paths outside: short and constant.
INSIDE_STATE = "/run/node"
INSIDE_CACHE = "/run/cache"
INSIDE_TREE = "/run/tree"

NODE_NAME = "hz"
NODE_ADDRESS = "192.168.50.1"
LAN_HOST = "192.168.50.10"
INTERNET = "149.154.167.220"
RESOLVER = "1.1.1.1"  # a stand-in for any public one
CLUSTER_DNS = "10.43.0.10"
POD_RANGE = "10.42.0.0/24"
SERVICE_RANGE = "10.43.0.0/16"
API_PORT = 6443
PROXY_PORT = 16443
WORLD_NAMES = (
    "api.telegram.org",
    "api.minimax.io",
    "api.minimaxi.com",
    "registry-1.docker.io",
    "index.docker.io",
    "auth.docker.io",
)
# What a kubelet wants of the whole machine's kernel
KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}


def short_hash(text):
    return hashlib.sha256(str(text).encode()).hexdigest()[:8]


def cache_dir():
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "hermesctl" / "node"


def default_state():
    if chosen := os.environ.get("HERMESCTL_NODE_STATE"):
        return Path(chosen)
    root = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(root) / "hermesctl" / f"node-{short_hash(CHECKOUT)}"


class Layout:
    """One node's directories and the names derived from them, so that two nodes never share one."""

    def __init__(self, state):
        self.state = Path(state).resolve()
        self.id = short_hash(self.state)
        self.cache = cache_dir()
        self.node_ns = f"hcn-{self.id}"
        self.world_ns = f"hcw-{self.id}"
        self.link = f"hc-{self.id}"
        self.cgroup = f"hermesctl-{self.id}"
        self.log = self.state / "log"
        self.run = self.state / "run"
        self.pki = self.state / "pki"
        self.kubeconfig = self.state / "kubeconfig"
        self.proxy_kubeconfig = self.state / "kubeconfig-proxy"

    def create(self):
        for name in (
            "log",
            "run",
            "pki",
            "etcd",
            "containerd",
            "kubelet",
            "pods",
            "cni",
            "storage",
            "world",
            "conf",
        ):
            (self.state / name).mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o711)  # pods' volumes lie below it; nothing in it may be listed
        self.pki.chmod(0o700)
