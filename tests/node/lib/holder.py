"""The holder: PID 1 of the node's own process and mount namespaces. When it dies, the node dies with it."""

import os
import signal
import subprocess
from pathlib import Path

from .layout import INSIDE_CACHE, INSIDE_STATE, INSIDE_TREE, KERNEL_SETTINGS, TREE
from .shell import NodeError, wait_until

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
NAME = "node-pause"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def start_time(pid):
    """Field 22 of /proc/PID/stat: with the pid, a process's identity. None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


class Holder:
    def __init__(self, layout):
        self.layout = layout
        self.record = layout.run / "holder"

    def pid(self):
        try:
            pid, started = self.record.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(pid) == started else None

    def start(self, pause):
        """Forks twice: the child takes new namespaces, the grandchild is PID 1 there and becomes `pause`."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os._exit(self._child(reader, writer, pause))
        os.close(writer)
        with os.fdopen(reader) as pipe:
            failure = pipe.read()
        os.waitpid(child, 0)
        if failure or not self.pid():
            raise NodeError(f"the node's namespaces could not be made: {failure or 'the first process died'}")

    def _child(self, reader, writer, pause):
        try:
            os.close(reader)
            os.setsid()
            import ctypes  # costs more than most verbs, which do without

            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS | CLONE_NEWPID):
                raise OSError(ctypes.get_errno(), "unshare")
            if first := os.fork():
                self._write_record(first)
                return 0
            mount_inside(self.layout)
            quiet = os.open(f"{INSIDE_STATE}/log/holder.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for target in (0, 1, 2):
                os.dup2(os.open("/dev/null", os.O_RDONLY) if target == 0 else quiet, target)
            os.chdir("/")
            for first, last in ((3, writer), (writer + 1, 1 << 16)):  # locks and pipes of whoever called `up`
                os.closerange(first, last)
            os.execve(pause, [NAME, self.layout.id], {"PATH": PATH})
        except BaseException as error:  # the parent reads it from the pipe: no other way to tell
            os.write(writer, str(error).encode())
            return 1

    def _write_record(self, pid):
        temporary = self.record.with_suffix(".new")
        temporary.write_text(f"{pid} {start_time(pid)}")
        temporary.replace(self.record)

    def kill(self):
        """Ends every process of the node. Asks /proc: a killed `up` may not have written its record."""
        name = f"{NAME}\0{self.layout.id}\0".encode()
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if entry.read_bytes() != name:
                    continue
                pid = int(entry.parent.name)
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
            # a zombie is enough: it becomes one after all others of its namespace, and may stay one
            wait_until("the end of the node's processes", lambda one=pid: start_time(one) is None, interval=0.05)
        self.record.unlink(missing_ok=True)

    def seen(self, path):
        """A path inside, from outside."""
        return Path(f"/proc/{self.pid()}/root{path}")

    def enter(self, argv, net=None):
        """The command line that runs argv inside; `net` names a network namespace, the host's when None.
        nsenter, not `ip netns exec`: the latter remounts /sys and hides the cgroups from the kubelet."""
        pid = self.pid()
        if not pid:
            raise NodeError("the node is not up")
        network = [f"--net=/var/run/netns/{net}"] if net else []
        return ["nsenter", f"--target={pid}", "--mount", "--pid", *network, "--", *(str(a) for a in argv)]


def mount_inside(layout):
    """The node's view: its directories at constant paths, nothing of it on the machine's /run, /tmp, /var."""

    def mount(*arguments):
        result = subprocess.run(["mount", *arguments], capture_output=True, text=True, close_fds=False)
        if result.returncode:
            raise NodeError(result.stderr.strip())

    mount("--make-rprivate", "/")
    mount("-t", "proc", "proc", "/proc")
    resolver = os.path.realpath("/etc/resolv.conf")
    # opened first: a source may lie below a directory that is about to be hidden
    sources = {
        p: os.open(d, os.O_PATH)
        for p, d in ((INSIDE_STATE, layout.state), (INSIDE_CACHE, layout.cache), (INSIDE_TREE, TREE))
    }
    for hidden in ("/run", "/tmp", "/var/lib", "/var/log"):
        mount("-t", "tmpfs", "-o", "mode=1777" if hidden == "/tmp" else "mode=755", "tmpfs", hidden)
    for path, descriptor in sources.items():
        os.makedirs(path)
        os.set_inheritable(descriptor, True)
        mount("--bind", f"/proc/self/fd/{descriptor}", path)
        os.close(descriptor)
    if os.path.exists(f"{INSIDE_STATE}/storage.img"):
        mount("-o", "loop", f"{INSIDE_STATE}/storage.img", f"{INSIDE_STATE}/storage")
    for setting in KERNEL_SETTINGS:  # the kubelet finds and sets them here instead of in the machine's kernel
        if os.path.exists(f"/proc/sys/{setting}"):
            mount("--bind", f"{INSIDE_STATE}/conf/kernel/{setting}", f"/proc/sys/{setting}")
    os.makedirs(os.path.dirname(resolver), exist_ok=True)
    if not os.path.exists(resolver):
        Path(resolver).touch()
    mount("--bind", f"{INSIDE_STATE}/conf/resolv.conf", resolver)
    mount("--make-rshared", "/")  # the kubelet's mounts have to reach containers
