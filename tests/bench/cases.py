"""Who does what in each case: hermesctl, kubectl and curl with the same result in the cluster."""

import itertools
import json
from dataclasses import dataclass

from measure import BenchError, Contestant, compare, once
from recorder import counting, longest_chain, recording
from replay import Replay, in_namespace

PREFIX = "bench-"  # of every namespace that is made here
TEMPLATE = f"{PREFIX}template"
LATENCY = 50  # ms, added by the proxy
SETTLE = 1.0  # seconds after a deploy, for the controllers' own work

# No pod of these starts: its work would be measured along.
UNSCHEDULABLE = """\
apiVersion: hermesctl/v1
kind: Hermes
telegram: {allowedUsers: [987654321]}
secrets:
  TELEGRAM_BOT_TOKEN: {env: HERMES_TEST_TOKEN_OTHER}
  MINIMAX_API_KEY: {env: HERMES_TEST_KEY}
pod: {nodeSelector: {hermesctl-bench: nowhere}}
"""


@dataclass(frozen=True)
class Traffic:
    requests: int
    connections: int
    chain: int


def applied(requests):
    """The objects that hermesctl applies, as it applies them."""
    chosen = [r for r in requests if r.method == "PATCH" and "dryRun=All" not in r.target]
    return [json.loads(r.body) for r in chosen]


class Cases:
    def __init__(self, hermesctl, kubectl, api, env, scratch):
        self.binary, self.kubectl, self.api, self.env, self.scratch = hermesctl, kubectl, api, env, scratch
        self.numbers = itertools.count(1)
        self.settings = scratch / "hermes.yaml"
        self.settings.write_text(UNSCHEDULABLE)

    def fresh(self):
        return f"{PREFIX}{next(self.numbers)}"

    def environment(self, line):
        return {**self.env, "KUBECONFIG": str(line.kubeconfig)}

    def hermesctl(self, line, namespace, *arguments, says=""):
        """`namespace` is asked for one at each run."""

        def check(out):
            if says not in out:
                raise BenchError(f"hermesctl did not say {says!r}:\n{out}")

        def command():
            return [self.binary, "-n", namespace(), "deploy", "--no-wait", "--yes", *arguments]

        return Contestant("hermesctl", command, self.environment(line), check)

    def kubectl_apply(self, line, objects, namespace=None):
        """With `namespace` the objects go into a new one at each run."""
        path = self.scratch / f"objects-{line.name}.json"
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})

        def command():
            path.write_text(text.replace(TEMPLATE, namespace()) if namespace else text)
            path.chmod(0o600)
            return [*self.kubectl, "apply", "--server-side", "--field-manager=hermesctl", "-f", str(path)]

        def check(out):
            if out.count("serverside-applied") != len(objects):
                raise BenchError(f"kubectl did not apply all objects:\n{out}")

        return Contestant("kubectl", command, self.environment(line), check)

    def start_up(self):
        return [
            Contestant("hermesctl", lambda: [self.binary, "version"], self.env),
            Contestant("kubectl", lambda: [*self.kubectl, "version", "--client"], self.env),
            Contestant("curl", lambda: ["curl", "--version"], self.env),
        ]

    def unchanged(self, line):
        """Of the installation that record_first has left."""
        return self.hermesctl(line, lambda: TEMPLATE, says="nothing to change")

    def first(self, line):
        return self.hermesctl(line, self.fresh, "--file", str(self.settings))

    def verify(self, namespace, *arguments):
        """Of an agent that runs: a cage that does not hold is an error here."""
        argv = [self.binary, "-n", namespace, "verify", *arguments]
        return Contestant("hermesctl", lambda: argv, self.environment(self.api.line))

    def no_op(self, line, requests, objects):
        one, several = (Replay(line, requests, self.scratch, parallel) for parallel in (False, True))
        return [
            self.unchanged(line),
            self.kubectl_apply(line, objects),
            one.contestant("curl", self.env),
            several.contestant("curl, all at once", self.env),
        ]

    def first_deploy(self, line, requests):
        one = Replay(line, requests, self.scratch)

        def command():
            ns = self.fresh()
            return one.command([in_namespace(r, TEMPLATE, ns) for r in one.requests])

        return [
            self.first(line),
            self.kubectl_apply(line, applied(requests), self.fresh),
            one.contestant("curl", self.env, command),
        ]

    def record_no_op(self):
        with recording(self.api) as (line, requests):
            once(self.unchanged(line))
            return list(requests)

    def record_first(self):
        with recording(self.api) as (line, requests):
            once(self.hermesctl(line, lambda: TEMPLATE, "--file", str(self.settings)))
            return list(requests)

    def written(self, requests, objects):
        """name -> the kinds of the objects that a no-op wrote to, in the second of two runs."""
        found = {}
        for contestant in self.no_op(self.api.line, requests, objects):
            once(contestant)
            before = self.api.versions(objects)
            once(contestant)
            after = self.api.versions(objects)
            found[contestant.name] = [o["kind"] for o, old, new in zip(objects, before, after) if old != new]
        return found

    def compare_no_op(self, line, requests, objects, rounds):
        return compare(self.no_op(line, requests, objects), rounds, pause=0.2)

    def compare_first(self, line, requests, rounds):
        return compare(self.first_deploy(line, requests), rounds, pause=SETTLE)

    def traffic(self, contestants_of):
        """name -> Traffic. Each runs twice, the second one is noted: kubectl keeps what it discovered."""
        requests, connections, chains = {}, {}, {}
        with recording(self.api) as (line, seen):
            for contestant in contestants_of(line):
                once(contestant)
                seen.clear()
                once(contestant)
                requests[contestant.name], chains[contestant.name] = len(seen), longest_chain(seen)
        with counting(self.api) as (line, seen):
            for contestant in contestants_of(line):
                once(contestant)
                seen.clear()
                once(contestant)
                connections[contestant.name] = len(seen)
        return {name: Traffic(requests[name], connections[name], chains[name]) for name in requests}
