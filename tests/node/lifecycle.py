"""Two nodes at once, a crash, a lost link, a killed `up`, a broken state; in the end nothing is left.

python3 tests/node/lifecycle.py      (two minutes; exit 77 where it cannot run: no root, or nothing built)
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from lib import cgroups, images, storage
from lib.cluster import DEFAULT_CLASS
from lib.holder import Holder
from lib.layout import NODE_NAME, Layout

NODE = Path(__file__).parent / "node"


def node(state, *arguments):
    return subprocess.run([NODE, "--state", state, *arguments], capture_output=True, text=True)


def traces(layout):
    """What of the node can be seen on the machine."""
    found = [str(p) for p in Path("/var/run/netns").glob(f"hc?-{layout.id}")]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if str(layout.state) in line]
    found += [layout.link] if Path(f"/sys/class/net/{layout.link}").exists() else []
    found += [layout.cgroup] if cgroups.left_over(layout.cgroup) else []
    found += [str(p) for p in layout.state.parent.glob(f"{layout.state.name}*")]
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [str(entry)] if layout.id.encode() in entry.read_bytes() else []
        except OSError:
            pass  # it ended meanwhile
    return found


class Lifecycle(unittest.TestCase):
    def setUp(self):
        scratch = self.enterContext(tempfile.TemporaryDirectory(dir="/var/tmp"))
        # where scripts/test finds them when this is killed
        root = os.environ.get("HERMESCTL_NODES") or scratch
        self.states = [f"{root}/lifecycle-{n}" for n in ("one", "two")]
        for state in self.states:
            self.addCleanup(node, state, "down", "--wipe")

    def up(self, state, *arguments):
        result = node(state, "up", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(node(state, "status").returncode, 0)
        return result.stderr

    def kill(self, state, part):
        pid = Path(state, f"run/{part}.pid").read_text().split()[0]
        subprocess.run(Holder(Layout(state)).enter(["kill", "-KILL", pid]), check=True)

    def leave_faults(self, state):
        """As a test that was killed does."""
        for fault in (
            "world fault model reject",
            "proxy latency 5000",
            "disk fill",
            "enforcer none",
            "stop scheduler",
            "stop standins",
            f"kubectl annotate --overwrite storageclass local-path {DEFAULT_CLASS}=no",
        ):
            done = node(state, *fault.split())
            self.assertEqual(done.returncode, 0, f"{fault}: {done.stderr}")

    def assert_healed(self, state):
        self.assertEqual(node(state, "status").returncode, 0)
        self.assertEqual(node(state, "enforcer", "which").stdout, "agent\n")
        self.assertEqual(json.loads(node(state, "proxy", "status").stdout)["toxics"], [])
        self.assertFalse(Holder(Layout(state)).seen(storage.BALLAST).exists())
        self.assertIn("(default)", node(state, "kubectl", "get", "storageclass").stdout)

    def tables(self, state):
        netns = f"/var/run/netns/{Layout(state).node_ns}"
        listed = ["nsenter", f"--net={netns}", "nft", "list", "tables"]
        return subprocess.run(listed, capture_output=True, text=True, check=True).stdout

    def kill_ups(self, state):
        for moment in (0.7, 2, 5):
            first = subprocess.Popen([NODE, "--state", state, "up"], stderr=subprocess.DEVNULL)
            time.sleep(moment)
            first.kill()
            first.wait()
        subprocess.run(["ip", "link", "delete", Layout(state).link], check=True)

    def up_side_by_side(self):
        """Also what is left of an `up` that was killed."""
        parallel = [
            subprocess.Popen([NODE, "--state", s, "up", "--enforcer", "agent"], stderr=subprocess.DEVNULL)
            for s in self.states
        ]
        self.assertEqual([p.wait() for p in parallel], [0, 0])

    def break_and_heal(self, one, two):
        self.assertEqual(node(one, "kubectl", "create", "namespace", "mine").returncode, 0)
        self.assertNotEqual(node(two, "kubectl", "get", "namespace", "mine").returncode, 0)
        self.assertEqual(node(one, "kubectl", "cordon", NODE_NAME).returncode, 0)
        for part in ("kubelet", "enforcer"):
            self.assertEqual(node(one, "stop", part).returncode, 0)
            self.assertRegex(node(one, "status").stdout, f"{part} +dead")
            self.assertEqual(node(one, "start", part).returncode, 0)
            self.assertRegex(node(one, "status").stdout, f"{part} +runs")
        self.assertIn("policy_agent", self.tables(one))
        self.leave_faults(one)
        self.assertEqual(node(one, "heal").returncode, 0)
        self.assert_healed(one)

    def crash(self, one, two):
        os.kill(Holder(Layout(one)).pid(), signal.SIGKILL)
        time.sleep(0.5)
        self.assertNotEqual(node(one, "status").returncode, 0)
        self.assertEqual(node(two, "status").returncode, 0)
        self.assertIn("mended", self.up(one, "--enforcer", "none"))
        self.assertEqual(node(one, "kubectl", "get", "namespace", "mine").returncode, 0)
        self.assertNotIn("policy_agent", self.tables(one))

    def break_state(self, state):
        self.kill(state, "kubelet")
        self.assertIn("mended", self.up(state))
        self.assertEqual(node(state, "down").returncode, 0)
        for log in Path(state, "etcd/member/wal").glob("*.wal"):
            log.write_bytes(b"garbage" * 1000)
        self.assertIn("started from nothing", self.up(state))
        self.assertTrue(Path(f"{state}.broken/etcd/member").exists())

    def wipe(self, state):
        self.assertEqual(node(state, "down", "--wipe").returncode, 0)
        self.assertEqual(traces(Layout(state)), [])

    def test_two_nodes(self):
        one, two = self.states
        self.kill_ups(two)
        self.up_side_by_side()
        self.break_and_heal(one, two)
        self.crash(one, two)
        self.wipe(one)
        self.assertEqual(node(two, "status").returncode, 0)
        self.break_state(two)
        self.wipe(two)


if __name__ == "__main__":
    if os.geteuid() or not images.prepared():
        print("skipped: this needs root, and what `tests/node/node build` makes")
        sys.exit(77)
    unittest.main()
