"""Running commands, with failures that say what failed."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time


class NodeError(Exception):
    """Something a person has to know; printed without a traceback."""

    code = 1


class Absent(NodeError):
    """What was asked for is not on this machine: to a test, a reason to be skipped."""

    code = 77


def run(argv, **options):
    """The command's stdout; its stderr in the error when it fails."""
    try:
        result = subprocess.run(
            [str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )
    except FileNotFoundError as error:
        raise NodeError(
            f"{error.filename}: not here (`tests/node/node deps` installs what is needed)"
        ) from None
    if result.returncode:
        detail = (result.stderr or result.stdout).strip()
        raise NodeError(
            f"{' '.join(str(a) for a in argv[:6])} failed ({result.returncode}): {detail[-2000:]}"
        )
    return result.stdout


def succeeds(argv, **options):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.run([str(a) for a in argv], **quiet, **options).returncode == 0
    except FileNotFoundError:
        return False


def say(text):
    print(text, file=sys.stderr, flush=True)


def wait_until(what, condition, timeout=300, interval=0.1, detail=()):
    """The time is a busy machine's: of what died, `condition` tells. `detail`, which it may fill, says what was
    missing in the end."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise NodeError(f"{what}: not within {timeout} s{': ' if detail else ''}{', '.join(detail)}")
        time.sleep(interval)


@contextlib.contextmanager
def lock(path, waiting_for):
    """Held until the block ends or the process dies; says so when another one holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = open_locked(path, waiting_for)
    while not still_there(descriptor, path):  # its last holder removed it: others lock another file by now
        os.close(descriptor)
        descriptor = open_locked(path, waiting_for)
    try:
        yield
    finally:
        os.close(descriptor)


def open_locked(path, waiting_for):
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"waiting for {waiting_for}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def still_there(descriptor, path):
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
