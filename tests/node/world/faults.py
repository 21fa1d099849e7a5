"""Faults that stay until they are reset, and counters of what was asked."""

import threading
from dataclasses import dataclass

KINDS = {
    "telegram": {"reject", "hang", "delay", "status", "drop"},
    "model": {"reject", "hang", "delay", "status", "empty"},
    "registry": {"reject", "hang", "delay", "status", "slow"},
}
NEEDS_NUMBER = {"delay", "status", "slow"}


@dataclass
class Fault:
    kind: str
    value: int = 0
    only: tuple = ()  # methods; empty: all
    name: str = ""  # one token or key; empty: all
    times: int = 0  # hits until it is spent; 0: no end
    after: int = 0  # matching requests let through first
    retry_after: int = 5

    def wanted(self, method, name):
        # messages of users are dropped, requests are not
        if (self.kind == "drop") != (method == "say"):
            return False
        return (not self.only or method in self.only) and (not self.name or name == self.name)

    def passes(self, counted):
        """Counts down what is let through first; a reject counts only some requests (Telegram: getMe)."""
        if self.after <= 0:
            return False
        if self.kind != "reject" or counted:
            self.after -= 1
        return True


class Faults:
    """What goes wrong now. `changed` wakes all that wait: hanging requests, long polls, readers."""

    def __init__(self):
        self.changed = threading.Condition()
        self.active = {service: [] for service in KINDS}
        self.resets = {service: 0 for service in KINDS}
        self.counts = {service: {} for service in KINDS}

    def add(self, service, fault):
        if fault.kind not in KINDS.get(service, ()):
            raise ValueError(f"{service} has no fault {fault.kind!r}")
        if fault.kind in NEEDS_NUMBER and fault.value <= 0:
            raise ValueError(f"{fault.kind} needs a number")
        with self.changed:
            self.active[service].append(fault)
            self.changed.notify_all()

    def reset(self, service=""):
        if service and service not in KINDS:
            raise ValueError(f"no service {service!r}")
        with self.changed:
            for each in [service] if service else KINDS:
                self.active[each].clear()
                self.resets[each] += 1
            self.changed.notify_all()

    def hits(self, service, method, name="", counted=True):
        """The faults that apply to this request, by kind; uses up what is limited in number."""
        found = {}
        with self.changed:
            for fault in list(self.active[service]):
                if not fault.wanted(method, name) or fault.passes(counted):
                    continue
                found[fault.kind] = fault
                if fault.times:
                    fault.times -= 1
                    if not fault.times:
                        self.active[service].remove(fault)
        return found

    def count(self, service, method, status):
        with self.changed:
            counts = self.counts[service]
            counts[method] = counts.get(method, 0) + 1
            if status != 200:
                key = f"{method}:{status}"
                counts[key] = counts.get(key, 0) + 1

    def counters(self, zero=False):
        with self.changed:
            copy = {service: dict(counts) for service, counts in self.counts.items()}
            if zero:
                for counts in self.counts.values():
                    counts.clear()
        return copy
