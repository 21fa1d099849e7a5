"""HTTP for the stand-ins: one handler that picks the service by host, over TLS and plain."""

import http.client
import http.server
import json
import select
import ssl
import sys
import time
import urllib.parse

import listeners

HANG_LIMIT = 3600.0
HANDSHAKE_LIMIT = 20.0


class Gone(Exception):
    """The client left, or the request was taken and shall not be answered."""


class Exchange(http.server.BaseHTTPRequestHandler):
    """One request at a time on a kept connection. Services get this object and answer through it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 300
    world = None

    def log_message(self, *_):
        pass

    def setup(self):
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(HANDSHAKE_LIMIT)
            self.request.do_handshake()
        super().setup()

    @property
    def host(self):
        return (self.headers.get("Host") or "").split(":")[0].lower()

    def serve(self):
        started, self.status, self.label = time.monotonic(), 0, "- -"
        self.route = urllib.parse.urlsplit(self.path).path
        try:
            self.world.service(self.host)(self)
        except (Gone, OSError, http.client.HTTPException):
            self.close_connection = True
        took = (time.monotonic() - started) * 1000
        self.world.log(
            f"{time.time():.3f} {self.host or '-'} {self.label} {self.status or 'gone'} {took:.0f}ms"
        )

    do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = serve

    def body(self):
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return b"".join(self.chunks())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def chunks(self):
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass

    def fields(self):
        """Query and body as one flat mapping; JSON, form and multipart as Telegram takes them."""
        found = {k: v[0] for k, v in urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).items()}
        data, kind = self.body(), self.headers.get("Content-Type") or ""
        if "json" in kind:
            try:
                decoded = json.loads(data or b"{}")
            except ValueError:
                decoded = {}
            found.update(decoded if isinstance(decoded, dict) else {})
        elif "multipart" in kind:
            found.update(multipart(data, kind))
        else:
            found.update(
                {k: v[0] for k, v in urllib.parse.parse_qs(data.decode("utf-8", "replace")).items()}
            )
        return found

    def answer(self, content, status=200, kind="application/json", headers=()):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.status = status
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def client_left(self):
        """The request is read whole, so anything readable now is the end of the connection."""
        try:
            return bool(select.select([self.connection], [], [], 0)[0])
        except (OSError, ValueError):
            return True

    def apply_delays(self, service, hits):
        """The faults every service knows: late, and never."""
        if "delay" in hits:
            time.sleep(hits["delay"].value / 1000)
        if "hang" in hits:
            self.hang(service)

    def hang(self, service):
        """Holds the request until the client leaves or the faults of this service are reset."""
        faults, end = self.world.faults, time.monotonic() + HANG_LIMIT
        before = faults.resets[service]
        while time.monotonic() < end and not self.client_left():
            with faults.changed:
                if faults.resets[service] != before:
                    break
                faults.changed.wait(0.5)
        raise Gone


def multipart(data, kind):
    boundary = kind.partition("boundary=")[2].strip('"').encode()
    found = {}
    for part in data.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if b"filename=" not in head and b'name="' in head:
            name = head.split(b'name="')[1].split(b'"')[0].decode()
            found[name] = content[:-2].decode("utf-8", "replace")
    return found


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, _request, _address):
        # scanners and cut connections are part of the tests
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(_request, _address)


def start(address, port, world, tls=None):
    """Serves in a thread of its own; returns the server, whose server_port is the real one."""
    handler = type("BoundExchange", (Exchange,), {"world": world})
    server = Server((address, port), handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return listeners.serve(server)
