"""Where faults come from: stopped parts, a full disk, a bad line to the API server, the stand-ins' own."""

import argparse
import json

from . import enforcement, proxy, storage, talk
from .shell import NodeError, say, wait_until


def add_verbs(verbs):
    for name, text in (("stop", "stop a part, such as apiserver or kubelet"), ("start", "start it again")):
        verbs.add_parser(name, help=text).add_argument("part")
    enforcer = verbs.add_parser("enforcer", help="which, stop, start, or another one")
    enforcer.add_argument("action", choices=("which", "stop", "start", *enforcement.NAMES))
    disk = verbs.add_parser("disk", help="fill the volumes' disk, or free it")
    disk.add_argument("action", choices=("fill", "free"))
    line = verbs.add_parser("proxy", help="faults between clients and the API server (see `env --proxy`)")
    line.add_argument("action", choices=(*proxy.TOXICS, "cut", "heal", "status"))
    line.add_argument("value", nargs="?", type=int)
    image = verbs.add_parser("image", help="list the images that the node has, or forget one")
    image.add_argument("action", choices=("list", "forget"))
    image.add_argument("reference", nargs="?", help="such as nousresearch/hermes-agent:latest")
    verbs.add_parser("heal", help="undo all of these faults, as after a test that was killed")
    world = verbs.add_parser(
        "world",
        help="the stand-ins' control: say, fault, reset, ... (world/README.md)",
        add_help=False,
        prefix_chars="\0",
    )
    world.add_argument("arguments", nargs=argparse.REMAINDER)


def stop(node, options):
    part_of(node, options.part)
    node.processes.stop(options.part)


def start(node, options):
    part_of(node, options.part)
    if node.start(options.part):
        node.processes.settled(options.part)
    if options.part == "apiserver":
        node.cluster.wait_serves()


def part_of(node, name):
    if name not in node.table():
        raise NodeError(f"no part {name!r}; there are: {', '.join(node.table())}")


def enforcer(node, options):
    which = node.enforcement.which()
    if not which:
        raise NodeError("the node is not up")
    if options.action == "which":
        print(which)
        if which != enforcement.NONE and not node.processes.alive("enforcer"):
            say("(stopped)")
    elif options.action in enforcement.NAMES:
        node.switch_enforcer(options.action)
    elif which == enforcement.NONE:
        raise NodeError("this node has no enforcer")
    elif options.action == "stop":
        node.processes.stop("enforcer")
    else:
        node.switch_enforcer(which)


def disk(node, options):
    (storage.fill if options.action == "fill" else storage.free)(node)


def line(node, options):
    if options.action == "heal":
        return heal_line(node)
    answer = proxy.apply(node.address, options.action, options.value)
    if options.action == "status":
        print(json.dumps(answer, indent=1))


def heal_line(node):
    """Begun anew: it hangs when a fault is taken from connections whose client has just gone
    (https://github.com/Shopify/toxiproxy/issues/558)."""
    node.processes.stop("toxiproxy", patience=0.5)
    node.start("toxiproxy")
    wait_until("the proxy", lambda: proxy.sound(node.address), interval=0.05)


def image(node, options):
    if options.action == "list":
        for reference, digest in node.images.digests().items():
            print(f"{reference}  {digest}")
    elif options.reference:
        node.images.forget(options.reference)
    else:
        raise NodeError("image forget takes a reference, such as nousresearch/hermes-agent:latest")


def heal(node, _):
    """What a test that was killed has left, undone. It looks first: mostly there is nothing."""
    if not node.holder.pid():
        raise NodeError("the node is not up")
    with node.exclusive():
        undo(node)


def undo(node):
    started = [name for name in node.table() if name != "enforcer" and node.start(name)]
    if started:
        node.cluster.wait_serves()
    node.switch_enforcer(node.enforcement.usual())
    wait_until("the stand-ins", lambda: talk.told(node, "reset"))
    if not proxy.sound(node.address):
        heal_line(node)
    if storage.filled(node):
        storage.free(node)
    if not node.cluster.has_default_class():
        node.cluster.apply()
    if started:
        node.wait_ready()


VERBS = {
    "stop": stop,
    "start": start,
    "enforcer": enforcer,
    "disk": disk,
    "proxy": line,
    "image": image,
    "heal": heal,
    "world": talk.world,
}
