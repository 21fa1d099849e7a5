"""Builds the node's programs from pinned Go modules, each once: the cache is keyed by sources and flags."""

import functools
import hashlib
import lzma
import os
import re
import shutil
import subprocess
from pathlib import Path

from .layout import CHECKOUT, TREE, cache_dir
from .root import give_back_cache
from .shell import Absent, NodeError, lock, run, say

KUBERNETES = "1.34.4"
VERSION_PACKAGE = "k8s.io/component-base/version"
KUBE_VERSION = {"gitVersion": f"v{KUBERNETES}", "gitMajor": "1", "gitMinor": "34"}
# -dwarf=false: what -w throws away takes the compiler a sixth of its time
BUILD_FLAGS = ("-trimpath", "-buildvcs=false", "-tags=providerless", "-gcflags=all=-dwarf=false")
LINK_FLAGS = " ".join(["-s -w", *(f"-X {VERSION_PACKAGE}.{name}={word}" for name, word in KUBE_VERSION.items())])


# Of one module, TREE's: what several of them use is compiled once.
GO_PROGRAMS = {
    "kube": "./go/kube",
    "registry": "./go/registry",
    "coredns": "./go/coredns",
    "local-path-provisioner": "github.com/rancher/local-path-provisioner",
    "toxiproxy": "github.com/Shopify/toxiproxy/v2/cmd/server",
    "enforcer": "./enforcer",
}


def find_go():
    """A Go that can fetch the toolchain that go.mod names (1.21 or newer)."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go-1.23/bin/go"):
        if candidate and os.access(candidate, os.X_OK):
            version = run([candidate, "env", "GOVERSION"], env={**go_environment(), "GOTOOLCHAIN": "local"})
            found = re.match(r"go1\.(\d+)", version)
            if found and int(found[1]) >= 21:
                return candidate
    raise NodeError("no Go (1.21 or newer) here: run `tests/node/node deps`, or put one on PATH")


def go_environment():
    """Go writes below our cache alone: with that all of it goes, and nobody's own Go finds files of root."""
    own = cache_dir() / "go"
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return {
        # one processor each is for what runs on the node
        **{name: value for name, value in os.environ.items() if name != "GOMAXPROCS"},
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "auto",
        "GOWORK": "off",
        "GOGC": "400",  # a fifth less of the processor for Go's compiler, for half as much memory again
        "GOPATH": f"{own}/path",
        "GOCACHE": f"{own}/build",
        "GOMODCACHE": f"{own}/mod",
        "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip(),  # else only root could delete it
        "GOENV": os.environ.get("GOENV") or f"{config}/go/env",
        "XDG_CONFIG_HOME": f"{own}/config",  # Go's counters of itself
    }


def go(arguments):
    """Go as the node's programs are built with it, for their tests: with other flags it compiles all anew."""
    settings = go_environment()
    settings["GOFLAGS"] = " ".join([settings["GOFLAGS"], *BUILD_FLAGS])
    try:
        code = subprocess.run([find_go(), *arguments], env=settings).returncode
        return code if code >= 0 else 128 - code
    finally:
        give_back_cache()


def content_key(paths, *extra):
    """A hash of the files' names and contents, and of whatever else shapes the result."""
    digest = hashlib.sha256("\0".join(extra).encode())
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def program_key(name):
    """The other programs' sources are no part of it."""
    own = (TREE / GO_PROGRAMS[name]).rglob("*.go")
    sources = [p for p in own if not p.name.endswith("_test.go")]
    return content_key([TREE / "go.mod", TREE / "go.sum", *sources], GO_PROGRAMS[name], LINK_FLAGS, *BUILD_FLAGS)


@functools.cache  # sources do not change while we run
def binary(name):
    """Where the program lies in the cache, built or not."""
    version = KUBERNETES if name == "pause" else program_key(name)
    return cache_dir() / "bin" / f"{name}-{version}"


def build_programs():
    """One after the other: Go spreads the packages of one over all cores, and those of the next are fewer."""
    with lock(cache_dir() / "lock" / "programs", "another build of the node's programs"):
        for name, package in GO_PROGRAMS.items():
            target = binary(name)
            if target.exists():
                continue
            say(f"building {name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_name(f".{target.name}.{os.getpid()}")
            command = ["nice", find_go(), "build", *BUILD_FLAGS, "-ldflags", LINK_FLAGS, "-o", unfinished, package]
            run(command, cwd=TREE, env=go_environment())
            unfinished.replace(target)


def build_pause():
    """The pause program comes as C in the Kubernetes module."""
    target = binary("pause")
    if target.exists():
        return
    module = run(
        [find_go(), "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes"],
        cwd=TREE,
        env=go_environment(),
    ).strip()
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    run(["gcc", "-Os", "-static", "-o", unfinished, f"{module}/build/pause/linux/pause.c"])
    unfinished.replace(target)


@functools.cache
def find_kube_router():
    """The enforcer that k3s embeds: named by the user, installed or packed beside the checkout. Always a copy in
    the cache, since that is what can be seen from inside the node. None when there is none."""
    if chosen := os.environ.get("HERMESCTL_KUBE_ROUTER"):
        if not os.access(chosen, os.X_OK):
            raise NodeError(f"HERMESCTL_KUBE_ROUTER={chosen}: not a program")
        return into_cache(Path(chosen), open)
    if installed := shutil.which("kube-router"):
        return into_cache(Path(installed), open)
    packed = CHECKOUT.parent / "shared/bin/kube-router.xz"
    return into_cache(packed, lzma.open) if packed.exists() else None


def kube_router():
    if program := find_kube_router():
        return program
    raise Absent(
        "no kube-router here: put it on PATH or name it in HERMESCTL_KUBE_ROUTER, or `node up --enforcer agent`"
    )


def into_cache(source, opened):
    target = cache_dir() / "bin" / f"kube-router-{content_key([source])}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        with opened(source, "rb") as content, open(unfinished, "wb") as out:
            shutil.copyfileobj(content, out)
        unfinished.chmod(0o755)
        unfinished.replace(target)
    return target


def build_all():
    build_programs()
    build_pause()


def kube(*arguments):
    """The command line of one of Kubernetes' programs: they are one binary."""
    return [str(binary("kube")), *arguments]
