#!/usr/bin/env python3
"""hermesctl beside kubectl and curl on the node of tests/node; run by scripts/bench."""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True

import probe  # noqa: E402
import ready  # noqa: E402
import report  # noqa: E402
from api import Api  # noqa: E402
from cases import LATENCY, PREFIX, Cases, applied  # noqa: E402
from measure import BenchError, compare  # noqa: E402
from targets import Findings  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "tests/node/node"


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def node(*arguments):
    return subprocess.run([NODE, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def environment():
    """Without a proxy of the person's (the node is reached directly) and their settings of kubectl."""
    if "HERMES_TEST_KUBE" not in os.environ:
        raise BenchError("no node: scripts/bench boots one and runs this")
    return {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")} | {"KUBERC": "off"}


def proxy_kubeconfig():
    settings = (shlex.split(line)[1].partition("=") for line in node("env", "--proxy").splitlines())
    return next(value for name, _, value in settings if name == "KUBECONFIG")


@contextmanager
def latency():
    node("proxy", "latency", LATENCY)
    try:
        yield
    finally:
        node("proxy", "heal")


def starts(cases, count):
    """The last one stays, for the probe and verify."""
    line = cases.api.line
    for i in range(count):
        cases.api.remove_namespaces(PREFIX)
        ns = f"{PREFIX}ready-{i + 1}"
        start = ready.deploy(cases.binary, cases.kubectl, ns, cases.environment(line))
        say(f"start {i + 1} of {count}: said {start.said:.2f} s after the gateway connected")
        yield ns, start


def run(cases, slow, rounds):
    found = Findings(rounds=rounds)
    direct = cases.api.line
    say("start-up")
    found.start_up = compare(cases.start_up(), 2 * rounds)
    say("from the gateway's connected to hermesctl's ready")
    for ns, start in starts(cases, max(rounds // 3, 1)):
        found.starts.append(start)
    found.probe = probe.cost(cases.kubectl, ns, cases.environment(direct), 2 * rounds)
    say("verify")
    found.verify = compare([cases.verify(ns)], found.fewer)
    found.verify_quick = compare([cases.verify(ns, "--quick")], found.fewer)
    say("requests")
    first = cases.record_first()
    no_op, objects = cases.record_no_op(), applied(first)
    found.no_op_requests, found.first_requests = no_op, first
    found.traffic_no_op = cases.traffic(lambda line: cases.no_op(line, no_op, objects))
    found.written = cases.written(no_op, objects)
    found.traffic_first = cases.traffic(lambda line: cases.first_deploy(line, first))
    say("a deploy that changes nothing")
    found.no_op = cases.compare_no_op(direct, no_op, objects, rounds)
    with latency():
        found.no_op_slow = cases.compare_no_op(slow, no_op, objects, found.fewer)
    say("a first deploy")
    found.first = cases.compare_first(direct, first, found.fewer)
    with latency():
        found.first_slow = cases.compare_first(slow, first, found.fewer)
    return found


def stop(*_):
    raise KeyboardInterrupt


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--binary", default=ROOT / "build-release/hermesctl", type=Path)
    options.add_argument("--rounds", default=15, type=int, help="how often each contestant runs (15)")
    options.add_argument("--out", default=ROOT / "docs/performance.md", type=Path)
    options = options.parse_args()
    signal.signal(signal.SIGTERM, stop)
    with tempfile.TemporaryDirectory(prefix="hermesctl-bench-") as scratch:
        env = environment() | {"KUBECACHEDIR": f"{scratch}/kubectl"}
        kubectl = [env["HERMES_TEST_KUBE"], "kubectl"]
        api = Api(kubectl, env["KUBECONFIG"], scratch)
        slow = Api(kubectl, proxy_kubeconfig(), scratch).line
        cases = Cases(str(options.binary), kubectl, api, env, Path(scratch))
        try:
            node("proxy", "heal")
            found = run(cases, slow, options.rounds)
            text = report.text(found, report.versions(str(options.binary), kubectl, api))
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            say(f"removing the namespaces {PREFIX}*")
            node("proxy", "heal")
            api.remove_namespaces(PREFIX)
    options.out.write_text(text)
    print(text)


if __name__ == "__main__":
    try:
        main()
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench: {error}\n{error.stderr}")
    except KeyboardInterrupt:
        sys.exit(130)
