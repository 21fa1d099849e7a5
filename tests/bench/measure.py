"""Runs a command as a whole process: wall time, processor time, peak memory."""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Callable

# The kernel counts what a process used before its exec into its peak, so a child of this Python would be
# charged for Python. A shell, which is small, starts the command and then becomes a Python that is told its
# children's peak.
PEAK = (
    "import sys; from resource import getrusage, RUSAGE_CHILDREN;"
    "print(getrusage(RUSAGE_CHILDREN).ru_maxrss); sys.exit(int(sys.argv[1]))"
)
FROM_A_SHELL = ("sh", "-c", f'"$@" >&2; exec "$0" -I -S -c "{PEAK}" $?', sys.executable)


class BenchError(Exception):
    """What keeps the benchmark from saying something true; printed without a traceback."""


@dataclass(frozen=True)
class Contestant:
    """`command` gives the argv, after preparing what this run needs (which is not measured)."""

    name: str
    command: Callable[[], list]
    env: dict | None = None
    check: Callable[[str], None] = lambda out: None


@dataclass(frozen=True)
class Run:
    wall: float  # seconds
    cpu: float  # seconds, user and system


@dataclass(frozen=True)
class Figures:
    """Of one contestant in one case: medians, and the fastest and the slowest run."""

    wall: float
    fastest: float
    slowest: float
    cpu: float
    peak: float  # bytes


def fail(argv, code, text):
    raise BenchError(f"{' '.join(map(str, argv))[:300]} ended with {code}:\n{text[-2000:]}")


@contextmanager
def running(argv, **options):
    """A process that does not outlive an interrupted benchmark, with all that it started."""
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        yield child
    except BaseException:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        raise


def once(contestant):
    argv = contestant.command()
    with tempfile.TemporaryFile("w+") as out:
        begun = time.perf_counter()
        with running(argv, stdout=out, stderr=out, env=contestant.env) as child:
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.perf_counter() - begun
            child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if child.returncode:
        fail(argv, child.returncode, text)
    contestant.check(text)
    return Run(wall, usage.ru_utime + usage.ru_stime)


def peak_memory(contestant):
    argv = contestant.command()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with running([*FROM_A_SHELL, *argv], env=contestant.env, **pipes) as child:
        peak, text = child.communicate()
    if child.returncode:
        fail(argv, child.returncode, text)
    return int(peak) * 1024


def compare(contestants, rounds, pause=0.0):
    """name -> Figures. In turns, A B C, A B C ..., so that whatever else goes on meets all of them alike; the
    first turn warms up and is not counted, a last one is for the memory."""
    runs = {c.name: [] for c in contestants}
    for turn in range(rounds + 1):
        for contestant in contestants:
            run = once(contestant)
            if turn:
                runs[contestant.name].append(run)
            time.sleep(pause)
    figures = {}
    for contestant in contestants:
        walls = [run.wall for run in runs[contestant.name]]
        cpu = statistics.median(run.cpu for run in runs[contestant.name])
        figures[contestant.name] = Figures(
            statistics.median(walls), min(walls), max(walls), cpu, peak_memory(contestant)
        )
        time.sleep(pause)
    return figures
