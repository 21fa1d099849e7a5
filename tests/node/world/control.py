#!/usr/bin/python3
"""Speaks to the stand-ins: talk as a user, read what bots sent, set and reset faults. See README.md."""

import argparse
import json
import sys

import control_socket
from model import heard

DEFAULT_USER = 4242424242
SLACK = 60  # for a busy machine


def parse(arguments, state):
    top = argparse.ArgumentParser(prog="node world" if state else None, description=__doc__)
    top.add_argument("--state", required=not state, default=state, help="state directory of the stand-ins")
    verbs = top.add_subparsers(dest="command", required=True)
    verbs.add_parser("ping")
    verbs.add_parser("pending")
    for name in ("say", "ask"):
        talk = verbs.add_parser(name)
        talk.add_argument("text")
        talk.add_argument("--as", dest="user", type=int, default=DEFAULT_USER)
        talk.add_argument("--bot", default="cage")
    talk.add_argument("--contains")
    talk.add_argument("--timeout", type=float, default=60)
    verbs.add_parser("sent").add_argument("--since", type=int, default=0)
    wait = verbs.add_parser("wait")
    wait.add_argument("--since", type=int, default=0)
    wait.add_argument("--contains", default="")
    wait.add_argument("--as", dest="user", type=int)
    wait.add_argument("--timeout", type=float, default=60)
    fault = verbs.add_parser("fault")
    fault.add_argument("service", choices=("telegram", "model", "registry"))
    fault.add_argument("kind")
    fault.add_argument("value", type=int, nargs="?", default=0)
    fault.add_argument("--only", type=lambda text: text.split(","), default=[])
    fault.add_argument("--name", default="")
    fault.add_argument("--times", type=int, default=0)
    fault.add_argument("--after", type=int, default=0)
    fault.add_argument("--retry-after", type=int, default=5)
    webhook = verbs.add_parser("webhook")
    webhook.add_argument("url")
    webhook.add_argument("--bot", default="cage")
    verbs.add_parser("reset").add_argument("service", nargs="?", default="")
    verbs.add_parser("counters").add_argument("--zero", action="store_true")
    return top.parse_args(arguments)


def ask(state, request):
    """Says it and waits for the answer that belongs to it, not for a notice that came in between. A command
    (/status) is answered by the gateway in its own words."""
    contains = request.pop("contains")
    said = heard(request["text"])
    expected = contains if contains is not None else "" if said.startswith("/") else f"you said '{said}"
    since = control_socket.call(state, {**request, "command": "say"}, SLACK)
    wait = {
        "command": "wait",
        "since": since,
        "contains": expected,
        "timeout": request["timeout"],
        "user": request["user"],
        "bot": request["bot"],
    }
    return control_socket.call(state, wait, request["timeout"] + SLACK)


def show(command, result):
    if command in ("ask", "wait"):
        if result is None:
            print("no answer", file=sys.stderr)
            return 1
        print(result["text"] if command == "ask" else json.dumps(result))
    elif command == "sent":
        for message in result:
            print(json.dumps(message))
    elif result is not None:
        print(result if isinstance(result, str) else json.dumps(result))
    return 0


def main(arguments=None, state=None):
    """`state` is given by `node world`, which is this in its own process."""
    request = {k: v for k, v in vars(parse(arguments, state)).items() if v is not None or k == "contains"}
    state = request.pop("state")
    try:
        if request["command"] == "ask":
            return show("ask", ask(state, request))
        result = control_socket.call(state, request, request.get("timeout", 0) + SLACK)
        return show(request["command"], result)
    except (OSError, ValueError) as error:
        print(f"control: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
