"""The command lines of everything that runs on the node."""

import os

from . import proxy
from .build import binary
from .holder import PATH
from .layout import (
    API_PORT,
    INSIDE_CACHE,
    INSIDE_STATE,
    INSIDE_TREE,
    LAN_HOST,
    NODE_ADDRESS,
    NODE_NAME,
    RESOLVER,
    SERVICE_RANGE,
    cache_dir,
)

PYTHON = "/usr/bin/python3"
PKI = f"{INSIDE_STATE}/pki"
# containerd trusts the world's authority and no other; nothing is written into the tree
ENVIRONMENT = {
    "HOME": "/root",
    "PATH": PATH,
    "SSL_CERT_FILE": f"{INSIDE_CACHE}/pki/world-ca.crt",
    "SSL_CERT_DIR": "/nonexistent",
    "PYTHONDONTWRITEBYTECODE": "1",
    "GOGC": "400",  # less of the processor for Kubernetes' programs, for more memory
    **{name: value for name, value in os.environ.items() if name == "GOMAXPROCS"},
}
ETCD = "http://127.0.0.1:2379"
ADMIN = f"--kubeconfig={INSIDE_STATE}/conf/admin.kubeconfig"
REGISTRY_ADDRESS = "127.0.0.1:5000"


def cached(path):
    """A path in the cache as seen inside."""
    return f"{INSIDE_CACHE}/{path.relative_to(cache_dir())}"


def calm(argv):
    """Where the kernel has it (proc(5), timerslack_ns), its timers are up to 50 ms late: Kubernetes' programs have
    hundreds, and one wake-up serves several. A node that idles takes half as much of the processors. Not for containerd,
    whose containers would be late, too."""
    late = 'echo 50000000 2>/dev/null >/proc/self/timerslack_ns; exec "$@"'
    return ["sh", "-c", late, "sh", *argv]


def kube(program):
    return calm([cached(binary("kube")), program])


def etcd():
    return [
        *calm(["etcd"]),
        f"--data-dir={INSIDE_STATE}/etcd",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",  # a node need not outlive its machine
    ]


def apiserver(api_address):
    return [
        *kube("kube-apiserver"),
        f"--etcd-servers={ETCD}",
        "--bind-address=0.0.0.0",
        f"--secure-port={API_PORT}",
        f"--advertise-address={NODE_ADDRESS}",
        f"--tls-cert-file={PKI}/apiserver-{api_address}.crt",
        f"--tls-private-key-file={PKI}/apiserver-{api_address}.key",
        f"--client-ca-file={PKI}/ca.crt",
        f"--kubelet-certificate-authority={PKI}/ca.crt",
        f"--kubelet-client-certificate={PKI}/kubelet-client.crt",
        f"--kubelet-client-key={PKI}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={PKI}/sa.pub",
        f"--service-account-signing-key-file={PKI}/sa.key",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--anonymous-auth=false",
        "--allow-privileged=true",
    ]


def controller_manager():
    return [
        *kube("kube-controller-manager"),
        ADMIN,
        f"--service-account-private-key-file={PKI}/sa.key",
        f"--root-ca-file={PKI}/ca.crt",
        "--use-service-account-credentials",
        "--allocate-node-cidrs",
        "--cluster-cidr=10.42.0.0/16",
        "--leader-elect=false",
    ]


def scheduler():
    return [*kube("kube-scheduler"), ADMIN, "--leader-elect=false"]


def kubelet():
    return [
        *kube("kubelet"),
        f"--config={INSIDE_STATE}/conf/kubelet.yaml",
        f"--kubeconfig={INSIDE_STATE}/conf/node.kubeconfig",
        f"--root-dir={INSIDE_STATE}/kubelet",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={NODE_ADDRESS}",
    ]


def kube_proxy():
    return [
        *kube("kube-proxy"),
        ADMIN,
        "--proxy-mode=iptables",
        "--cluster-cidr=10.42.0.0/16",
        f"--hostname-override={NODE_NAME}",
        "--conntrack-max-per-core=0",
    ]


def containerd():
    return ["containerd", "-c", f"{INSIDE_STATE}/conf/containerd.toml"]


def toxiproxy(api_address):
    return [
        cached(binary("toxiproxy")),
        "-host",
        api_address,
        "-port",
        str(proxy.CONTROL_PORT),
        "-config",
        f"{INSIDE_STATE}/conf/toxiproxy.json",
    ]


def dnsmasq():
    return [
        "dnsmasq",
        "--keep-in-foreground",
        f"--conf-file={INSIDE_STATE}/conf/dnsmasq.conf",
        "--pid-file",
        "--user=root",
    ]


def registry(root):
    return [cached(binary("registry")), "serve", cached(root), REGISTRY_ADDRESS]


def standins(certificate):
    return [
        PYTHON,
        f"{INSIDE_TREE}/world/standins.py",
        "--cert",
        f"{PKI}/{certificate}.crt",
        "--key",
        f"{PKI}/{certificate}.key",
        "--state",
        f"{INSIDE_STATE}/world",
        "--registry",
        f"http://{REGISTRY_ADDRESS}",
        "--listen",
        f"tcp:{LAN_HOST}:22,445,8006",
        "--listen",
        f"tcp:{RESOLVER}:53,853",
        "--listen",
        f"udp:{RESOLVER}:53",
    ]


def enforcer(which, program):
    if which == "agent":
        return [cached(program), ADMIN, f"--node-name={NODE_NAME}"]
    return [
        cached(program),
        "--run-firewall=true",
        "--run-router=false",
        "--run-service-proxy=false",
        ADMIN,
        f"--hostname-override={NODE_NAME}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--v=1",
    ]


def enforcer_cleanup(which, program):
    """Removes the rules that an enforcer leaves when it stops."""
    return [cached(program), "--cleanup" if which == "agent" else "--cleanup-config"]
