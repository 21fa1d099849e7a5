"""Writes a container image as a docker-archive of one layer, from a directory."""

import hashlib
import io
import json
import os
import tarfile

FORMAT = "2"  # part of the images' keys: another one makes them anew


def write(target, reference, root, config):
    """`config` is the image's: Entrypoint, Env and so on. Complete or absent: written beside and renamed."""
    layer = target.with_suffix(".layer")
    with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(os.listdir(root)):
            archive.add(root / name, arcname=name)
    with open(layer, "rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    with open(layer, "rb") as content:
        pack(target, reference, config, digest, layer.stat().st_size, content)
    layer.unlink()


def derive(target, reference, source, config):
    """The files of another image's archive, with a configuration of its own."""
    with tarfile.open(source) as archive:
        described = json.load(archive.extractfile("manifest.json"))[0]["Config"]
        digest = json.load(archive.extractfile(described))["rootfs"]["diff_ids"][0].removeprefix("sha256:")
        layer = archive.getmember(layer_name(digest))
        pack(target, reference, config, digest, layer.size, archive.extractfile(layer))


def layer_name(digest):
    """Its own for each: by this name containerd goes on with what an import that was killed has left."""
    return f"{digest}.tar"


def pack(target, reference, config, digest, size, layer):
    description = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created_by": "hermesctl tests/node"}],
        }
    ).encode()
    name = hashlib.sha256(description).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": [layer_name(digest)]}]).encode()
    unfinished = target.with_suffix(".new")
    with tarfile.open(unfinished, "w") as archive:
        for entry, length, content in (
            (name, len(description), io.BytesIO(description)),
            ("manifest.json", len(manifest), io.BytesIO(manifest)),
            (layer_name(digest), size, layer),
        ):
            header = tarfile.TarInfo(entry)
            header.size = length
            archive.addfile(header, content)
    unfinished.replace(target)
