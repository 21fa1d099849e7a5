"""The node as a whole: up, down, and mended when it is half dead."""

import functools
import itertools

from . import build, cgroups, checks, configuration, images, network, parts, pki, programs, storage
from .boot import StateBroken, boot
from .cluster import Cluster
from .enforcement import NONE, Enforcement
from .holder import Holder
from .node_images import NodeImages
from .processes import Processes
from .shell import NodeError, lock, say, wait_until


class Node:
    def __init__(self, layout):
        self.layout = layout
        self.holder = Holder(layout)
        self.processes = Processes(layout, self.holder)
        self.images = NodeImages(layout, self.processes)
        self.enforcement = Enforcement(layout)
        self.lock_file = layout.state.with_name(f".{layout.state.name}.lock")
        self.aside = layout.state.with_name(f"{layout.state.name}.broken")

    @functools.cached_property
    def address(self):
        """On the link to the machine, when its network is there."""
        addresses = network.link_addresses(self.layout)
        return addresses[1] if addresses else None

    @functools.cached_property
    def cluster(self):
        return Cluster(self.layout, self.address)

    def locate(self):
        """Its address anew."""
        for found in ("address", "cluster"):
            self.__dict__.pop(found, None)

    def exclusive(self):
        """One `up` or `down` at a time. The lock lies beside the state, so that wiping keeps it."""
        return lock(self.lock_file, "another command on this node")

    # --- its parts ---

    def table(self):
        return parts.table(self.layout, self.address, self.enforcement)

    def start(self, name):
        return self.processes.start(name, self.table()[name])

    def dead(self):
        return [name for name in self.table() if not self.processes.alive(name)]

    def whole(self):
        """Whether there is something for its parts to run in."""
        return bool(self.holder.pid() and self.address and network.complete(self.layout))

    def healthy(self):
        table = self.table()
        runs = self.processes
        as_wanted = all(runs.alive(name) and not runs.outdated(name, part) for name, part in table.items())
        return as_wanted and not any(self.cluster.missing())

    def switch_enforcer(self, wanted):
        """The former one's rules stay when it stops, as they should; here they have to go."""
        self.enforcement.program(wanted)
        if wanted != self.enforcement.which():
            cleanup = self.enforcement.cleanup()
            self.processes.stop("enforcer")
            if cleanup:
                self.processes.inside(cleanup, self.layout.node_ns)
            self.enforcement.choose(wanted)
        if wanted != NONE and self.start("enforcer"):
            self.processes.settled("enforcer")

    # --- up and down ---

    def up(self, enforcer=None):
        with self.exclusive():
            whole = self.whole()
            if not whole:
                checks.check(self.layout.state)
            enforcer = self.enforcement.wanted(enforcer)
            self.enforcement.program(enforcer)  # where it is not here, nothing is changed
            images.prepare()
            how = self._up(whole, enforcer)
            self.enforcement.keep()
            return how

    def _up(self, whole, enforcer):
        if whole:
            self._configure()
            if self.healthy():
                self.switch_enforcer(enforcer)
                return "it was up"
        fresh = not (self.layout.state / "etcd/member").exists()
        try:
            self._boot(enforcer)
            return "booted" if fresh else "mended"
        except NodeError as error:
            if fresh:
                raise
            say(f"that failed ({error}); ending what runs and booting again")
        return self._boot_again(enforcer)

    def _boot_again(self, enforcer):
        self._down(wipe=False)
        try:
            self._boot(enforcer)
            return "mended"
        except StateBroken as error:
            say(f"its state is broken ({error}); keeping it in {self.aside} and starting from nothing")
        except NodeError as error:
            raise NodeError(f"{error}\n`node down --wipe` makes a new one") from None
        return self._boot_anew(enforcer)

    def _boot_anew(self, enforcer):
        """When that fails, too, it was not the state."""
        state = self.layout.state
        self._down(wipe=False)
        if self.aside.exists():
            say(f"what was in {self.aside} from before goes")
        images.remove(self.aside)
        state.rename(self.aside)
        try:
            self._boot(enforcer)
        except BaseException as error:  # Ctrl-C and a full disk, too
            self._down(wipe=False)
            images.remove(state)
            self.aside.rename(state)
            if not isinstance(error, NodeError):
                raise
            raise NodeError(f"{error}\nit is the same without its state, which is where it was") from None
        return "started from nothing"

    def _boot(self, enforcer):
        self.layout.create()
        if not self.whole():
            # what is left is of no use: the rules of a dead enforcer, programs without their network
            self._down(wipe=False)
            self.enforcement.choose(enforcer)
            network.create(self.layout)
            self._configure()
            cgroups.create(self.layout.cgroup)
            storage.create(self.layout)
            self.holder.start(programs.cached(build.binary("pause")))
        boot(self)
        self.switch_enforcer(enforcer)
        self.wait_ready()

    def _configure(self):
        self.locate()
        pki.create(self.layout.pki, self.address)
        configuration.write(self.layout, self.address)

    def wait_ready(self):
        names, missing = list(self.table()), []

        def ready():
            for name in names:
                self.processes.check(name)
            missing[:] = itertools.islice(self.cluster.missing(), 1)
            return not missing

        wait_until("the node", ready, interval=0.3, detail=missing)

    def down(self, wipe=False):
        """Whether there was anything."""
        with self.exclusive():
            existed = self.layout.state.exists() or self.aside.exists()
            self._down(wipe)
            if wipe:
                self.lock_file.unlink()
            return existed

    def _down(self, wipe):
        """Everything of the node is in the holder's process namespace and seen from its mount namespace only.
        Without farewells, as in a power cut: etcd, containerd and the bot have to live with that anyway."""
        self.holder.kill()
        for record in self.layout.run.glob("*.pid"):
            record.unlink()
        cgroups.remove(self.layout.cgroup)
        network.remove(self.layout)
        if wipe:
            images.remove(self.layout.state)
            images.remove(self.aside)
