"""The stand-ins over loopback: what a client of each service sees, and each fault."""

import contextlib
import http.client
import io
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import control  # noqa: E402
import control_socket  # noqa: E402
import listeners  # noqa: E402
import web  # noqa: E402
from credentials import CN_HOST, GLOBAL_HOST, KEYS, TOKENS  # noqa: E402
from standins import TELEGRAM_HOST, World  # noqa: E402

listeners.WAKE = 0.05  # a test waits for the end of its servers
TOKEN, NEXT_TOKEN, OTHER_TOKEN = TOKENS
KEY, NEXT_KEY, CN_KEY = KEYS


class Reply:
    def __init__(self, response):
        self.status, self.headers, self.data = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.data)


class WorldTest(unittest.TestCase):
    upstream = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.cert, key = f"{cls.folder}/c.pem", f"{cls.folder}/k.pem"
        names = ",".join(
            f"DNS:{h}"
            for h in (TELEGRAM_HOST, GLOBAL_HOST, CN_HOST, "registry-1.docker.io", "auth.docker.io")
        )
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
                "-keyout",
                key,
                "-out",
                cls.cert,
                "-subj",
                "/CN=world",
                "-addext",
                f"subjectAltName={names}",
            ],
            check=True,
            capture_output=True,
        )
        cls.tls = ssl.create_default_context(cafile=cls.cert)
        cls.tls.verify_flags &= ~ssl.VERIFY_X509_STRICT  # it vouches for itself, and is no authority
        cls.log = []
        cls.world = World(cls.upstream, cls.log.append)
        cls.plain = web.start("127.0.0.1", 0, cls.world)
        cls.server = web.start("127.0.0.1", 0, cls.world, (cls.cert, key))
        cls.control = control_socket.serve(cls.folder, cls.world.control)
        for server in (cls.plain, cls.server, cls.control):
            cls.addClassCleanup(server.server_close)
            cls.addClassCleanup(server.shutdown)

    def setUp(self):
        self.command("reset")
        self.command("counters", "--zero")
        for bot in self.world.telegram.bots.values():
            bot.updates.clear()

    def command(self, *words):
        """Runs the control program; returns its exit code and what it printed."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = control.main(["--state", self.folder, *words])
        return code, out.getvalue()

    def connect(self, host, timeout=10):
        raw = socket.create_connection(self.server.server_address, timeout)
        connection = http.client.HTTPSConnection(host, context=self.tls, timeout=timeout)
        connection.sock = self.tls.wrap_socket(raw, server_hostname=host)
        self.addCleanup(connection.close)
        return connection

    def ask(self, host, path, method="GET", body=None, headers=None, timeout=10):
        connection = self.connect(host, timeout)
        connection.request(method, path, body, headers or {})
        return Reply(connection.getresponse())

    def bot(self, method, token=TOKEN, patience=10, **fields):
        body = json.dumps(fields)
        return self.ask(
            TELEGRAM_HOST,
            f"/bot{token}/{method}",
            "POST",
            body,
            {"Content-Type": "application/json"},
            patience,
        )

    def message(self, key=KEY, host=GLOBAL_HOST, timeout=10, text="hello", **fields):
        body = {
            "model": "MiniMax-M3",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": text}],
            **fields,
        }
        return self.ask(
            host, "/anthropic/v1/messages", "POST", json.dumps(body), {"x-api-key": key}, timeout
        )


class TelegramTest(WorldTest):
    def test_tokens(self):
        self.assertEqual(self.bot("getMe").json["result"]["username"], "cage_bot")
        self.assertEqual(self.bot("getMe", NEXT_TOKEN).json["result"]["username"], "cage_bot")
        self.assertEqual(self.bot("getMe", OTHER_TOKEN).json["result"]["username"], "other_bot")
        wrong = self.bot("getMe", "123456789:AAE-wrong")
        self.assertEqual((wrong.status, wrong.json["description"]), (401, "Unauthorized"))

    def test_updates_wait_until_confirmed(self):
        self.command("say", "one", "--as", "7")
        first = self.bot("getUpdates").json["result"]
        self.assertEqual([u["message"]["text"] for u in first], ["one"])
        self.assertEqual(first[0]["message"]["from"]["id"], 7)
        self.assertEqual(self.bot("getUpdates").json["result"], first)
        self.assertEqual(self.bot("getUpdates", offset=first[0]["update_id"] + 1).json["result"], [])
        self.assertEqual(self.bot("getUpdates").json["result"], [])
        self.assertEqual(json.loads(self.command("pending")[1]), {"cage": 0, "other": 0})

    def test_long_poll_ends_with_the_message(self):
        threading.Timer(0.2, self.command, ("say", "late")).start()
        started = time.monotonic()
        found = self.bot("getUpdates", timeout=8).json["result"]
        self.assertEqual([u["message"]["text"] for u in found], ["late"])
        self.assertLess(time.monotonic() - started, 3)

    def bot_poll(self, seconds):
        connection = self.connect(TELEGRAM_HOST)
        body = json.dumps({"timeout": seconds})
        connection.request("POST", f"/bot{TOKEN}/getUpdates", body, {"Content-Type": "application/json"})
        return connection

    def test_second_poller_ends_the_first(self):
        first = self.bot_poll(8)
        time.sleep(0.2)
        self.bot_poll(1)
        reply = Reply(first.getresponse())
        self.assertEqual(reply.status, 409)
        self.assertIn("terminated by other getUpdates", reply.json["description"])

    def test_webhook_excludes_polling(self):
        self.command("webhook", "https://elsewhere.example/hook")
        self.assertEqual(self.bot("getWebhookInfo").json["result"]["url"], "https://elsewhere.example/hook")
        self.assertIn("webhook is active", self.bot("getUpdates").json["description"])
        self.bot("deleteWebhook")
        self.assertEqual(self.bot("getUpdates").status, 200)

    def test_answers_are_seen(self):
        def answer():
            update = self.bot("getUpdates", timeout=8).json["result"][0]
            text = "pong: you said '" + update["message"]["text"] + "' \\- yes"
            self.bot("sendMessage", chat_id=1, text="notice")
            self.bot(
                "sendMessage", chat_id=update["message"]["chat"]["id"], text=text, parse_mode="MarkdownV2"
            )

        threading.Thread(target=answer).start()
        self.assertEqual(self.command("ask", "hi", "--timeout", "5"), (0, "pong: you said 'hi' - yes\n"))
        self.assertEqual(self.command("wait", "--contains", "nothing like it", "--timeout", "0.1")[0], 1)
        self.assertIn('"notice"', self.command("sent")[1])

    def test_answers_to_commands_and_to_long_texts_are_seen(self):
        def answer(text):
            update = self.bot("getUpdates", timeout=8).json["result"][0]
            self.bot("getUpdates", offset=update["update_id"] + 1)  # so that nobody takes it for the next one
            self.bot("sendMessage", chat_id=update["message"]["chat"]["id"], text=text)

        long = "x" * 500
        for said, text in (("/status", "all is well"), (long, f"pong: you said '{long[:400]}'")):
            threading.Thread(target=answer, args=(text,)).start()
            self.assertEqual(self.command("ask", said, "--timeout", "5"), (0, text + "\n"))

    def test_form_bodies(self):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = self.ask(TELEGRAM_HOST, f"/bot{TOKEN}/sendMessage", "POST", "chat_id=5&text=a+b", form)
        self.assertEqual(reply.json["result"]["text"], "a b")

    def test_unknown_method(self):
        self.assertEqual(self.bot("makeCoffee").status, 404)

    def test_reject_one_token(self):
        self.command("fault", "telegram", "reject", "--name", "cage")
        self.assertEqual(self.bot("getMe").status, 401)
        self.assertEqual(self.bot("getMe", NEXT_TOKEN).status, 200)
        self.command("reset")
        self.assertEqual(self.bot("getMe").status, 200)

    def test_valid_when_checked_and_rejected_afterwards(self):
        self.command("fault", "telegram", "reject", "--after", "2")
        calls = [
            ("getMe", 200),
            ("getWebhookInfo", 200),
            ("getMe", 200),
            ("getMe", 401),
            ("getUpdates", 401),
        ]
        for method, status in calls:
            self.assertEqual(self.bot(method).status, status, method)

    def test_status_faults(self):
        self.command(
            "fault", "telegram", "status", "429", "--retry-after", "3", "--only", "getMe", "--times", "1"
        )
        limited = self.bot("getMe")
        self.assertEqual((limited.status, limited.json["parameters"]["retry_after"]), (429, 3))
        self.assertEqual(self.bot("getMe").status, 200)
        self.command("fault", "telegram", "status", "409", "--only", "getUpdates")
        self.assertEqual([self.bot("getMe").status, self.bot("getUpdates").status], [200, 409])

    def test_dropped_updates(self):
        self.command("fault", "telegram", "drop")
        self.assertEqual(self.command("say", "lost")[0], 0)
        self.assertEqual(self.bot("getUpdates").json["result"], [])

    def test_hang_ends_with_reset(self):
        self.command("fault", "telegram", "hang", "--only", "getMe")
        with self.assertRaises(TimeoutError):
            self.bot("getMe", patience=0.3)
        threading.Timer(0.2, self.command, ("reset",)).start()
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionError, ssl.SSLError)):
            self.bot("getMe", patience=5)

    def test_delay(self):
        self.command("fault", "telegram", "delay", "200")
        started = time.monotonic()
        self.bot("getMe")
        self.assertGreaterEqual(time.monotonic() - started, 0.2)

    def test_counters_and_log_know_no_secret(self):
        self.bot("getMe")
        self.bot("getMe", "1:AAsecret")
        self.ask(TELEGRAM_HOST, f"/bot{TOKEN}")
        self.message()
        self.message("sk-secret")
        time.sleep(0.1)
        counters = json.loads(self.command("counters")[1])
        self.assertEqual((counters["telegram"]["getMe"], counters["telegram"]["getMe:401"]), (2, 1))
        self.assertEqual(counters["model"], {"messages": 2, "messages:401": 1})
        told = "\n".join(self.log) + json.dumps(counters)
        self.assertIn("telegram.getMe cage 200", told)
        for secret in (TOKEN, KEY, "secret", TOKEN.partition(":")[2]):
            self.assertNotIn(secret, told)


class ModelTest(WorldTest):
    def test_dialog(self):
        content = self.message().json["content"]
        self.assertEqual(content[0]["text"], "pong from the stand-in model: you said 'hello'")
        blocks = [{"type": "text", "text": "context"}, {"type": "text", "text": "question"}]
        self.assertIn("'hi'", self.message(text="hi\n\n[System note: be kind]").json["content"][0]["text"])
        self.assertIn("'question'", self.message(text=blocks).json["content"][0]["text"])

    def test_stream(self):
        reply = self.message(stream=True)
        self.assertEqual(reply.headers["Content-Type"], "text/event-stream")
        events = [
            json.loads(line[6:]) for line in reply.data.decode().splitlines() if line.startswith("data: ")
        ]
        text = "".join(e["delta"]["text"] for e in events if e["type"] == "content_block_delta")
        self.assertEqual(text, "pong from the stand-in model: you said 'hello'")
        self.assertEqual((events[0]["type"], events[-1]["type"]), ("message_start", "message_stop"))

    def test_keys_belong_to_hosts(self):
        cases = [
            (KEY, GLOBAL_HOST, 200),
            (NEXT_KEY, GLOBAL_HOST, 200),
            (CN_KEY, CN_HOST, 200),
            (KEY, CN_HOST, 401),
            (CN_KEY, GLOBAL_HOST, 401),
            ("", GLOBAL_HOST, 401),
        ]
        for key, host, status in cases:
            self.assertEqual(self.message(key, host).status, status, (KEYS.get(key), host))
        self.assertEqual(self.message("wrong").json["error"]["type"], "authentication_error")

    def test_models(self):
        reply = self.ask(GLOBAL_HOST, "/anthropic/v1/models", headers={"Authorization": f"Bearer {KEY}"})
        self.assertIn("MiniMax-M3", [m["id"] for m in reply.json["data"]])
        self.assertEqual(self.ask(GLOBAL_HOST, "/anthropic/v1/models").status, 401)

    def test_faults(self):
        self.command("fault", "model", "empty")
        self.assertEqual(self.message().json["content"], [])
        self.command("reset", "model")
        self.command("fault", "model", "status", "429", "--times", "1")
        limited = self.message()
        self.assertEqual((limited.status, limited.headers["Retry-After"]), (429, "5"))
        self.command("fault", "model", "reject", "--after", "1")
        self.assertEqual([self.message().status, self.message().status], [200, 401])

    def test_nonsense(self):
        for body in ("{", "[]", '{"messages": 5}'):
            reply = self.ask(GLOBAL_HOST, "/anthropic/v1/messages", "POST", body, {"x-api-key": KEY})
            self.assertEqual(reply.status, 400, body)


class ControlTest(WorldTest):
    def test_refusals(self):
        for words in (
            ("fault", "model", "drop"),
            ("fault", "telegram", "delay"),
            ("say", "x", "--bot", "nobody"),
        ):
            self.assertEqual(self.command(*words)[0], 2, words)

    def test_nobody_there(self):
        with tempfile.TemporaryDirectory() as empty:
            self.assertEqual(control.main(["--state", empty, "ping"]), 2)

    def test_lan_host(self):
        with socket.create_connection(self.plain.server_address, 5) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: nas.lan\r\nConnection: close\r\n\r\n")
            self.assertIn(b"a host of the world: 127.0.0.1", client.makefile("rb").read())


class ListenerTest(unittest.TestCase):
    def test_echo(self):
        for kind, protocol in ((socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")):
            server = listeners.start(f"{protocol}:127.0.0.1:0")[0]
            with socket.socket(socket.AF_INET, kind) as client:
                client.settimeout(5)
                client.connect(server.server_address)
                client.send(b"anyone")
                self.assertEqual(client.recv(100), b"anyone")
            server.shutdown()
            server.server_close()

    def test_refuses_nonsense(self):
        for spec in ("tcp:1.2.3.4", "sctp:127.0.0.1:1", "tcp::80"):
            with self.assertRaises(ValueError):
                listeners.start(spec)


if __name__ == "__main__":
    unittest.main()
