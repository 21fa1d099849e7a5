"""Who enforces NetworkPolicies: a choice that outlives a restart, recorded with the program that was chosen, so that
it does not hang on what another shell has on its PATH. The one that `up` ended with is the usual one."""

from . import programs
from .build import binary, find_kube_router, kube_router
from .layout import cache_dir
from .shell import NodeError

NONE = "none"
NAMES = ("kube-router", "agent", NONE)


class Enforcement:
    def __init__(self, layout):
        self.record = layout.state / "enforcer"
        self.usual_record = layout.state / "enforcer-usual"

    def _read(self, record=None):
        """(name, name of kube-router's file in the cache)"""
        try:
            words = (record or self.record).read_text().split()
        except OSError:
            words = []
        return (*words, None, None)[:2]

    def which(self):
        return self._read()[0]

    def usual(self):
        return self._read(self.usual_record)[0] or self.which()

    def keep(self):
        self.usual_record.write_text(self.record.read_text())

    def active(self):
        return self.which() not in (None, NONE)

    def wanted(self, asked):
        """What is asked for, else what was, else the best there is."""
        return asked or self.which() or ("kube-router" if find_kube_router() else "agent")

    def program(self, name):
        """Raises when there is none: to be called before anything is changed."""
        if name != "kube-router":
            return binary("enforcer") if name == "agent" else None
        for chosen, file in (self._read(), self._read(self.usual_record)):
            if name == chosen and file and (cache_dir() / "bin" / file).exists():
                return cache_dir() / "bin" / file
        return kube_router()

    def choose(self, name):
        file = f" {self.program(name).name}" if name == "kube-router" else ""
        self.record.write_text(f"{name}{file}\n")

    def command(self):
        """Also when its program has vanished meanwhile: starting it then says so."""
        name, file = self._read()
        program = binary("enforcer") if name == "agent" else cache_dir() / "bin" / (file or name)
        return programs.enforcer(name, program)

    def cleanup(self):
        """What removes the rules of the chosen one; None when it has none."""
        if not self.active():
            return None
        name = self.which()
        try:
            return programs.enforcer_cleanup(name, self.program(name))
        except NodeError as error:
            raise NodeError(
                f"only {name} can remove its rules, and {error}; `node down` forgets them"
            ) from None
