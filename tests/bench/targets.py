"""What was found, and the design's targets held against it."""

import re
import statistics
from dataclasses import dataclass, field

from table import mb, ms

DISCOVERY = re.compile(r"(/api|/apis|/version|/openapi/.*|/api/v1|/apis/[^/]+(/[^/]+)?)/?(\?.*)?$")


def collection(request):
    """leases, of .../leases (POST) and .../leases/name"""
    return request.target.partition("?")[0].split("/")[-1 if request.method == "POST" else -2]


@dataclass
class Findings:
    rounds: int
    start_up: dict = field(default_factory=dict)
    starts: list = field(default_factory=list)
    probe: list = field(default_factory=list)  # seconds of each run
    verify: dict = field(default_factory=dict)
    verify_quick: dict = field(default_factory=dict)
    no_op: dict = field(default_factory=dict)
    no_op_slow: dict = field(default_factory=dict)
    first: dict = field(default_factory=dict)
    first_slow: dict = field(default_factory=dict)
    no_op_requests: list = field(default_factory=list)
    first_requests: list = field(default_factory=list)
    traffic_no_op: dict = field(default_factory=dict)
    traffic_first: dict = field(default_factory=dict)
    written: dict = field(default_factory=dict)

    @property
    def fewer(self):
        """Rounds of what takes longer."""
        return max(self.rounds // 2, 1)

    def peak(self):
        """(bytes, of what)"""
        cases = {"version": self.start_up, "verify": self.verify, "verify --quick": self.verify_quick}
        cases |= {"a no-op": self.no_op, "a first deploy": self.first}
        peaks = [(figures["hermesctl"].peak, name) for name, figures in cases.items()]
        return max(peaks + [(start.peak, "a deploy with its wait") for start in self.starts])

    def writes(self):
        """What a no-op sends beside reads and dry runs: "POST leases"."""
        others = [r for r in self.no_op_requests if r.method != "GET" and "dryRun=All" not in r.target]
        return [f"{r.method} {collection(r)}" for r in others]

    def discovery(self):
        return [r for r in self.no_op_requests + self.first_requests if DISCOVERY.match(r.target)]


def verdict(title, measured, met):
    return [title, measured, "met" if met else "not met"]


def against(found, other, most):
    """A no-op's time as a part of another's."""
    ours, theirs = found.no_op["hermesctl"].wall, found.no_op[other].wall
    part = f"1/{theirs / ours:.1f}" if most < 1 else f"{ours / theirs:.2f}"
    return f"{part} ({ms(ours)} : {ms(theirs)} ms)", ours / theirs <= most


def targets(found):
    start = found.start_up["hermesctl"].wall
    peak, of_what = found.peak()
    connections = max(t["hermesctl"].connections for t in (found.traffic_no_op, found.traffic_first))
    said = max(start.said for start in found.starts)
    probe = statistics.median(found.probe)
    verify, quick = found.verify["hermesctl"].slowest, found.verify_quick["hermesctl"].slowest
    writes, discovery = found.writes(), found.discovery()
    sent = "also " + ", ".join(writes) if writes else "nothing else"
    return [
        verdict("`version`: at most 10 ms", f"{ms(start)} ms", start <= 0.010),
        verdict("readiness probe: at most 20 ms", f"{ms(probe)} ms", probe <= 0.020),
        verdict("`verify`: at most 10 s", f"{verify:.2f} s (the slowest)", verify <= 10),
        verdict("`verify --quick`: at most 2 s", f"{quick:.2f} s (the slowest)", quick <= 2),
        verdict("memory: at most 20 MB", f"{mb(peak)} MB ({of_what})", peak <= 20e6),
        verdict("no-op: at most 1/5 of kubectl", *against(found, "kubectl", 1 / 5)),
        verdict("no-op: at most 1.5 of curl", *against(found, "curl", 1.5)),
        verdict("no-op: at most 1.5 of curl, all at once", *against(found, "curl, all at once", 1.5)),
        verdict("no-op: reads and dry run only", sent, not writes),
        verdict("no discovery", f"{len(discovery)} requests", not discovery),
        verdict("at most 6 connections", str(connections), connections <= 6),
        verdict("ready at most 1 s after the gateway connects", f"{said:.2f} s (the slowest)", said <= 1),
    ]
