"""Becoming root by sudo, and giving back to the person who called sudo what was made in their directories."""

import os
import shutil
import sys
from pathlib import Path

from .layout import TREE, cache_dir
from .shell import NodeError, run

KEPT = ("HOME", "PATH", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "HERMESCTL_KUBE_ROUTER")
# What a fetch needs behind a proxy or a mirror. It may hold passwords, which a command line would show to everybody
FETCHING = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")
FETCHING_PREFIXES = ("GO", "PIP_")
SYSTEM_PROGRAMS = "/usr/sbin:/sbin"  # not on every person's PATH, and needed by root


def sudo(command, names):
    """The command as root, with these variables of the environment as they are."""
    if os.geteuid() == 0:
        return command
    if not shutil.which("sudo"):
        raise NodeError(f"root is needed for: {' '.join(command[:6])} ..., and there is no sudo")
    return ["sudo", *([f"--preserve-env={','.join(names)}"] if names else []), "--", *command]


def fetching(environment):
    """The names of the variables that say how something is fetched."""
    return sorted(n for n in environment if n.lower() in FETCHING or n.startswith(FETCHING_PREFIXES))


def become_root(state, arguments):
    """Namespaces, mounts and cgroups are root's. The person's own directories stay the ones that are used."""
    if os.geteuid() != 0:
        kept = [f"{name}={os.environ[name]}" for name in KEPT if name in os.environ]
        kept.append(f"HERMESCTL_NODE_STATE={Path(state).resolve()}")
        command = sudo(["env", *kept, sys.executable, str(TREE / "node")], fetching(os.environ))
        os.execvp(command[0], command + arguments)
    os.environ["PATH"] = f"{os.environ.get('PATH', '/usr/bin:/bin')}:{SYSTEM_PROGRAMS}"


def caller():
    """(uid, gid) of the person behind sudo, when the directories in use are theirs; else None."""
    uid = os.environ.get("SUDO_UID")
    if os.geteuid() or not uid or Path.home().stat().st_uid != int(uid):
        return None
    return int(uid), int(os.environ.get("SUDO_GID", uid))


def own_directory(path):
    """Makes a directory and its parents, which belong to the caller: ~/.cache is not to become root's."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    path.mkdir(parents=True, exist_ok=True)
    if owner := caller():
        for made in missing:
            os.chown(made, *owner)


def give_back(*paths):
    """Those that are there: a boot may have failed before."""
    if owner := caller():
        for path in filter(Path.exists, paths):
            os.chown(path, *owner)


def give_back_cache():
    """All of it but the images in the making, whose owners are those inside the image."""
    if owner := caller():
        unfinished = ["-name", ".*.work", "-prune", "-o"]
        change = ["-exec", "chown", "--no-dereference", f"{owner[0]}:{owner[1]}", "{}", "+"]
        run(["find", cache_dir(), *unfinished, "-uid", "0", *change])
