"""Policies by chance: what hermesctl computes of them is what packets do. Part of judge_test.py."""

import collections
import json
import os
import unittest

from court import Court
from differences import DIFFERENCES, as_enforced
from engine import Engine
from random_policies import PORTS, Policies
from stage import OUTSIDE, SENDERS

from lib.enforcement import Enforcement  # stage.py knows the way

SEEDS = range(241, 301)  # among these each known difference of kube-router shows
NODE_PORT = 30100
SOON = 0.5  # what passes does so in a few milliseconds


def places(sender):
    return [f"{sender}/web", "west/web", "west/client", "judge/canary", *OUTSIDE, "node"]


def question_ports():
    """place -> protocol -> ports: what there is to ask about."""
    ports = {}
    for place in {place for sender in SENDERS for place in places(sender)}:
        numbers = {*PORTS, NODE_PORT} if place == "node" else set(PORTS)
        ports[place] = {"tcp": set(numbers), "udp": set(numbers)}
    return ports


def questions(sender):
    asked = question_ports()
    return [
        f"{sender}/client {place} {protocol}/{port}"
        for place in places(sender)
        for protocol in ("tcp", "udp")
        for port in sorted(asked[place][protocol])
    ]


@unittest.skipUnless("HERMESCTL_REACH_ANSWERS" in os.environ, "no $HERMESCTL_REACH_ANSWERS: build reach_answers")
class RandomPoliciesTest(Court):
    @classmethod
    def setUpClass(cls):
        cls.engine = Engine(cls.stage)
        cls.differences = DIFFERENCES[Enforcement(cls.stage.layout).which()]

    def in_force(self, policies):
        """`policies`: sender -> specs."""
        self.apply({sender: [json.dumps(spec) for spec in specs] for sender, specs in policies.items()})

    def answers(self, policies, flows, differences):
        """By the API, and as the enforcer is known to have it."""
        enforced = {s: [as_enforced(spec, differences) for spec in specs] for s, specs in policies.items()}
        return self.engine.answers(policies, flows), self.engine.answers(enforced, flows)

    def test_packets_do_what_is_computed(self):
        counts = collections.Counter()
        for first in SEEDS[:: len(SENDERS)]:
            seeds = dict(zip(SENDERS, range(first, first + len(SENDERS))))
            sets = {s: Policies(seed, s, self.stage.addresses).some() for s, seed in seeds.items()}
            self.in_force(sets)
            flows = [flow for sender in SENDERS for flow in questions(sender)]
            computed, enforced = self.answers(sets, flows, self.differences)
            known = {flow for flow in flows if computed[flow] != enforced[flow]}
            judged = {f: computed[f] for f in flows if f not in known and computed[f] != "receiver"}
            counts.update(judged.values())
            counts["known to differ"] += len(known)
            wrong = self.wrong(judged, SOON)
            for sender, seed in seeds.items():
                found = [f"{f}: {judged[f]}, found {o}" for f, o in wrong.items() if f.startswith(f"{sender}/")]
                with self.subTest(seed=seed):
                    self.assertFalse(found, "\n".join(["", *found, json.dumps(sets[sender], indent=1)]))
        print(dict(counts), end=" ", flush=True)
        asked = sum(counts.values())
        for end in ("open", "closed"):
            self.assertGreater(counts[end], asked / 5, "too one-sided to prove much")
        self.assertLess(counts["known to differ"], asked / 5)

    def test_what_is_known_to_differ_does(self):
        for difference in self.differences:
            with self.subTest(difference.what):
                policies = {SENDERS[0]: [difference.example]}
                self.in_force(policies)
                computed, enforced = self.answers(policies, questions(SENDERS[0]), [difference])
                known = {
                    flow: "closed" if end == "closed" else "open"  # no example closes the receiver
                    for flow, end in enforced.items()
                    if computed[flow] != end
                }
                self.assertLess(len(self.wrong(known)), len(known), "no packet does otherwise than the API says")
