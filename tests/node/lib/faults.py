"""Where faults come from: stopped parts, a full disk, a bad line to the API server, the stand-ins' own."""

import argparse
import json
import subprocess

from . import proxy, storage
from .shell import NodeError

ENFORCERS = ("kube-router", "agent", "none")


def add_verbs(verbs):
    for name, text in (("stop", "stop a part, such as apiserver or kubelet"), ("start", "start it again")):
        verbs.add_parser(name, help=text).add_argument("part")
    enforcer = verbs.add_parser("enforcer", help="which, stop, start, or another one")
    enforcer.add_argument("action", choices=("which", "stop", "start", *ENFORCERS))
    disk = verbs.add_parser("disk", help="fill the volumes' disk, or free it")
    disk.add_argument("action", choices=("fill", "free"))
    line = verbs.add_parser("proxy", help="faults between clients and the API server (see `env --proxy`)")
    line.add_argument("action", choices=(*proxy.TOXICS, "cut", "heal", "status"))
    line.add_argument("value", nargs="?", type=int)
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
    node.start(options.part)
    if options.part == "apiserver":
        node.cluster.wait_serves()


def part_of(node, name):
    if name not in node.table():
        raise NodeError(f"no part {name!r}; there are: {', '.join(node.table())}")


def enforcer(node, options):
    if options.action == "which":
        running = node.enforcer() == "none" or node.processes.alive("enforcer")
        print(node.enforcer() + ("" if running else " (stopped)"))
    elif options.action in ENFORCERS:
        node.switch_enforcer(options.action)
    elif node.enforcer() == "none":
        raise NodeError("this node has no enforcer")
    elif options.action == "stop":
        node.processes.stop("enforcer")
    else:
        node.start("enforcer")


def disk(node, options):
    (storage.fill if options.action == "fill" else storage.free)(node)


def line(node, options):
    answer = proxy.apply(node.address, options.action, options.value)
    if options.action == "status":
        print(json.dumps(answer, indent=1))


def world(node, options):
    return subprocess.run(node.holder.enter(node.world_command(*options.arguments)), cwd="/").returncode


VERBS = {"stop": stop, "start": start, "enforcer": enforcer, "disk": disk, "proxy": line, "world": world}
