"""The report as Markdown: the design's targets first, then all figures, then how they came about."""

import statistics
import subprocess
from collections import Counter

from cases import LATENCY
from recorder import together
from replay import CONNECTIONS
from table import WHO, grid, machine, of_figures, of_traffic, row, spread
from targets import targets

HOW = """\
- Each figure is of whole processes, from the start of one to its end: the median (the fastest-the slowest)
  of {rounds} runs, of {fewer} for verify, for first deploys and with added latency, of twice {rounds} for
  the start. The contestants take turns, after a turn that is not counted. Peak memory is of one more run; MB
  are 10^6 bytes.
- Start: `hermesctl version`, `kubectl version --client`, `curl --version`.
- Readiness probe: its command, run {probes} times in the container of an agent that answers; the median.
- verify: of that agent, whole and `--quick`; it ended well each time.
- No-op: `hermesctl deploy --no-wait` on an installation that a first deploy has made, `kubectl apply
  --server-side` of the objects that this one applied, under its field manager, and curl with the requests
  that the no-op sends (both recorded in this run).
- First deploy: the same into a namespace that is not there. No node takes its pods, so that their start is
  not measured.
- kubectl has its discovery cache, filled in the turn before.
- "curl" is one process that sends hermesctl's requests one after the other on one kept-alive HTTP/1.1
  connection. "curl, all at once" sends those of the no-op on {connections} connections without their order.
- One after the other: the longest chain of requests of which each began when the one before was answered.
  Round trips: what {latency} ms added to each answer cost, divided by {latency} ms; TLS handshakes are in
  it.
- The latency is added by a proxy (toxiproxy) between client and API server.
- Ready: `hermesctl deploy` of a real gateway, {starts} times. The gateway has connected at the time of its
  own log line "telegram connected". "The bot answers" comes after Telegram and the provider were asked from
  inside the pod. `kubectl rollout status` of the same Deployment ran beside it.
"""


def trips(quick, slow):
    return {name: (slow[name].wall - quick[name].wall) * 1000 / LATENCY for name in slow}


def figures(found):
    slow = f", {LATENCY} ms added"
    rows = of_figures("start", found.start_up)
    rows += of_figures("verify", found.verify) + of_figures("verify --quick", found.verify_quick)
    rows += of_figures("no-op", found.no_op)
    rows.append(row(f"no-op{slow}: ms", found.no_op_slow, spread))
    rows += of_figures("first deploy", found.first)
    rows.append(row(f"first deploy{slow}: ms", found.first_slow, spread))
    for title, traffic, quick, late in (
        ("no-op", found.traffic_no_op, found.no_op, found.no_op_slow),
        ("first deploy", found.traffic_first, found.first, found.first_slow),
    ):
        rows += of_traffic(title, traffic)
        rows.append(row(f"{title}: round trips", trips(quick, late), lambda n: f"{n:.1f}"))
        if traffic is found.traffic_no_op:
            rows.append(row("no-op: objects written", found.written, lambda kinds: str(len(kinds))))
    return grid(["", *WHO], rows)


def starts(found):
    def of(title, name):
        values = [getattr(start, name) for start in found.starts]
        return [title, f"{statistics.median(values):.2f}", f"{min(values):.2f}", f"{max(values):.2f}"]

    rows = [
        of('hermesctl says "telegram connected"', "said"),
        of('hermesctl says "the bot answers"', "answers"),
        of("`kubectl rollout status` ends", "rollout"),
        of("the whole deploy, from its command on", "whole"),
    ]
    return grid(["seconds after the gateway has connected", "median", "fastest", "slowest"], rows)


def sequence(requests):
    """What was under way together, in order: "7 GET, then 1 POST"."""
    groups = []
    for group in together(requests):
        counts = Counter(f"{r.method}{' (dry run)' if 'dryRun=All' in r.target else ''}" for r in group)
        groups.append(" + ".join(f"{count} {what}" for what, count in counts.items()))
    return ", then ".join(groups)


def written_text(found):
    lines = [f"{name} wrote to {', '.join(kinds)}.\n" for name, kinds in found.written.items() if kinds]
    return f"In the no-op {''.join(lines)}\n" if lines else ""


def versions(hermesctl, kubectl, api):
    def first_line(*argv):
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()[0]

    curl = " ".join(first_line("curl", "--version").split()[:2])
    client = first_line(*kubectl, "version", "--client").split()[-1]
    server = api.get("/version")["gitVersion"]
    return f"{first_line(hermesctl, 'version')}, kubectl {client}, {curl}, Kubernetes {server}"


def text(found, who):
    verdicts = targets(found)
    counts = {"rounds": found.rounds, "fewer": found.fewer, "starts": len(found.starts), "probes": len(found.probe)}
    how = HOW.format(latency=LATENCY, connections=CONNECTIONS, **counts)
    return f"""\
# Performance

Made by `scripts/bench`, all of it: run it again rather than edit this. {machine()}.
{who}.

## Targets

{grid(["target", "measured", ""], verdicts)}

## Figures

{figures(found)}

{written_text(found)}hermesctl's no-op: {sequence(found.no_op_requests)}.

Its first deploy: {sequence(found.first_requests)}.

## Ready

{starts(found)}

## How

{how}"""
