"""The node's long-running programs: started inside, stopped and asked after by name."""

import hashlib
import time
from pathlib import Path

from .layout import INSIDE_STATE
from .shell import NodeError, run, succeeds, wait_until

# setsid in a background job does not fork, so $! is the program's own pid (in the node's process namespace). The
# record holds its start, without which a pid is nobody's, and the key of what was started.
START = """n=$1 key=$2; shift 2
setsid "$@" </dev/null >>{0}/log/$n.log 2>&1 &
echo $! $(cut -d' ' -f22 /proc/$!/stat) $key >{0}/run/$n.pid""".format(INSIDE_STATE)
SETTLED = 0.5  # s: what cannot run at all has ended by then


def key(part):
    """Of what a program is started with: another one means that it has to be started again."""
    digest = hashlib.sha256(repr((part.argv, part.net, sorted(part.env.items()))).encode())
    for path in part.files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Processes:
    def __init__(self, layout, holder):
        self.layout = layout
        self.holder = holder

    def _record(self, name):
        """(pid, start, key) of what was started; None when nothing was."""
        try:
            pid, start, started_with = (self.layout.run / f"{name}.pid").read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid), start, started_with

    def alive(self, name):
        record = self._record(name)
        if not record:
            return False
        try:
            status = self.holder.seen(f"/proc/{record[0]}/stat").read_text()
        except OSError:
            return False
        fields = status.rsplit(")", 1)[1].split()
        return fields[0] not in "ZX" and fields[19] == record[1]

    def outdated(self, name, part):
        """Whether it runs, but not as it would be started now."""
        record = self._record(name)
        return self.alive(name) and record[2] != key(part)

    def start(self, name, part):
        """Starts it, unless it runs as wanted, with its environment alone; its output goes to log/NAME.log.
        Whether it was started."""
        if self.outdated(name, part):
            self.stop(name)
        if self.alive(name):
            return False
        settings = [f"{setting}={value}" for setting, value in part.env.items()]
        shell = ["sh", "-c", START, "sh", name, key(part)]
        self.inside([*shell, "env", "-i", *settings, *part.argv], part.net)
        return True

    def settled(self, name):
        """Raises, with its last words, when it ended as soon as it was started."""
        time.sleep(SETTLED)
        self.check(name)

    def check(self, name):
        if not self.alive(name):
            raise NodeError(f"{name} died:\n{self.tail(name)}")

    def stop(self, name, patience=10):
        if self.alive(name):
            self._signal(name, "TERM")
            try:
                wait_until(name, lambda: not self.alive(name), patience, 0.05)
            except NodeError:
                self._signal(name, "KILL")
                wait_until(f"the end of {name}", lambda: not self.alive(name), interval=0.05)
        (self.layout.run / f"{name}.pid").unlink(missing_ok=True)

    def _signal(self, name, signal):
        succeeds(self.holder.enter(["kill", f"-{signal}", str(self._record(name)[0])]), cwd="/")

    def inside(self, argv, net=None, **options):
        return run(self.holder.enter(argv, net), cwd="/", **options)

    def tail(self, name, lines=5):
        try:
            text = (self.layout.log / f"{name}.log").read_text(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])
