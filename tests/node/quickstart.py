"""What a newcomer does: scripts/quickstart in a checkout, once more, and down. hermesctl is the one built already.

HERMESCTL_BINARY=.../hermesctl python3 tests/node/quickstart.py     (exit 77 where there is no root, or no program)
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from lib import images
from lib.layout import CHECKOUT, cache_dir


class Quickstart(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.addCleanup(scratch.cleanup)
        self.clone = Path(scratch.name) / "hermesctl"
        self.clone.mkdir()
        files = "git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "
        subprocess.run(["sh", "-c", f'{files}"$1"', "copy", self.clone], cwd=CHECKOUT, check=True)
        (self.clone / "build-release").symlink_to(Path(os.environ["HERMESCTL_BINARY"]).parent)
        mine = Path(scratch.name) / "kubeconfig"
        mine.write_text("not to be read\n")
        # where scripts/test finds it when this is killed
        root = os.environ.get("HERMESCTL_NODES") or scratch.name
        state = f"{root}/quickstart"
        self.states = Path(scratch.name) / "state/hermesctl"  # where a node would be without that
        self.states.mkdir(parents=True)
        self.home = Path(scratch.name) / "home"
        self.home.mkdir()
        self.env = {
            **os.environ,
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(cache_dir().parent.parent),
            "KUBECONFIG": str(mine),
            "HERMESCTL_NODE_STATE": state,
            "XDG_STATE_HOME": str(self.states.parent),
        }
        self.addCleanup(self.run_in, "tests/node/node", "down", "--wipe")

    def run_in(self, *argv):
        return subprocess.run(argv, cwd=self.clone, env=self.env, capture_output=True, text=True)

    def test_ends_with_the_bots_answer_and_leaves_nothing(self):
        for time in ("first", "second"):
            with self.subTest(time):
                done = self.run_in("scripts/quickstart")
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                _, answered = done.stdout.split("== a message to the bot: hello\n")
                answer, further = answered.split("== what to type next\n")
                self.assertIn("hello", answer)
                explained = [line for line in further.splitlines() if "  # " in line]
                self.assertEqual(len({line.index("  # ") for line in explained}), 1, further)
        self.assertEqual(Path(self.env["KUBECONFIG"]).read_text(), "not to be read\n")
        status = self.run_in("sh", "-c", 'eval "$(tests/node/node env)"; build-release/hermesctl status')
        self.assertEqual(status.returncode, 0, status.stdout + status.stderr)

        self.assertEqual(self.run_in("scripts/quickstart", "down").returncode, 0)
        self.assertFalse(Path(self.env["HERMESCTL_NODE_STATE"]).exists())
        self.assertFalse(self.states.exists())
        self.assertEqual(list(self.home.iterdir()), [])
        self.assertFalse((self.clone / "build-release").is_symlink())


if __name__ == "__main__":
    if os.geteuid() or not images.prepared() or not os.environ.get("HERMESCTL_BINARY"):
        print("skipped: this needs root, what `tests/node/node build` makes, and HERMESCTL_BINARY")
        sys.exit(77)
    unittest.main()
