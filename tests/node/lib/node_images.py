"""The images that the node's containerd has: those it boots with, and forgetting one so that it is pulled again."""

from . import images, programs
from .shell import NodeError

CONTAINERD = "/run/containerd/containerd.sock"


class NodeImages:
    def __init__(self, layout, processes):
        self.processes = processes
        self.record = layout.state / "loaded"

    def ctr(self, *arguments):
        return self.processes.inside(["ctr", "-a", CONTAINERD, "-n", "k8s.io", "images", *arguments])

    def digests(self):
        """Reference -> digest."""
        lines = self.ctr("list").splitlines()[1:]
        return {line.split()[0]: line.split()[2] for line in lines}

    def refresh(self):
        """Loads what a node needs before it can pull, and forgets what the registry has in another form by now."""
        present = self.digests()
        loaded = self.record.read_text().split() if self.record.exists() else []
        wanted = {images.REFERENCES[image]: images.archive_path(image) for image in images.PRELOADED}
        for reference, archive in wanted.items():
            if reference not in present or archive.name not in loaded:
                self.ctr("import", programs.cached(archive))
        self.record.write_text("\n".join(path.name for path in wanted.values()))
        for name, digest in images.digests().items():
            reference = full(name)
            if reference not in wanted and present.get(reference, digest) != digest:
                self._remove(present, present[reference])

    def forget(self, reference):
        present = self.digests()
        if full(reference) not in present:
            if full(reference) in map(full, images.digests()):
                return  # it was not pulled yet
            raise NodeError(f"the node has no image {full(reference)}")
        self._remove(present, present[full(reference)])

    def _remove(self, present, digest):
        """All its names: as long as one is left, its layers are, and nothing of it would be pulled."""
        self.ctr("remove", "--sync", *(name for name, other in present.items() if other == digest))


def full(reference):
    """As containerd names it: busybox:1.36 is docker.io/library/busybox:1.36."""
    first, slash, _ = reference.partition("/")
    if not slash:
        reference = f"docker.io/library/{reference}"
    elif "." not in first and ":" not in first and first != "localhost":
        reference = f"docker.io/{reference}"
    return reference if "@" in reference or ":" in reference.rpartition("/")[2] else f"{reference}:latest"
