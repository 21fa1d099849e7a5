"""The Debian packages that the node needs, and their installation."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from .build import find_go
from .shell import NodeError, say

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
BACKPORTS = "deb http://deb.debian.org/debian {release}-backports main\n"
# packages that would start a service of their own, which nobody asked for
SERVICES = ("containerd", "etcd")


def missing():
    absent = [name for name, path in PACKAGES.items() if not any(Path(p).exists() for p in places(path))]
    return absent if importlib.util.find_spec("ensurepip") else [*absent, "python3-venv"]


def places(path):
    """Debian has been moving programs between these directories."""
    return path, f"/usr{path}", path.replace("/sbin/", "/bin/")


def privileged(command):
    if os.geteuid() == 0:
        return command
    if not shutil.which("sudo"):
        raise NodeError(f"root is needed for: {' '.join(command)}, and there is no sudo")
    return ["sudo", "--", *command]


def apt(*arguments):
    command = privileged(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *arguments])
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        raise NodeError(f"apt-get {' '.join(arguments)} failed")


def install():
    if not shutil.which("apt-get"):
        raise NodeError(f"no apt-get here; install these: {', '.join(PACKAGES)}")
    wanted = missing()
    if wanted:
        say(f"installing {' '.join(wanted)}")
        apt("update")
        install_quietly(wanted)
    try:
        find_go()
    except NodeError:
        install_go()
    return 0


def install_quietly(packages):
    """Without starting the services that come with them; a policy that was there before is left alone."""
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        subprocess.run(
            privileged(["sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' > {policy}; chmod 755 {policy}"]),
            check=True,
        )
    try:
        apt("install", "--yes", "--no-install-recommends", *packages)
    finally:
        if ours:
            subprocess.run(privileged(["rm", "-f", str(policy)]), check=True)
    if shutil.which("systemctl"):
        for service in SERVICES:
            if any(p.startswith(service) for p in packages):
                subprocess.run(
                    privileged(["systemctl", "--quiet", "disable", service]), stderr=subprocess.DEVNULL
                )


def install_go():
    """Debian's backports hold a Go that fetches, by itself, the newer one that go.mod names."""
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)
    say("installing golang-1.23-go")
    if release.get("ID") == "debian":
        source = "/etc/apt/sources.list.d/hermesctl-backports.list"
        line = BACKPORTS.format(release=release["VERSION_CODENAME"].strip('"'))
        subprocess.run(privileged(["sh", "-c", f"echo '{line.strip()}' > {source}"]), check=True)
        apt("update")
    try:
        apt("install", "--yes", "--no-install-recommends", "golang-1.23-go")
    except NodeError:
        raise NodeError(
            "no Go of 1.21 or newer in this distribution's packages: install one (go.dev/doc/install) "
            "and put it on PATH"
        ) from None
