"""Starting the parts of a node in their order, side by side where they do not need each other."""

import socket

from . import talk
from .node_images import CONTAINERD
from .shell import NodeError, wait_until


class StateBroken(NodeError):
    """What keeps the node's state died on it."""


def boot(node):
    import concurrent.futures  # costs more than most verbs, which do without

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        store, runtime, others = (pool.submit(part, node) for part in (api, containers, world))
        store.result()
        managed = pool.submit(managers, node)
        runtime.result()
        kubelet(node)
        for rest in (managed, others):
            rest.result()


def keeps_state(node, *names):
    try:
        for name in names:
            node.processes.check(name)
    except NodeError as error:
        raise StateBroken(str(error)) from None


def api(node):
    def serves():
        keeps_state(node, "etcd", "apiserver")
        return node.cluster.serves()

    for name in ("etcd", "apiserver", "toxiproxy"):
        node.start(name)
    wait_until("the API server", serves)


def managers(node):
    for name in ("controller-manager", "scheduler"):
        node.start(name)
    node.cluster.apply()


def containers(node):
    def serves():
        keeps_state(node, "containerd")
        return listens(node.holder.seen(CONTAINERD))

    node.start("containerd")
    wait_until("containerd", serves)
    node.images.refresh()


def listens(path):
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def kubelet(node):
    for name in ("kubelet", "kube-proxy"):
        node.start(name)
    # kube-router, which comes next, gives up where there is no node object
    wait_until("the kubelet", lambda: node.processes.check("kubelet") or node.cluster.registered())


def world(node):
    def answers():
        node.processes.check("standins")
        return talk.told(node, "ping")

    for name in ("dnsmasq", "registry", "standins"):
        node.start(name)
    wait_until("the stand-ins", answers)
