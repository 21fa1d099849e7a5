"""The node's own logic that needs neither root nor a node."""

import argparse
import ipaddress
import tempfile
import unittest
from pathlib import Path

from lib import build, cgroups, cli, deps, network, proxy
from lib.cluster import started
from lib.layout import Layout
from lib.shell import NodeError


class Names(unittest.TestCase):
    def test_two_states_share_no_name(self):
        one, two = Layout("/a/one"), Layout("/a/two")
        for name in ("node_ns", "world_ns", "link", "cgroup", "kubeconfig"):
            self.assertNotEqual(getattr(one, name), getattr(two, name))

    def test_the_link_fits_an_interface_name(self):
        self.assertLessEqual(len(Layout("/a/one").link), 15)

    def test_taken_ranges_are_passed_over(self):
        first = network.pick_link("00000005", [])
        self.assertNotEqual(first, network.pick_link("00000005", [first]))

    def test_no_free_range_is_said(self):
        with self.assertRaises(NodeError):
            network.pick_link("00000005", [ipaddress.ip_network("172.16.0.0/12")])


class Cache(unittest.TestCase):
    def test_a_key_changes_with_a_file_and_with_a_flag(self):
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch) / "main.go"
            source.write_text("one")
            keys = {build.content_key([source]), build.content_key([source], "-s")}
            source.write_text("two")
            keys.add(build.content_key([source]))
        self.assertEqual(len(keys), 3)

    def test_every_program_has_its_sums(self):
        for program in build.GO_PROGRAMS:
            self.assertTrue((program.folder / "go.sum").exists(), program.name)


class CommandLine(unittest.TestCase):
    def test_foreign_arguments_pass_untouched(self):
        for verb in ("kubectl", "world"):
            given = ["--state", "/x", verb, "-n", "a", "exec", "--", "sh", "-c", "--state"]
            options = cli.parser().parse_args(given)
            self.assertEqual(options.arguments, given[3:])
            self.assertEqual(options.state, "/x")

    def test_state_may_come_after_the_verb(self):
        self.assertEqual(cli.parser().parse_args(["up", "--state", "/x"]).state, "/x")

    def test_a_proxy_fault_without_its_number_is_refused(self):
        with self.assertRaises(NodeError):
            proxy.apply("127.0.0.1", "latency", None)

    def test_every_verb_has_a_function(self):
        choices = next(a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
        self.assertEqual(set(choices), set(cli.VERBS) | {"deps"})


class Delegation(unittest.TestCase):
    def test_only_offered_controllers_are_enabled_and_only_once(self):
        with tempfile.TemporaryDirectory() as scratch:
            group = Path(scratch)
            (group / "cgroup.controllers").write_text("cpu memory rdma\n")
            (group / "cgroup.subtree_control").write_text("cpu\n")
            cgroups.delegate(group)
            self.assertEqual((group / "cgroup.subtree_control").read_text(), "+memory")


class Readiness(unittest.TestCase):
    def pod(self, ready, began):
        running = {"running": {"startedAt": began}} if began else {"waiting": {}}
        return {
            "status": {
                "conditions": [{"type": "Ready", "status": ready}],
                "containerStatuses": [{"state": running}],
            }
        }

    def test_a_pod_counts_from_its_containers_start(self):
        self.assertEqual(started(self.pod("True", "1970-01-01T00:00:07Z")), 7)

    def test_what_is_not_ready_or_not_running_does_not_count(self):
        self.assertEqual(started(self.pod("False", "1970-01-01T00:00:07Z")), 0)
        self.assertEqual(started(self.pod("True", None)), 0)


class Packages(unittest.TestCase):
    def test_a_program_in_either_sbin_or_bin_is_found(self):
        self.assertIn("/usr/bin/ip", deps.places("/usr/sbin/ip"))


if __name__ == "__main__":
    unittest.main()
