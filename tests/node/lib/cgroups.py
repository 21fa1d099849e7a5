"""The cgroup that all of a node's pods live in, on cgroup v1 and v2: made before the kubelet asks for it."""

import errno
import os
from pathlib import Path

from .shell import NodeError, lock

ROOT = Path("/sys/fs/cgroup")
LEAF = "hermesctl-init"
WANTED = ("cpu", "cpuset", "memory", "pids", "io", "hugetlb")
ROUNDS = 20  # of moving away processes that are being forked meanwhile


def unified():
    return (ROOT / "cgroup.controllers").exists()


def hierarchies():
    """The directories in which a cgroup has to exist: one on v2, one per controller on v1."""
    if unified():
        return [ROOT]
    return sorted({p.resolve() for p in ROOT.iterdir() if p.is_dir() and (p / "cgroup.procs").exists()})


def trial():
    """What keeps cgroups from being made here, in words; None when nothing does."""
    try:
        places = hierarchies()
        for place in places:
            group = place / f"hermesctl-trial-{os.getpid()}"
            group.mkdir()
            group.rmdir()
    except OSError as error:
        return f"no cgroups can be made here ({error}): in a container this needs --privileged"
    return None if places else f"no cgroups are mounted at {ROOT}"


def changing():
    return lock(Path("/run/lock/hermesctl-node-cgroup"), "another node's cgroup")


def create(name):
    with changing():
        for hierarchy in hierarchies():
            group = hierarchy / name
            group.mkdir(exist_ok=True)
            for setting in ("cpuset.cpus", "cpuset.mems"):  # v1: empty until set; nothing can run there then
                if not unified() and (hierarchy / setting).exists():
                    (group / setting).write_text((hierarchy / setting).read_text())
        if unified():
            delegate(ROOT)
            delegate(ROOT / name)


def delegate(group):
    """v2: lets children of the group be limited. A container's root is not the real one: it may not hold
    processes then, so they move to a leaf, again and again while others are born."""
    missing = set(WANTED) & controllers(group, "controllers") - controllers(group, "subtree_control")
    for _ in range(ROUNDS):
        try:
            for name in missing:
                (group / "cgroup.subtree_control").write_text(f"+{name}")
            return
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise NodeError(f"cgroup v2: {group} cannot be delegated: {error}") from error
        move(group, group / LEAF)
    raise NodeError(f"cgroup v2: {group} cannot be delegated: processes keep being started in it")


def controllers(group, which):
    return set((group / f"cgroup.{which}").read_text().split())


def move(source, target):
    target.mkdir(exist_ok=True)
    for pid in (source / "cgroup.procs").read_text().split():
        try:
            (target / "cgroup.procs").write_text(pid)
        except OSError as error:
            if Path(f"/proc/{pid}").exists():
                raise NodeError(f"cgroup v2: process {pid} cannot leave {source}: {error}") from error


def remove(name):
    """Deepest first. Its processes are dead by now."""
    with changing():
        for hierarchy in hierarchies():
            for directory, _, _ in os.walk(hierarchy / name, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:
                    pass  # a last zombie: the next `up` or `down` finds it
        if (ROOT / LEAF).exists() and not any(ROOT.glob("hermesctl-????????")):
            give_back(ROOT)


def give_back(group):
    """The last node moves the processes back. The group delegated nothing before: it could hold them."""
    try:
        for name in controllers(group, "subtree_control"):
            (group / "cgroup.subtree_control").write_text(f"-{name}")
        move(group / LEAF, group)
        (group / LEAF).rmdir()
    except (OSError, NodeError):
        pass  # somebody else uses the delegation by now


def left_over(name):
    return any((hierarchy / name).exists() for hierarchy in hierarchies())
