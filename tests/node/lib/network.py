"""The node's networks, all in namespaces of its own, with no way out to any real one:

    host --172.30.x.y/30-- node --192.168.50.0/24-- world

The node is 192.168.50.1, with pods in 10.42.0.0/24 and services in 10.43.0.0/16. The world holds the LAN host
192.168.50.10, "the internet" 149.154.167.220 and a public resolver 1.1.1.1. Only the host link differs between nodes.
"""

import fcntl
import ipaddress
import json
import socket
import struct
from pathlib import Path

from .layout import INTERNET, LAN_HOST, NODE_ADDRESS, RESOLVER
from .shell import NodeError, lock, run, succeeds

SIOCGIFADDR = 0x8915
LINKS = ipaddress.ip_network("172.30.0.0/16")
# The host's own services answer on the link's address: pods must not reach them
NO_WAY_OUT = """table inet node-border {
  chain forward { type filter hook forward priority -300; oifname "up0" ct state new,invalid drop; }
}
"""


def namespace(name):
    return Path("/var/run/netns") / name


def in_namespace(name, *argv):
    return ["nsenter", f"--net={namespace(name)}", "--", *argv]


def used_ranges():
    """Ranges that the machine has an address in or a route to (the default route apart)."""
    found = []
    for entry in json.loads(run(["ip", "-j", "-4", "addr"]) or "[]"):
        found += [
            ipaddress.ip_network(f"{a['local']}/{a['prefixlen']}", strict=False)
            for a in entry.get("addr_info", [])
            if a.get("local")
        ]
    for route in json.loads(run(["ip", "-j", "-4", "route", "show", "table", "all"]) or "[]"):
        if route.get("dst") not in (None, "default") and route.get("type") not in ("broadcast", "local"):
            found.append(ipaddress.ip_network(route["dst"], strict=False))
    return found


def pick_link(identity, taken):
    links = list(LINKS.subnets(new_prefix=30))
    first = int(identity, 16) % len(links)
    for link in links[first:] + links[:first]:
        if not any(link.overlaps(other) for other in taken):
            return link
    raise NodeError(f"no free /30 in {LINKS} for the link between host and node")


def link_addresses(layout):
    """(host's, node's) address on the link, as read from the link itself; None when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            answer = fcntl.ioctl(any_socket, SIOCGIFADDR, struct.pack("40s", layout.link.encode()))
        except OSError:
            return None
    host = ipaddress.ip_address(answer[20:24])
    return str(host), str(host + 1)


def complete(layout):
    """The border is the last thing that is made."""
    border = in_namespace(layout.node_ns, "nft", "list", "table", "inet", "node-border")
    return (
        link_addresses(layout) is not None
        and namespace(layout.world_ns).exists()
        and namespace(layout.node_ns).exists()
        and succeeds(border)
    )


def create(layout):
    """The namespaces and links, where nothing of them is."""
    with lock(Path("/run/lock/hermesctl-node-network"), "another node's network"):
        link = pick_link(layout.id, used_ranges())
        host, node = (str(a) for a in link.hosts())
        run(["ip", "netns", "add", layout.node_ns])
        run(["ip", "netns", "add", layout.world_ns])
        batch(layout, host)
    inside(layout, node)


def batch(layout, host):
    run(
        ["ip", "-batch", "-"],
        input=f"""
link add lan0 netns {layout.node_ns} type veth peer name lan0 netns {layout.world_ns}
link add {layout.link} type veth peer name up0 netns {layout.node_ns}
addr add {host}/30 dev {layout.link}
link set {layout.link} up
""",
    )


def inside(layout, node):
    run(
        ["ip", "-n", layout.node_ns, "-batch", "-"],
        input=f"""
link set lo up
addr add {NODE_ADDRESS}/24 dev lan0
link set lan0 up
addr add {node}/30 dev up0
link set up0 up
route add default via {LAN_HOST}
""",
    )
    run(
        ["ip", "-n", layout.world_ns, "-batch", "-"],
        input=f"""
link set lo up
addr add {LAN_HOST}/24 dev lan0
addr add {INTERNET}/32 dev lo
addr add {RESOLVER}/32 dev lo
link set lan0 up
""",
    )
    run(
        in_namespace(
            layout.node_ns, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=1"
        )
    )
    run(in_namespace(layout.node_ns, "nft", "-f", "-"), input=NO_WAY_OUT)


def remove(layout):
    for name in (layout.node_ns, layout.world_ns):
        if namespace(name).exists():
            run(["ip", "netns", "delete", name])
    if succeeds(["ip", "link", "show", "dev", layout.link]):
        succeeds(["ip", "link", "delete", layout.link])
