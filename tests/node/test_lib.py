"""The node's own logic that needs neither root nor a node."""

import argparse
import contextlib
import ipaddress
import json
import os
import signal
import subprocess
import tarfile
import tempfile
import threading
import tomllib
import unittest
from pathlib import Path
from unittest import mock

from lib import (
    archive,
    build,
    cgroups,
    checks,
    cli,
    configuration,
    deps,
    network,
    node_images,
    pki,
    proxy,
    root,
    talk,
)
from lib.boot import StateBroken
from lib.cluster import started, troubles
from lib.enforcement import Enforcement
from lib.holder import Holder, start_time
from lib.layout import Layout
from lib.node import Node
from lib.parts import Part
from lib.processes import Processes, key
from lib.shell import Absent, NodeError, lock, run, succeeds

import control_socket  # of world, which talk adds to the path


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

    def test_how_a_program_is_built_is_part_of_its_key(self):
        keys = {build.program_key("kube"), build.program_key("enforcer")}
        with mock.patch.object(build, "BUILD_FLAGS", ("-trimpath",)):
            keys.add(build.program_key("kube"))
        with mock.patch.object(build, "LINK_FLAGS", "-X a.b=c"):
            keys.add(build.program_key("kube"))
        self.assertEqual(len(keys), 4)

    def test_a_programs_own_sources_are_part_of_its_key_and_no_others(self):
        def keys():
            return {name: build.program_key(name) for name in build.GO_PROGRAMS}

        tree = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name in ("go.mod", "go.sum"):
            (tree / name).touch()
        (tree / "enforcer").mkdir()
        with mock.patch.object(build, "TREE", tree):
            before = keys()
            (tree / "enforcer/main_test.go").touch()
            self.assertEqual(keys(), before)
            (tree / "enforcer/main.go").touch()
            self.assertEqual({name for name, key in keys().items() if key != before[name]}, {"enforcer"})
            (tree / "go.sum").write_text("one")
            self.assertFalse(set(keys().values()) & set(before.values()))

    def test_go_writes_nothing_elsewhere_and_all_of_it_can_be_removed(self):
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": "/c", "GOPATH": "/mine", "GOFLAGS": "-p=1"}):
            settings = build.go_environment()
        for name in ("GOPATH", "GOCACHE", "GOMODCACHE", "XDG_CONFIG_HOME"):
            self.assertTrue(settings[name].startswith("/c/hermesctl/node/go/"), name)
        self.assertEqual(settings["GOFLAGS"], "-p=1 -modcacherw")


class CommandLine(unittest.TestCase):
    def test_foreign_arguments_pass_untouched(self):
        for verb in ("kubectl", "world", "go"):
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

    def test_without_a_node_the_stand_ins_are_not_asked(self):
        state = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for verb, options in (("world", argparse.Namespace(arguments=["ping"])), ("heal", None)):
            with self.assertRaisesRegex(NodeError, "not up"):
                cli.VERBS[verb](Node(Layout(state)), options)


class StandIns(unittest.TestCase):
    def setUp(self):
        self.state = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.state / "world").mkdir()
        self.node = Node(Layout(self.state))
        self.enterContext(mock.patch.object(self.node.holder, "pid", os.getpid))

    def serve(self, answer):
        server = control_socket.serve(self.state / "world", answer)
        self.addCleanup(server.server_close)

    def test_are_asked_without_another_process(self):
        asked = []
        self.serve(asked.append)
        with mock.patch("subprocess.run", side_effect=AssertionError):
            code = cli.VERBS["world"](self.node, argparse.Namespace(arguments=["reset", "model"]))
        self.assertEqual(code, 0)
        self.assertEqual(asked, [{"command": "reset", "service": "model"}])

    def test_those_that_do_not_answer_have_not_been_told(self):
        self.assertFalse(talk.told(self.node, "ping"))
        self.serve(lambda request: None)
        self.assertTrue(talk.told(self.node, "ping"))


class BrokenState(unittest.TestCase):
    def setUp(self):
        scratch = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.node = Node(Layout(scratch / "node"))
        self.kept = self.node.layout.state / "etcd/member/mine"
        self.kept.parent.mkdir(parents=True)
        self.kept.touch()
        self.aside = scratch / "node.broken"
        self.enterContext(mock.patch("lib.node.say"))
        self.enterContext(mock.patch.object(self.node, "_down"))

    def up(self, *ends):
        boots = mock.Mock(side_effect=ends)
        with mock.patch.object(self.node, "_boot", boots):
            return self.node._up(whole=False, enforcer="agent")

    def test_is_kept_beside_the_new_one(self):
        broken = StateBroken("etcd died")
        self.assertEqual(self.up(broken, broken, None), "started from nothing")
        self.assertFalse(self.kept.exists())
        self.assertTrue((self.aside / "etcd/member/mine").exists())

    def test_is_where_it_was_when_it_was_not_the_state(self):
        broken = StateBroken("etcd died")
        with self.assertRaisesRegex(NodeError, "same without its state"):
            self.up(broken, broken, broken)
        self.assertTrue(self.kept.exists())
        self.assertFalse(self.aside.exists())

    def test_is_no_other_failure(self):
        with self.assertRaisesRegex(NodeError, "makes a new one"):
            self.up(NodeError("late"), NodeError("late"))
        self.assertTrue(self.kept.exists())


class Delegation(unittest.TestCase):
    def setUp(self):
        self.group = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.group / "cgroup.controllers").write_text("cpu memory rdma\n")
        (self.group / "cgroup.procs").write_text("")

    def test_only_offered_controllers_are_enabled_and_only_once(self):
        (self.group / "cgroup.subtree_control").write_text("cpu\n")
        cgroups.delegate(self.group)
        self.assertEqual((self.group / "cgroup.subtree_control").read_text(), "+memory")

    def test_a_group_that_stays_busy_is_said(self):
        (self.group / "cgroup.subtree_control").write_text("")
        busy = mock.Mock(side_effect=OSError(16, "busy"))
        with mock.patch.object(Path, "write_text", busy), self.assertRaises(NodeError):
            cgroups.delegate(self.group)

    def test_where_no_group_can_be_made_the_check_says_so(self):
        with mock.patch.object(cgroups, "ROOT", self.group):
            self.assertIsNone(cgroups.trial())
            with mock.patch.object(Path, "mkdir", side_effect=OSError(30, "read-only")):
                self.assertIn("read-only", cgroups.trial())


class Hierarchies(unittest.TestCase):
    def setUp(self):
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.enterContext(mock.patch.object(cgroups, "ROOT", self.root))
        self.enterContext(mock.patch.object(cgroups, "changing", contextlib.nullcontext))

    def group(self, path, **files):
        """With these files: cpuset_cpus is cpuset.cpus."""
        folder = self.root / path
        folder.mkdir(exist_ok=True)
        for name, text in {"cgroup_procs": "", **files}.items():
            (folder / name.replace("_", ".", 1)).write_text(text)

    def test_of_v1_each_gets_the_group_and_cpuset_what_it_needs_to_run_anything(self):
        self.group("cpu,cpuacct")
        self.group("cpuset", cpuset_cpus="0-3\n", cpuset_mems="0\n")
        (self.root / "cpu").symlink_to("cpu,cpuacct")
        (self.root / "no-hierarchy").mkdir()
        self.assertEqual(cgroups.hierarchies(), [self.root / "cpu,cpuacct", self.root / "cpuset"])
        for _ in range(2):  # the second `up` finds it
            cgroups.create("node")
        self.assertTrue(cgroups.left_over("node"))
        self.assertEqual(list((self.root / "cpu,cpuacct/node").iterdir()), [])
        made = {p.name: p.read_text() for p in (self.root / "cpuset/node").iterdir()}
        self.assertEqual(made, {"cpuset.cpus": "0-3\n", "cpuset.mems": "0\n"})

    def test_of_v2_the_one_is_delegated_down_to_the_group(self):
        offered = {"cgroup_controllers": "memory rdma\n", "cgroup_subtree_control": ""}
        self.group(".", cpuset_cpus="\n", **offered)
        self.group("node", **offered)  # the kernel puts these files into a new one
        self.assertEqual(cgroups.hierarchies(), [self.root])
        cgroups.create("node")
        for group in (self.root, self.root / "node"):
            self.assertEqual((group / "cgroup.subtree_control").read_text(), "+memory")
        self.assertFalse((self.root / "node/cpuset.cpus").exists(), "it inherits them")
        self.assertFalse((self.root / cgroups.LEAF).exists(), "nobody was in the way")


class Containerd(unittest.TestCase):
    def test_lowers_no_pods_oom_score_whatever_it_may(self):
        """A setting of the CRI plugin itself: in another table it would be ignored without a word."""
        settings = tomllib.loads(configuration.CONTAINERD.format(state="/s", pause="pause:1"))
        plugin = settings["plugins"]["io.containerd.grpc.v1.cri"]
        self.assertIs(plugin["restrict_oom_score_adj"], True)
        self.assertEqual(plugin["cni"]["conf_dir"], "/s/conf/cni")


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

    def test_a_cordon_is_no_trouble(self):
        cordon, pressure = {"key": "node.kubernetes.io/unschedulable"}, {
            "key": "node.kubernetes.io/not-ready"
        }
        self.assertEqual(troubles({"spec": {"taints": [cordon, pressure]}}), [pressure])
        self.assertEqual(troubles({"spec": {}}), [])


class Running(unittest.TestCase):
    """A child of ours plays a program of the node, with this process namespace as the node's."""

    def setUp(self):
        layout = mock.Mock(run=Path(self.enterContext(tempfile.TemporaryDirectory())))
        holder = Holder(layout)
        self.enterContext(mock.patch.object(holder, "pid", os.getpid))
        self.processes = Processes(layout, holder)
        self.child = subprocess.Popen(["sleep", "60"])
        self.addCleanup(self.child.wait)
        self.addCleanup(self.child.kill)
        self.part = Part(["sleep", "60"], None)
        self.record = layout.run / "part.pid"

    def test_a_pid_counts_with_its_start_only(self):
        self.record.write_text(f"{self.child.pid} {start_time(self.child.pid)} {key(self.part)}")
        self.assertTrue(self.processes.alive("part"))
        self.record.write_text(f"{self.child.pid} 1 {key(self.part)}")
        self.assertFalse(self.processes.alive("part"))

    def test_another_command_line_is_outdated(self):
        self.record.write_text(f"{self.child.pid} {start_time(self.child.pid)} {key(self.part)}")
        self.assertFalse(self.processes.outdated("part", self.part))
        self.assertTrue(self.processes.outdated("part", Part(["sleep", "61"], None)))

    def test_a_changed_file_gives_another_key(self):
        part = Part(["sleep"], None, (self.record,))
        self.record.write_text("one")
        former = key(part)
        self.record.write_text("two")
        self.assertNotEqual(key(part), former)


class EnforcementRecord(unittest.TestCase):
    def setUp(self):
        scratch = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.cached = scratch / "hermesctl/node/bin/kube-router-1"
        self.cached.parent.mkdir(parents=True)
        self.cached.touch()
        self.enterContext(mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(scratch)}))
        self.enforcement = Enforcement(Layout(scratch))

    def found(self, program):
        build.find_kube_router.cache_clear()
        return mock.patch("lib.build.find_kube_router", lambda: program)

    def test_a_chosen_kube_router_is_remembered(self):
        with self.found(self.cached):
            self.enforcement.choose("kube-router")
        with self.found(None):
            self.assertEqual(self.enforcement.program("kube-router"), self.cached)
            self.assertEqual(self.enforcement.wanted(None), "kube-router")

    def test_what_is_not_here_is_refused_and_changes_nothing(self):
        with self.found(None):
            with self.assertRaises(Absent):
                self.enforcement.choose("kube-router")
        self.assertIsNone(self.enforcement.which())

    def test_the_usual_one_is_that_of_up_whatever_a_test_chose(self):
        with self.found(self.cached):
            self.enforcement.choose("kube-router")
        self.enforcement.keep()
        self.enforcement.choose("none")
        self.assertEqual((self.enforcement.usual(), self.enforcement.which()), ("kube-router", "none"))
        with self.found(None):
            self.assertEqual(self.enforcement.program("kube-router"), self.cached)

    def test_rules_that_cannot_be_removed_are_said(self):
        with self.found(self.cached):
            self.enforcement.choose("kube-router")
        self.cached.unlink()
        with self.found(None), self.assertRaisesRegex(NodeError, "node down"):
            self.enforcement.cleanup()


class Images(unittest.TestCase):
    def test_references_are_named_as_containerd_does(self):
        for given, full in (
            ("busybox", "docker.io/library/busybox:latest"),
            ("nousresearch/hermes-agent:v0.19.0", "docker.io/nousresearch/hermes-agent:v0.19.0"),
            ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
            ("localhost:5000/a", "localhost:5000/a:latest"),
        ):
            self.assertEqual(node_images.full(given), full)

    def test_two_archives_share_no_layers_name(self):
        scratch = Path(self.enterContext(tempfile.TemporaryDirectory()))
        names = []
        for image in ("one", "two"):
            root = scratch / image
            root.mkdir()
            (root / "file").write_text(image)
            archive.write(scratch / f"{image}.tar", image, root, {})
            archive.derive(scratch / f"{image}-derived.tar", image, scratch / f"{image}.tar", {"User": "1"})
            for written in (f"{image}.tar", f"{image}-derived.tar"):
                with tarfile.open(scratch / written) as content:
                    names.append(json.load(content.extractfile("manifest.json"))[0]["Layers"][0])
                    self.assertIn(names[-1], content.getnames())
        self.assertEqual(names[0], names[1])
        self.assertEqual(names[2], names[3])
        self.assertNotEqual(names[0], names[2])


class Shell(unittest.TestCase):
    def test_a_program_that_is_not_here(self):
        self.assertFalse(succeeds(["/nonexistent/program"]))
        with self.assertRaisesRegex(NodeError, "/nonexistent/program: not here"):
            run(["/nonexistent/program"])

    def test_a_lock_whose_file_is_removed_meanwhile_still_excludes(self):
        path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "lock"
        inside, most = [], []

        def work():
            for _ in range(20):
                with lock(path, "nobody"):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
                    path.unlink()

        workers = [threading.Thread(target=work) for _ in range(4)]
        with mock.patch("lib.shell.say"):
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        self.assertEqual((len(most), max(most)), (80, 1))

    def test_what_a_fetch_needs_passes_sudo(self):
        given = ("HTTPS_PROXY", "no_proxy", "GOPROXY", "GONOSUMDB", "PIP_INDEX_URL", "LANG", "KUBECONFIG")
        self.assertEqual(set(root.fetching(given)), set(given) - {"LANG", "KUBECONFIG"})

    def test_sudo_keeps_what_is_needed_and_shows_no_password(self):
        environment = {"HOME": "/home/p", "https_proxy": "http://u:secret@proxy", "LANG": "C"}
        executed = []
        with (
            mock.patch("os.geteuid", lambda: 1000),
            mock.patch("shutil.which", lambda _: "/usr/bin/sudo"),
            mock.patch("os.execvp", lambda _, argv: executed.extend(argv)),
            mock.patch.dict(os.environ, environment, clear=True),
        ):
            root.become_root("/s", ["up"])
        self.assertEqual(executed[:3], ["sudo", "--preserve-env=https_proxy", "--"])
        self.assertIn("HOME=/home/p", executed)
        self.assertIn("HERMESCTL_NODE_STATE=/s", executed)
        self.assertNotIn("secret", " ".join(executed))

    def test_of_a_boot_that_failed_the_person_gets_what_is_there(self):
        there = Path(self.enterContext(tempfile.TemporaryDirectory())) / "kubeconfig"
        there.touch()
        given = []
        with (
            mock.patch.object(root, "caller", lambda: (1000, 1000)),
            mock.patch("os.chown", lambda path, *_: given.append(path)),
        ):
            root.give_back(there, there.with_name("never-made"))
        self.assertEqual(given, [there])


class Certificates(unittest.TestCase):
    def test_stand_strict_verification(self):
        """Python 3.13 asks for it by default."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        pki.authority(folder, "ca", "/CN=an authority")
        pki.issue(folder, "server", "/CN=a server", "DNS:a.example")
        strict = ["openssl", "verify", "-x509_strict", "-CAfile", folder / "ca.crt", folder / "server.crt"]
        self.assertIn("server.crt: OK", run(strict))


class Packages(unittest.TestCase):
    def test_a_loaded_br_netfilter_leaves_the_machines_bridges_as_they_were(self):
        switches = Path(self.enterContext(tempfile.TemporaryDirectory())) / "bridge"

        def modprobe(_):
            switches.mkdir()
            for name in checks.BRIDGE_SWITCHES:
                (switches / name).write_text("1\n")
            return True

        with mock.patch("lib.checks.succeeds", modprobe):
            self.assertIsNone(checks.bridges(switches))
            self.assertEqual({p.read_text() for p in switches.iterdir()}, {"0\n"})

    def test_nothing_is_changed_where_anything_is_missing(self):
        fine = ("architecture", "packages", "namespaces", "overlay", "filtering", "bridges")
        found = {name: mock.Mock(return_value=None) for name in fine}
        found["memory"] = lambda: "too little memory"
        with mock.patch.multiple(checks, **found), mock.patch.object(cgroups, "trial", lambda: None):
            with self.assertRaisesRegex(NodeError, "too little memory"):
                checks.check("/nonexistent")
        found["filtering"].assert_called_once()
        found["bridges"].assert_not_called()

    def test_too_little_room_is_said_for_what_is_still_to_be_made(self):
        scratch = Path(self.enterContext(tempfile.TemporaryDirectory()))
        state, cache = scratch / "state", scratch / "cache"
        with mock.patch("shutil.disk_usage", lambda _: mock.Mock(free=1 << 30)):
            self.assertEqual(len(list(checks.room(state, cache))), 2)
            (cache / "registry/key").mkdir(parents=True)
            (cache / "registry/key/digests").touch()
            self.assertRegex(" ".join(checks.room(state, cache)), f"1 GB free for {state}: this needs")
            (state / "etcd").mkdir(parents=True)
            self.assertEqual(list(checks.room(state, cache)), [])

    def install(self, policy, apt, signalled=None):
        """The installation with a policy file of ours and an apt-get that does what `apt` says."""
        (self.scratch / "apt-get").write_text(f"#!/bin/sh\n{apt}\n")
        (self.scratch / "apt-get").chmod(0o755)
        script = deps.INSTALL_QUIETLY.replace("/usr/sbin/policy-rc.d", str(policy))
        shell = subprocess.Popen(
            ["sh", "-c", script, "sh", "x"],
            env={"PATH": f"{self.scratch}:/usr/bin:/bin"},
            stdout=subprocess.PIPE,
        )
        if signalled:
            shell.stdout.readline()
            shell.send_signal(signalled)
        shell.communicate()

    def test_no_service_policy_stays_whatever_ends_the_installation(self):
        self.scratch = Path(self.enterContext(tempfile.TemporaryDirectory()))
        policy = self.scratch / "policy"
        for end in (None, signal.SIGTERM, signal.SIGHUP):
            self.install(policy, f"cat {policy} > {self.scratch}/seen; echo here; sleep 0.2", end)
            self.assertIn("exit 101", (self.scratch / "seen").read_text())
            self.assertFalse(policy.exists(), end)
        policy.write_text((self.scratch / "seen").read_text())  # a power cut left ours
        self.install(policy, "true")
        self.assertFalse(policy.exists())
        policy.write_text("#!/bin/sh\nexit 101\n")  # the machine's own
        self.install(policy, "true")
        self.assertTrue(policy.exists())

    def test_backports_come_from_the_mirror_in_use(self):
        targets = "bookworm-security main http://m/debian-security\nbookworm main http://m/debian\n"
        self.assertEqual(deps.backports(targets, "bookworm"), "deb http://m/debian bookworm-backports main")
        self.assertIsNone(deps.backports(targets, "trixie"))

    def test_a_go_that_fetches_the_wanted_one(self):
        self.assertFalse(deps.new_enough("golang-go:\n  Candidate: 2:1.19~1\n"))
        self.assertTrue(deps.new_enough("golang-go:\n  Candidate: 2:1.22~2build1\n"))
        self.assertFalse(deps.new_enough("golang-go:\n  Candidate: (none)\n"))

    def test_a_program_in_either_sbin_or_bin_is_found(self):
        self.assertIn("/usr/bin/ip", deps.places("/usr/sbin/ip"))


if __name__ == "__main__":
    unittest.main()
