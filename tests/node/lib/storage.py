"""The disk of the pods' volumes: a file system of its own in a sparse file, so that it can be filled."""

from .layout import INSIDE_STATE
from .shell import NodeError, run, succeeds

SIZE = "4G"
BALLAST = f"{INSIDE_STATE}/storage/.ballast"
REST = f"{INSIDE_STATE}/storage/.rest"


def image(layout):
    return layout.state / "storage.img"


def create(layout):
    """Where the machine has no loop devices the volumes lie in a plain directory, which cannot be filled."""
    if image(layout).exists() or not succeeds(["losetup", "--find"]):
        return
    unfinished = image(layout).with_suffix(".new")
    run(["truncate", "--size", SIZE, unfinished])
    run(["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", unfinished])
    unfinished.replace(image(layout))


def fill(node):
    """Reserves all that is free. Reserved blocks are not written: the machine's own disk stays as it is."""
    if not image(node.layout).exists():
        raise NodeError(
            "this machine has no loop devices: the volumes are on its own disk, which is not to be filled"
        )
    free = node.processes.inside(
        ["stat", "--file-system", "--format", "%a %S", f"{INSIDE_STATE}/storage"]
    ).split()
    size = int(free[0]) * int(free[1])
    while size > 0 and not succeeds(
        node.holder.enter(["fallocate", "--length", str(size), BALLAST]), cwd="/"
    ):
        size -= 1 << 20  # the reservation's own bookkeeping takes some blocks
    succeeds(
        node.holder.enter(["dd", "if=/dev/zero", f"of={REST}", "bs=4k"]), cwd="/"
    )  # ends with: no space left


def filled(node):
    return any(node.holder.seen(path).exists() for path in (BALLAST, REST))


def free(node):
    node.processes.inside(["rm", "-f", BALLAST, REST])
