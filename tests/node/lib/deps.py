"""The Debian packages that the node needs, and their installation."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from .build import find_go
from .root import fetching, sudo
from .shell import NodeError, run, say

# package -> a file of it
PACKAGES = {
    "python3": "/usr/bin/python3",
    "containerd": "/usr/bin/containerd",
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "etcd-server": "/usr/bin/etcd",
    "ipset": "/usr/sbin/ipset",
    "iptables": "/usr/sbin/iptables",
    "nftables": "/usr/sbin/nft",
    "iproute2": "/usr/bin/ip",
    "busybox-static": "/bin/busybox",
    "mmdebstrap": "/usr/bin/mmdebstrap",
    "dnsmasq-base": "/usr/sbin/dnsmasq",
    "openssl": "/usr/bin/openssl",
    "gcc": "/usr/bin/gcc",
    "libc6-dev": "/usr/include/stdio.h",
    "procps": "/usr/sbin/sysctl",
    "e2fsprogs": "/usr/sbin/mkfs.ext4",
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
}
if Path("/proc/modules").exists():
    PACKAGES["kmod"] = "/usr/sbin/modprobe"
GO = "golang-1.23-go"
NO_GO = (
    "no Go of 1.21 or newer in this machine's apt sources: install one (go.dev/doc/install) and put it on PATH, "
    "or add a source that has one (on Debian 12: bookworm-backports)"
)
BACKPORTS = Path("/etc/apt/sources.list.d/hermesctl-backports.list")
# packages that would start a service of their own, which nobody asked for
SERVICES = ("containerd", "etcd")
# Installs without starting services; a policy of the machine's own is left alone. One shell, so that the file goes
# whatever ends us, and with a mark, so that one which stayed (a power cut) is known as ours.
INSTALL_QUIETLY = """
policy=/usr/sbin/policy-rc.d
mark='# hermesctl: no service starts while its packages are installed'
if [ ! -e $policy ] || grep -qxF "$mark" $policy; then
    trap 'rm -f $policy' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\\n%s\\nexit 101\\n' "$mark" > $policy
    chmod 755 $policy
fi
apt-get -qq install --yes --no-install-recommends "$@"
"""


def missing():
    absent = [name for name, path in PACKAGES.items() if not any(Path(p).exists() for p in places(path))]
    return absent if importlib.util.find_spec("ensurepip") else [*absent, "python3-venv"]


def places(path):
    """Debian has been moving programs between these directories."""
    return path, f"/usr{path}", path.replace("/sbin/", "/bin/")


def privileged(*command):
    """Whether it succeeded, as root and behind the person's proxy."""
    names = ["DEBIAN_FRONTEND", *fetching(os.environ)]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(sudo([*command], names), env=environment, stdout=subprocess.DEVNULL).returncode == 0


def apt_update():
    if not privileged("apt-get", "-qq", "update"):
        raise NodeError("apt-get update failed")


def apt_install(packages):
    say(f"installing {' '.join(packages)}")
    if not privileged("sh", "-c", INSTALL_QUIETLY, "sh", *packages):
        raise NodeError(f"apt-get install {' '.join(packages)} failed")


def install():
    if not shutil.which("apt-get"):
        raise NodeError(f"no apt-get here; install these: {', '.join(PACKAGES)}")
    wanted = missing()
    if wanted:
        apt_update()
        apt_install(wanted)
    for service in SERVICES if shutil.which("systemctl") else ():
        if any(package.startswith(service) for package in wanted):
            privileged("systemctl", "--quiet", "disable", service)
    try:
        find_go()
    except NodeError:
        install_go()
    return 0


def install_go():
    """Any Go of 1.21 or newer: it fetches, by itself, the newer one that go.mod names."""
    apt_update()
    if new_enough(run(["apt-cache", "policy", "golang-go"])):
        return apt_install(["golang-go"])
    if not offered(GO):
        add_backports()
    return apt_install([GO])


def new_enough(policy):
    candidate = re.search(r"Candidate: (?:\d+:)?(\d+)\.(\d+)", policy)
    return bool(candidate) and (int(candidate[1]), int(candidate[2])) >= (1, 21)


def offered(package):
    return package in run(["apt-cache", "search", "--names-only", f"^{package}$"])


def add_backports():
    release = platform.freedesktop_os_release()
    sources = [
        "apt-get",
        "indextargets",
        "--format",
        "$(CODENAME) $(COMPONENT) $(SITE)",
        "Created-By: Packages",
    ]
    line = backports(run(sources), release.get("VERSION_CODENAME")) if release["ID"] == "debian" else None
    if not line:
        raise NodeError(NO_GO)
    say(f"adding {BACKPORTS}: {line}")
    privileged("sh", "-c", 'echo "$1" > "$2"', "sh", line, str(BACKPORTS))
    if not privileged("apt-get", "-qq", "update") or not offered(GO):
        privileged("rm", "-f", str(BACKPORTS))
        raise NodeError(NO_GO)


def backports(targets, codename):
    """The source line for the mirror that the machine already uses: another one may be out of its reach."""
    for target in targets.splitlines():
        name, component, site = target.split()
        if (name, component) == (codename, "main"):
            return f"deb {site} {codename}-backports main"
    return None
