"""Two nodes at once, a crash and a killed `up`; in the end nothing is left. Needs root; takes some minutes."""

import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from lib import cgroups
from lib.holder import Holder
from lib.layout import Layout

NODE = Path(__file__).parent / "node"


def node(state, *arguments):
    return subprocess.run([NODE, "--state", state, *arguments], capture_output=True, text=True)


def traces(layout):
    """What of the node can be seen on the machine."""
    found = [str(p) for p in Path("/var/run/netns").glob(f"hc?-{layout.id}")]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if str(layout.state) in line]
    found += [layout.link] if Path(f"/sys/class/net/{layout.link}").exists() else []
    found += [layout.cgroup] if cgroups.left_over(layout.cgroup) else []
    found += [str(layout.state)] if layout.state.exists() else []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [str(entry)] if layout.id.encode() in entry.read_bytes() else []
        except OSError:
            pass  # it ended meanwhile
    return found


class Lifecycle(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.states = [f"{self.scratch.name}/{n}" for n in ("one", "two")]
        self.addCleanup(self.scratch.cleanup)
        for state in self.states:
            self.addCleanup(node, state, "down", "--wipe")

    def up(self, state):
        result = node(state, "up")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(node(state, "status").returncode, 0)

    def test_two_nodes_and_a_crash(self):
        one, two = self.states
        parallel = [
            subprocess.Popen([NODE, "--state", s, "up"], stderr=subprocess.DEVNULL) for s in self.states
        ]
        self.assertEqual([p.wait() for p in parallel], [0, 0])
        self.assertEqual(node(one, "kubectl", "create", "namespace", "mine").returncode, 0)
        self.assertNotEqual(node(two, "kubectl", "get", "namespace", "mine").returncode, 0)

        os.kill(Holder(Layout(one)).pid(), signal.SIGKILL)
        time.sleep(0.5)
        self.assertNotEqual(node(one, "status").returncode, 0)
        self.assertEqual(node(two, "status").returncode, 0)
        self.up(one)
        self.assertEqual(node(one, "kubectl", "get", "namespace", "mine").returncode, 0)

        self.assertEqual(node(one, "down", "--wipe").returncode, 0)
        self.assertEqual(traces(Layout(one)), [])
        self.assertEqual(node(two, "status").returncode, 0)
        self.assertEqual(node(two, "down", "--wipe").returncode, 0)
        self.assertEqual(traces(Layout(two)), [])

    def test_an_up_that_was_killed(self):
        state = self.states[0]
        for moment in (0.7, 2, 5):
            first = subprocess.Popen([NODE, "--state", state, "up"], stderr=subprocess.DEVNULL)
            time.sleep(moment)
            first.kill()
            first.wait()
        self.up(state)
        self.assertEqual(node(state, "down", "--wipe").returncode, 0)
        self.assertEqual(traces(Layout(state)), [])


if __name__ == "__main__":
    unittest.main()
