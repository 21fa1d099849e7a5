"""The files that the node's programs read. Paths are as seen inside: the same for every node."""

import base64
import json

from .layout import (
    API_PORT,
    CLUSTER_DNS,
    INSIDE_STATE,
    INTERNET,
    KERNEL_SETTINGS,
    LAN_HOST,
    NODE_ADDRESS,
    POD_RANGE,
    PROXY_PORT,
    WORLD_NAMES,
)
from . import proxy
from .images import PAUSE_REFERENCE

CONTAINERD = """version = 2
root = "{state}/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # always: without CAP_SYS_RESOURCE runc cannot lower a score, and no pod should outrank the machine's own
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{state}/conf/cni"
"""

KUBELET = """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {address}
authentication:
  anonymous: {{enabled: false}}
  webhook: {{enabled: true}}
  x509: {{clientCAFile: {state}/pki/ca.crt}}
authorization: {{mode: Webhook}}
cgroupDriver: cgroupfs
cgroupRoot: /{cgroup}
clusterDNS: [{dns}]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
failSwapOn: false
tlsCertFile: {state}/pki/kubelet.crt
tlsPrivateKeyFile: {state}/pki/kubelet.key
evictionHard: {{nodefs.available: "1%", imagefs.available: "1%", memory.available: "100Mi"}}
imageGCHighThresholdPercent: 100
podLogsDir: {state}/pods
resolvConf: {state}/conf/resolv.conf
"""

DNSMASQ = """no-resolv
no-hosts
listen-address={internet}
bind-interfaces
address=/{names}/{internet}
address=/nas.lan/{lan}
"""


def kubeconfig(server, pki, user):
    """Self-contained, so that it can be copied and read by the person who ran the node with sudo."""

    def data(path):
        return base64.b64encode(path.read_bytes()).decode()

    return (
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "node",
                "clusters": [
                    {
                        "name": "node",
                        "cluster": {"server": server, "certificate-authority-data": data(pki / "ca.crt")},
                    }
                ],
                "users": [
                    {
                        "name": user,
                        "user": {
                            "client-certificate-data": data(pki / f"{user}.crt"),
                            "client-key-data": data(pki / f"{user}.key"),
                        },
                    }
                ],
                "contexts": [{"name": "node", "context": {"cluster": "node", "user": user}}],
            },
            indent=1,
        )
        + "\n"
    )


def network_plugin():
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": f"{INSIDE_STATE}/cni",
            "ranges": [[{"subnet": POD_RANGE}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return json.dumps(
        {
            "cniVersion": "1.0.0",
            "name": "pods",
            "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}],
        }
    )


def write(layout, api_address):
    conf = layout.state / "conf"
    kubelet = KUBELET.format(state=INSIDE_STATE, address=NODE_ADDRESS, cgroup=layout.cgroup, dns=CLUSTER_DNS)
    files = {
        conf / "containerd.toml": CONTAINERD.format(state=INSIDE_STATE, pause=PAUSE_REFERENCE),
        conf / "cni/10-bridge.conflist": network_plugin(),
        conf / "resolv.conf": f"nameserver {INTERNET}\n",
        conf / "kubelet.yaml": kubelet,
        conf / "dnsmasq.conf": DNSMASQ.format(internet=INTERNET, lan=LAN_HOST, names="/".join(WORLD_NAMES)),
        conf / "toxiproxy.json": json.dumps(proxy.CONFIG),
        conf / "admin.kubeconfig": kubeconfig(f"https://127.0.0.1:{API_PORT}", layout.pki, "admin"),
        conf / "node.kubeconfig": kubeconfig(f"https://127.0.0.1:{API_PORT}", layout.pki, "node"),
        layout.kubeconfig: kubeconfig(f"https://{api_address}:{API_PORT}", layout.pki, "admin"),
        layout.proxy_kubeconfig: kubeconfig(f"https://{api_address}:{PROXY_PORT}", layout.pki, "admin"),
    }
    files |= {conf / "kernel" / name: f"{value}\n" for name, value in KERNEL_SETTINGS.items()}
    for path, text in files.items():
        if path.exists() and path.read_text() == text:
            continue  # somebody may be reading it
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        path.write_text(text)
    (conf / "resolv.conf").chmod(0o644)
