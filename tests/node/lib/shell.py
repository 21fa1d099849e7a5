"""Running commands, with failures that say what failed."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time


class NodeError(Exception):
    """Something a person has to know; printed without a traceback."""


def run(argv, **options):
    """The command's stdout; its stderr in the error when it fails."""
    result = subprocess.run(
        [str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
    if result.returncode:
        detail = (result.stderr or result.stdout).strip()
        raise NodeError(
            f"{' '.join(str(a) for a in argv[:6])} failed ({result.returncode}): {detail[-2000:]}"
        )
    return result.stdout


def succeeds(argv, **options):
    return (
        subprocess.run(
            [str(a) for a in argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
        ).returncode
        == 0
    )


def say(text):
    print(text, file=sys.stderr, flush=True)


def wait_until(what, condition, timeout, interval=0.1):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise NodeError(f"{what}: not within {timeout} s")
        time.sleep(interval)


@contextlib.contextmanager
def lock(path, waiting_for):
    """Held until the block ends or the process dies; says so when another one holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for {waiting_for}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
