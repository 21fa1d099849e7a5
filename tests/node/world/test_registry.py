"""The registry's front before a small plain registry: the token dance, streaming and the faults."""

import http.server
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from test_standins import WorldTest  # noqa: E402

HUB, AUTH = "registry-1.docker.io", "auth.docker.io"
BLOB = bytes(range(256)) * 4096
PASS = {"Authorization": "Bearer anonymous-pull"}


class Plain(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        found = self.path != "/v2/library/missing/manifests/1"
        data = BLOB if found else b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}'
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Docker-Content-Digest", "sha256:0")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET


class RegistryTest(WorldTest):
    @classmethod
    def setUpClass(cls):
        upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Plain)
        upstream.daemon_threads = True
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        cls.addClassCleanup(upstream.server_close)
        cls.addClassCleanup(upstream.shutdown)
        cls.upstream = f"http://127.0.0.1:{upstream.server_port}"
        super().setUpClass()

    def blob(self, **more):
        return self.ask(HUB, "/v2/library/busybox/blobs/sha256:0", headers=PASS, **more)

    def test_token_dance(self):
        first = self.ask(HUB, "/v2/library/busybox/manifests/1", "HEAD")
        self.assertEqual(first.status, 401)
        self.assertIn('realm="https://auth.docker.io/token"', first.headers["Www-Authenticate"])
        self.assertIn('scope="repository:library/busybox:pull"', first.headers["Www-Authenticate"])
        token = self.ask(AUTH, "/token?service=registry.docker.io").json["token"]
        second = self.ask(
            HUB, "/v2/library/busybox/manifests/1", headers={"Authorization": f"Bearer {token}"}
        )
        self.assertEqual((second.status, second.headers["Docker-Content-Digest"]), (200, "sha256:0"))

    def test_body_and_missing(self):
        self.assertEqual(self.blob().data, BLOB)
        missing = self.ask(HUB, "/v2/library/missing/manifests/1", headers=PASS)
        self.assertEqual((missing.status, missing.json["errors"][0]["code"]), (404, "MANIFEST_UNKNOWN"))

    def test_pull_only(self):
        self.assertEqual(self.ask(HUB, "/v2/x/blobs/uploads/", "POST", "", PASS).status, 405)

    def test_slow_until_reset(self):
        self.command("fault", "registry", "slow", "200000", "--only", "blobs")
        threading.Timer(0.5, self.command, ("reset",)).start()
        started = time.monotonic()
        self.assertEqual(self.blob().data, BLOB)
        self.assertGreater(time.monotonic() - started, 0.4)
        self.assertLess(time.monotonic() - started, 4)

    def test_status_faults(self):
        self.command("fault", "registry", "status", "429", "--only", "manifests", "--retry-after", "7")
        limited = self.ask(HUB, "/v2/library/busybox/manifests/1", headers=PASS)
        self.assertEqual((limited.status, limited.headers["Retry-After"]), (429, "7"))
        self.assertEqual(limited.json["errors"][0]["code"], "TOOMANYREQUESTS")
        self.assertEqual(self.blob().status, 200)

    def test_reject(self):
        self.command("fault", "registry", "reject")
        self.assertEqual(self.ask(AUTH, "/token").status, 200)
        refused = self.blob()
        self.assertEqual(refused.status, 401)
        self.assertIn('error="insufficient_scope"', refused.headers["Www-Authenticate"])
        self.command("reset")
        self.command("fault", "registry", "reject", "--only", "token")
        self.assertEqual([self.ask(AUTH, "/token").status, self.blob().status], [401, 200])

    def test_hang(self):
        self.command("fault", "registry", "hang", "--only", "blobs")
        with self.assertRaises(TimeoutError):
            self.blob(timeout=0.3)


if __name__ == "__main__":
    unittest.main()
