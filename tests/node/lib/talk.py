"""Talking to the bot and to the other stand-ins, and what a shell needs to use the node."""

import os
import sys

from .build import kube
from .layout import LAN_HOST, TREE
from .shell import NodeError

sys.path.insert(0, str(TREE / "world"))
import control  # noqa: E402
import control_socket  # noqa: E402
from credentials import KEYS, TOKENS  # noqa: E402

USER = "987654321"


def say(node, options):
    """Exit code 0 when the bot answered that user."""
    return speak(node, "ask", options.text, "--as", options.user, "--timeout", str(options.timeout))


def world(node, options):
    return speak(node, *options.arguments)


def speak(node, *words):
    if not node.holder.pid():
        raise NodeError("the node is not up")
    return control.main(words, socket_folder(node))


def told(node, command):
    """Whether the stand-ins took a command that has no answer."""
    try:
        control_socket.call(socket_folder(node), {"command": command}, 5)
    except (OSError, ValueError):
        return False
    return True


def socket_folder(node):
    """Seen from the machine: a socket knows neither mount nor network namespaces."""
    return node.layout.state / "world"


def direct(address):
    """A person behind a proxy reaches the node without it."""
    if not any(os.environ.get(n) for n in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return {}
    former = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
    exempt = ",".join(n for n in (former, address) if n)
    return {"NO_PROXY": exempt, "no_proxy": exempt}


def environment(node, proxy):
    """Names of tokens and keys as the stand-ins' README has them."""
    layout = node.layout
    kubeconfig = layout.proxy_kubeconfig if proxy else layout.kubeconfig
    if not kubeconfig.exists():
        raise NodeError("the node is not up")
    tokens = {name: value for value, (name, _) in TOKENS.items()}
    keys = {name: value for value, (name, _) in KEYS.items()}
    return {
        **direct(node.address),
        "KUBECONFIG": str(kubeconfig),
        "HERMES_TEST_TOKEN": tokens["cage"],
        "HERMES_TEST_TOKEN_NEXT": tokens["cage-next"],
        "HERMES_TEST_TOKEN_OTHER": tokens["other"],
        "HERMES_TEST_KEY": keys["global"],
        "HERMES_TEST_KEY_NEXT": keys["global-next"],
        "HERMES_TEST_KEY_CN": keys["cn"],
        "HERMES_TEST_USER": USER,
        "HERMES_TEST_LAN_HOST": LAN_HOST,
        "HERMES_TEST_KUBE": kube()[0],
        "HERMES_TEST_STATE": str(layout.state),
    }
