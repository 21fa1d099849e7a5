"""The cgroup that all of a node's pods live in, on cgroup v1 and v2: made before the kubelet asks for it."""

import os
from pathlib import Path

from .shell import NodeError

ROOT = Path("/sys/fs/cgroup")
WANTED = ("cpu", "cpuset", "memory", "pids", "io", "hugetlb")


def unified():
    return (ROOT / "cgroup.controllers").exists()


def hierarchies():
    """The directories in which a cgroup has to exist: one on v2, one per controller on v1."""
    if unified():
        return [ROOT]
    return sorted({p.resolve() for p in ROOT.iterdir() if p.is_dir() and (p / "cgroup.procs").exists()})


def create(name):
    for hierarchy in hierarchies():
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # v1: empty until set, and then nothing can run there
            if not unified() and (hierarchy / setting).exists():
                (group / setting).write_text((hierarchy / setting).read_text())
    if unified():
        delegate(ROOT)
        delegate(ROOT / name)


def delegate(group):
    """v2: lets children of the group be limited."""
    offered = (group / "cgroup.controllers").read_text().split()
    missing = set(WANTED) & set(offered) - set((group / "cgroup.subtree_control").read_text().split())
    try:
        write_controllers(group, missing)
    except OSError:
        make_room(group)
        write_controllers(group, missing)


def write_controllers(group, names):
    for name in names:
        (group / "cgroup.subtree_control").write_text(f"+{name}")


def make_room(group):
    """A container's root is not the real one: its processes move to a leaf before it can delegate."""
    leaf = group / "hermesctl-init"
    leaf.mkdir(exist_ok=True)
    for pid in (group / "cgroup.procs").read_text().split():
        try:
            (leaf / "cgroup.procs").write_text(pid)
        except OSError as error:
            if Path(f"/proc/{pid}").exists():
                raise NodeError(f"cgroup v2: {group} cannot be delegated: {error}") from error


def remove(name):
    """Deepest first. Its processes are dead by now."""
    for hierarchy in hierarchies():
        for directory, _, _ in os.walk(hierarchy / name, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                pass  # a last zombie: the next `up` or `down` finds it


def left_over(name):
    return any((hierarchy / name).exists() for hierarchy in hierarchies())
