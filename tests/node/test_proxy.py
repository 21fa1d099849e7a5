"""The faults of the line to the API server: toxiproxy itself with an echo server behind it, and no node."""

import argparse
import contextlib
import io
import json
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from lib import build, faults, proxy
from lib.shell import wait_until

import listeners  # of world, which lib adds to the path

HERE = "127.0.0.1"


def free_port():
    with socket.create_server((HERE, 0)) as taken:
        return taken.getsockname()[1]


@unittest.skipUnless(build.binary("toxiproxy").exists(), "`tests/node/node build` makes toxiproxy")
class Line(unittest.TestCase):
    """Each fault is seen from a client, and gone after `heal`."""

    def setUp(self):
        behind = listeners.start(f"tcp:{HERE}:0")[0]
        self.addCleanup(behind.server_close)
        self.port, upstream = free_port(), behind.server_address[1]
        line = {"listen": f"{HERE}:{self.port}", "upstream": f"{HERE}:{upstream}"}
        self.config = Path(self.enterContext(tempfile.TemporaryDirectory()), "config")
        self.config.write_text(json.dumps([{"name": "api", "enabled": True, **line}]))
        self.enterContext(mock.patch.object(proxy, "CONTROL_PORT", free_port()))
        self.node = mock.Mock(address=HERE, start=self.start)
        self.node.processes.stop = self.stop
        self.start("toxiproxy")
        self.addCleanup(self.stop, "toxiproxy")
        wait_until("the proxy", lambda: proxy.sound(HERE), 10, 0.02)

    def start(self, _):
        place = ["-host", HERE, "-port", str(proxy.CONTROL_PORT), "-config", self.config]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([build.binary("toxiproxy"), *place], **quiet)

    def stop(self, _, patience=10):
        self.process.kill()
        self.process.wait()

    def fault(self, verb, value=None):
        """What `node proxy VERB VALUE` does, and prints."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            faults.line(self.node, argparse.Namespace(action=verb, value=value))
        return printed.getvalue()

    def echo(self, data=b"hello", patience=5):
        """(what came back until the connection's end or all of it, seconds)"""
        started, back = time.monotonic(), b""
        with socket.create_connection((HERE, self.port), patience) as client:
            client.sendall(data)
            while len(back) < len(data) and (piece := client.recv(65536)):
                back += piece
        return back, time.monotonic() - started

    def tearDown(self):
        self.fault("heal")
        self.assertEqual(self.echo()[0], b"hello")
        self.assertTrue(proxy.sound(HERE))

    def test_latency(self):
        self.fault("latency", 300)
        back, took = self.echo()
        self.assertEqual(back, b"hello")
        self.assertGreaterEqual(took, 0.3)

    def test_bandwidth(self):
        self.fault("bandwidth", 50)
        back, took = self.echo(b"x" * 25_000)
        self.assertEqual(len(back), 25_000)
        self.assertGreaterEqual(took, 0.4)

    def test_cut_after(self):
        self.fault("cut-after", 3)
        self.assertEqual(self.echo()[0], b"hel")

    def test_hang(self):
        self.fault("hang")
        with self.assertRaises(TimeoutError):
            self.echo(patience=0.5)

    def test_reset(self):
        self.fault("reset")
        with self.assertRaises(ConnectionResetError):
            self.echo()

    def test_cut(self):
        with socket.create_connection((HERE, self.port), 5) as client:
            self.fault("cut")
            self.assertEqual(client.recv(1), b"")
        with self.assertRaises(ConnectionRefusedError):
            self.echo()
        self.assertFalse(proxy.sound(HERE))

    def test_status_and_the_same_fault_again(self):
        self.fault("latency", 100)
        self.fault("latency", 200)
        (toxic,) = json.loads(self.fault("status"))["toxics"]
        self.assertEqual((toxic["name"], toxic["attributes"]["latency"]), ("latency", 200))
        self.assertFalse(proxy.sound(HERE))


if __name__ == "__main__":
    unittest.main()
