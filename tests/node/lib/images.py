"""The container images: made once, kept in the cache as archives and as the blobs of the node's registry."""

import os
import shutil
from pathlib import Path

from . import archive, hermes_image
from .build import GO_PROGRAMS, binary, build_all, content_key
from .layout import cache_dir
from .root import give_back_cache
from .shell import lock, run, say

BUSYBOX = Path("/bin/busybox")
PAUSE_REFERENCE = "registry.k8s.io/pause:3.10"
REFERENCES = {
    "pause": PAUSE_REFERENCE,
    "coredns": "docker.io/coredns/coredns:1.14.1",
    "storage": "docker.io/rancher/local-path-provisioner:v0.0.30",
    "busybox": "docker.io/library/busybox:1.36",
    "hermes": "docker.io/nousresearch/hermes-agent:v0.19.0",
    "rootless": "docker.io/example/hermes-agent:rootless",
}
# What a node needs before it can pull: loaded from archives
PRELOADED = ("pause", "coredns", "storage", "busybox")
PROGRAMS = {"pause": "pause", "coredns": "coredns", "storage": "local-path-provisioner"}
# What the registry offers under Docker Hub's name: NAME:TAG -> image and architecture
PUBLISHED = {
    "nousresearch/hermes-agent:latest": ("hermes", "amd64"),
    "nousresearch/hermes-agent:v0.19.0": ("hermes", "amd64"),
    "nousresearch/hermes-agent:arm64": ("busybox", "arm64"),
    "example/hermes-agent:rootless": ("rootless", "amd64"),
    "library/busybox:1.36": ("busybox", "amd64"),
    "library/busybox:latest": ("busybox", "amd64"),
}


def key(image):
    if image == "hermes":
        return hermes_image.key()
    if image == "rootless":
        return content_key([], hermes_image.key(), repr(hermes_image.ROOTLESS))
    if image == "busybox":
        return content_key([BUSYBOX], image, archive.FORMAT)
    return content_key([], binary(PROGRAMS[image]).name, archive.FORMAT)  # the name has its sources' key


def archive_path(image):
    return cache_dir() / "images" / f"{image}-{key(image)}.tar"


def registry_root():
    """One per set of published images: all nodes share its blobs, and read only once it is complete."""
    images = sorted({image for image, _ in PUBLISHED.values()})
    parts = [binary("registry").name, repr(PUBLISHED), *(archive_path(i).name for i in images)]
    return cache_dir() / "registry" / content_key([], *parts)


def arrange(image, root):
    """Fills root with the image's files and returns its configuration."""
    if image == "hermes":
        hermes_image.build(root)
        return hermes_image.CONFIG
    if image == "busybox":
        for name in ("bin", "tmp", "etc"):
            (root / name).mkdir(parents=True)
        shutil.copy(BUSYBOX, root / "bin/busybox")
        for applet in run([BUSYBOX, "--list"]).split():
            if applet != "busybox":
                (root / "bin" / applet).symlink_to("busybox")
        return {"Cmd": ["sh"], "Env": ["PATH=/bin"]}
    root.mkdir(parents=True)
    shutil.copy(binary(PROGRAMS[image]), root / PROGRAMS[image])
    return {"Entrypoint": [f"/{PROGRAMS[image]}"], "User": "65535:65535" if image == "pause" else ""}


def make_archive(image):
    target = archive_path(image)
    if target.exists():
        return
    if image == "rootless":
        make_archive("hermes")
    with lock(cache_dir() / "lock" / f"image-{image}", f"another node's image {image}"):
        if target.exists():
            return
        say(f"making the image {image}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if image == "rootless":
            archive.derive(target, REFERENCES[image], archive_path("hermes"), hermes_image.ROOTLESS)
            return
        work = target.with_name(f".{target.name}.work")
        remove(work)
        config = arrange(image, work)
        archive.write(target, REFERENCES[image], work, config)
        remove(work)


def remove(directory):
    """Not across a mount: a build that was killed may have left one."""
    run(["rm", "-rf", "--one-file-system", directory])


def publish():
    """Pushes into the registry's blobs; the file `digests` names what is there, and says that all is."""
    root = registry_root()
    if (root / "digests").exists():
        return
    with lock(cache_dir() / "lock" / "publish", "another node's registry"):
        if (root / "digests").exists():
            return
        say("publishing the images in the node's registry")
        unfinished = root.with_name(f".{root.name}.{os.getpid()}")
        specs = [f"{name}={archive_path(image)}@{arch}" for name, (image, arch) in PUBLISHED.items()]
        digests = run([binary("registry"), "publish", unfinished, *specs])
        (unfinished / "digests").write_text(digests)
        unfinished.replace(root)


def digests():
    """What the registry offers: NAME:TAG -> the digest that it is pulled by."""
    return dict(line.split() for line in (registry_root() / "digests").read_text().splitlines())


def prepared():
    wanted = [binary(name) for name in ("pause", *GO_PROGRAMS)]
    wanted += [archive_path(image) for image in REFERENCES]
    return all(path.exists() for path in [*wanted, registry_root() / "digests"])


def prepare():
    """What is not in the cache yet. Hermes' image waits for the network while the programs are built."""
    if prepared():
        return
    import concurrent.futures  # costs more than most verbs, which do without

    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for job in [pool.submit(build_all), pool.submit(make_archive, "hermes")]:
                job.result()
        for image in REFERENCES:
            make_archive(image)
        publish()
    finally:
        give_back_cache()
