"""Writes a container image as a docker-archive of one layer, from a directory."""

import hashlib
import io
import json
import os
import tarfile

FORMAT = "1"  # part of the images' keys: another one makes them anew


def write(target, reference, root, config):
    """`config` is the image's: Entrypoint, Env and so on. Complete or absent: written beside and renamed."""
    layer = target.with_suffix(".layer")
    with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(os.listdir(root)):
            archive.add(root / name, arcname=name)
    with open(layer, "rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
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
    manifest = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": ["layer.tar"]}]).encode()
    unfinished = target.with_suffix(".new")
    with tarfile.open(unfinished, "w") as archive:
        for entry, content in ((name, description), ("manifest.json", manifest)):
            header = tarfile.TarInfo(entry)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
        archive.add(layer, arcname="layer.tar")
    layer.unlink()
    unfinished.replace(target)
