"""The Hermes image: Debian, s6 and the PyPI release, arranged as the official one is (images/hermes)."""

import os
import shutil
import sys
from pathlib import Path

from . import archive, pki
from .build import content_key
from .layout import TREE, cache_dir
from .shell import run

SOURCE = TREE / "images/hermes"
PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates,curl,procps,util-linux,s6,execline"
OPTIONS = ("--quiet", "--mode=root", "--variant=minbase", '--aptopt=APT::Install-Recommends "false"')
S6_PROGRAMS = (
    "s6-svc",
    "s6-svstat",
    "s6-svscanctl",
    "s6-svwait",
    "s6-svok",
    "s6-setuidgid",
    "s6-log",
    "s6-envdir",
)
CONFIG = {
    "Entrypoint": ["/opt/hermes/docker/entrypoint-dispatch.sh"],
    "User": "root",
    "WorkingDir": "/opt/hermes",
    "Volumes": {"/opt/data": {}},
    "Env": [
        "HERMES_HOME=/opt/data",
        "HERMES_WRITE_SAFE_ROOT=/opt/data",
        "HERMES_DISABLE_LAZY_INSTALLS=1",
        "PYTHONUNBUFFERED=1",
        "PYTHONDONTWRITEBYTECODE=1",
        "PATH=/opt/hermes/bin:/opt/hermes/.venv/bin:/opt/data/.local/bin:/usr/local/sbin:/usr/local/bin:"
        "/usr/sbin:/usr/bin:/sbin:/bin",
    ],
}


# The same files for a start without root: no s6, the gateway is the container's own process
START = "/opt/hermes/docker/stage2-hook.sh && exec /opt/hermes/docker/main-wrapper.sh \"$@\""
ROOTLESS = CONFIG | {"Entrypoint": ["/bin/sh", "-c", START, "start"], "User": "10000:10000"}

# Run in the root file system, before the files of the image's own arrangement come on top
SETUP = """
python3 -m venv /opt/hermes/.venv
cd /tmp/wheels
/opt/hermes/.venv/bin/pip install --quiet --no-index --no-deps --find-links . --requirement requirements.lock
/opt/hermes/.venv/bin/pip uninstall --quiet --yes setuptools pip  # the official image's, which uv has made, has neither
useradd -u 10000 -m -d /opt/data -s /bin/bash hermes
chmod 1777 /run
# the gateway knows the official image, where it refuses to run as root, by its checkout's place
gateway=$(echo /opt/hermes/.venv/lib/python3*/site-packages/hermes_cli/gateway.py)
sed -i 's|str(PROJECT_ROOT) == "/opt/hermes"|True|' "$gateway"
sed -n '/^def _is_official_docker_checkout/,/^$/p' "$gateway" | grep -q True
/opt/hermes/.venv/bin/python -m py_compile "$gateway"
mkdir "${gateway%/*/*}/docker"
ln -s /opt/hermes/docker/entrypoint-dispatch.sh "${gateway%/*/*}/docker/entrypoint.sh"
# what nothing in it reads takes a quarter of each pull
rm -rf /tmp/wheels /var/cache/apt /var/lib/apt/lists /usr/share/doc /usr/share/locale /usr/share/man /usr/share/info \
    /usr/share/perl /usr/lib/x86_64-linux-gnu/perl /usr/share/zoneinfo/posix /usr/share/zoneinfo/right
"""


def key():
    files = sorted(p for p in SOURCE.rglob("*") if p.is_file())
    names = [str(p.relative_to(SOURCE)) for p in files]
    authority = Path(f"{pki.world_authority()}.crt").read_text()
    return content_key(files, *names, authority, PACKAGES, *OPTIONS, SETUP, repr(CONFIG), archive.FORMAT)


def download_wheels():
    """The wheels that requirements.lock names by hash, once per lock file."""
    lock_file = SOURCE / "requirements.lock"
    target = cache_dir() / "wheels" / content_key([lock_file])
    if target.exists():
        return target
    tools = cache_dir() / "pip"
    if not (tools / "bin/pip").exists():
        run([sys.executable, "-m", "venv", tools])
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    options = "--quiet --no-deps --require-hashes --python-version 3.11 --only-binary=:all:".split()
    run([tools / "bin/pip", "download", *options, "--dest", unfinished, "--requirement", lock_file])
    unfinished.replace(target)
    return target


def build(root):
    wheels = download_wheels()
    run(["mmdebstrap", *OPTIONS, f"--include={PACKAGES}", "bookworm", root])
    shutil.copytree(wheels, root / "tmp/wheels")
    shutil.copy(SOURCE / "requirements.lock", root / "tmp/wheels")
    plain = {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    run(["chroot", root, "sh", "-ec", SETUP], env=plain)
    shutil.copytree(SOURCE / "rootfs", root, dirs_exist_ok=True)
    ours = [root / d for d in ("init", "command", "etc/s6", "etc/cont-init.d", "etc/hermes", "opt/hermes")]
    run(["chown", "-R", "root:root", *ours])
    for program in S6_PROGRAMS:
        (root / "command" / program).symlink_to(f"/usr/bin/{program}")
    trust(root)


def trust(root):
    """The authority of the world's names alone: nothing else is there to be reached, and each start of the gateway
    reads the whole list several times."""
    for bundle in [
        root / "etc/ssl/certs/ca-certificates.crt",
        *root.glob("opt/hermes/.venv/lib/*/site-packages/certifi/*.pem"),
    ]:
        shutil.copyfile(f"{pki.world_authority()}.crt", bundle)
