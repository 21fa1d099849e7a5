"""The command line of tests/node/node."""

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

from . import build as go_build
from . import deps, enforcement, faults, root, talk
from .images import prepare
from .layout import Layout, cache_dir, default_state
from .node import Node
from .shell import NodeError, say


def parser():
    top = argparse.ArgumentParser(
        prog="node", description="A real one-node Kubernetes for tests and the quickstart."
    )
    top.add_argument(
        "--state", help="the node's directory (default: $HERMESCTL_NODE_STATE, else one per checkout)"
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    up = verbs.add_parser("up", help="boot it, mend it, or see that it is up")
    up.add_argument("--enforcer", choices=enforcement.NAMES, help="what enforces NetworkPolicies")
    down = verbs.add_parser("down", help="end everything that belongs to it")
    down.add_argument("--wipe", action="store_true", help="and forget its state")
    verbs.add_parser("status", help="what runs; exit 1 unless it is up")
    ask = verbs.add_parser("say", help="talk to the bot as a Telegram user and print its answer")
    ask.add_argument("text")
    ask.add_argument("--from", dest="user", default=talk.USER, help="the user's numeric id")
    ask.add_argument("--timeout", type=int, default=60)
    env = verbs.add_parser("env", help='shell variables for using it: eval "$(node env)"')
    env.add_argument("--proxy", action="store_true", help="through the proxy of `node proxy`")
    for name, text in (
        ("kubectl", "the node's own kubectl"),
        ("go", "the Go that its programs are built with"),
    ):
        foreign = verbs.add_parser(name, help=text, add_help=False, prefix_chars="\0")
        foreign.add_argument("arguments", nargs=argparse.REMAINDER)
    verbs.add_parser("build", help="build programs and images into the cache")
    verbs.add_parser("deps", help="install the Debian packages that it needs")
    faults.add_verbs(verbs)
    for verb in verbs.choices.values():
        if verb.prefix_chars == "-":
            verb.add_argument("--state", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return top


def up(node, options):
    started = time.monotonic()
    try:
        how = node.up(options.enforcer)
    finally:
        root.give_back(node.layout.kubeconfig, node.layout.proxy_kubeconfig)
    say(f"the node is up ({how}, {time.monotonic() - started:.1f} s); enforcer: {node.enforcement.which()}")
    say(f"export KUBECONFIG={shlex.quote(str(node.layout.kubeconfig))}")


def down(node, options):
    if not node.down(options.wipe):
        say("there was no node")
    else:
        say("the node is down" + (" and forgotten" if options.wipe else ""))


def status(node, _):
    if not node.holder.pid() or not node.address:
        print("down")
        return 1
    dead, missing = node.dead(), list(node.cluster.missing())
    print("up" if not dead and not missing else "half up")
    print(
        f"state       {node.layout.state}\n"
        f"kubeconfig  {node.layout.kubeconfig}\n"
        f"enforcer    {node.enforcement.which()}"
    )
    for name in node.table():
        print(f"{name:<20}{'dead' if name in dead else 'runs'}")
    for line in missing:
        print(line)
    return 1 if dead or missing else 0


def env(node, options):
    for name, value in talk.environment(node, options.proxy).items():
        print(f"export {name}={shlex.quote(value)}")


def build(_node, _options):
    prepare()


def kubectl(node, options):
    node.cluster.exec_kubectl(options.arguments)


def go(_node, options):
    return go_build.go(options.arguments)


VERBS = {
    "up": up,
    "down": down,
    "status": status,
    "say": talk.say,
    "env": env,
    "build": build,
    "kubectl": kubectl,
    "go": go,
    **faults.VERBS,
}


def main(arguments):
    options = parser().parse_args(arguments)
    try:
        if options.verb == "deps":
            return deps.install()
        state = options.state or default_state()
        root.become_root(state, arguments)
        for directory in (cache_dir(), Path(state).parent):
            root.own_directory(directory.absolute())
        return VERBS[options.verb](Node(Layout(state)), options) or 0
    except NodeError as error:
        print(f"node: {error}", file=sys.stderr)
        return error.code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
