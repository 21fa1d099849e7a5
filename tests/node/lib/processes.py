"""The node's long-running programs: started inside, stopped and asked after by name."""

import subprocess

from .layout import INSIDE_STATE
from .shell import NodeError, run, succeeds, wait_until

# setsid in a background job does not fork, so $! is the program's own pid (in the node's process namespace)
START = 'n=$1; shift; setsid "$@" </dev/null >>{0}/log/$n.log 2>&1 & echo $! >{0}/run/$n.pid'.format(
    INSIDE_STATE
)


class Processes:
    def __init__(self, layout, holder):
        self.layout = layout
        self.holder = holder

    def _pid(self, name):
        try:
            return int((self.layout.run / f"{name}.pid").read_text())
        except (OSError, ValueError):
            return None

    def alive(self, name):
        pid, holder = self._pid(name), self.holder.pid()
        if not pid or not holder:
            return False
        try:
            with open(f"/proc/{holder}/root/proc/{pid}/stat") as status:
                return status.read().rsplit(")", 1)[1].split()[0] not in "ZX"
        except OSError:
            return False

    def start(self, name, argv, net, env):
        """Starts it, unless it runs, with this environment alone; its output goes to log/NAME.log."""
        if self.alive(name):
            return
        settings = [f"{key}={value}" for key, value in env.items()]
        command = self.holder.enter(["sh", "-c", START, "sh", name, "env", "-i", *settings, *argv], net)
        subprocess.run(command, check=True, cwd="/")

    def stop(self, name, patience=10):
        if self.alive(name):
            self._signal(name, "TERM")
            try:
                wait_until(name, lambda: not self.alive(name), patience, 0.05)
            except NodeError:
                self._signal(name, "KILL")
                wait_until(f"the end of {name}", lambda: not self.alive(name), 10, 0.05)
        (self.layout.run / f"{name}.pid").unlink(missing_ok=True)

    def _signal(self, name, signal):
        succeeds(self.holder.enter(["kill", f"-{signal}", str(self._pid(name))]))

    def inside(self, argv, net=None, **options):
        return run(self.holder.enter(argv, net), cwd="/", **options)

    def names(self):
        return sorted(p.stem for p in self.layout.run.glob("*.pid"))

    def tail(self, name, lines=5):
        try:
            return "\n".join(
                (self.layout.log / f"{name}.log").read_text(errors="replace").splitlines()[-lines:]
            )
        except OSError:
            return ""
