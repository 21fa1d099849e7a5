"""What a client asks of the API server: a proxy that notes each request, and one that counts connections."""

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import perf_counter
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host", "keep-alive"}


@dataclass
class Request:
    method: str
    target: str
    headers: dict
    body: bytes
    begun: float
    ended: float = 0.0
    status: int = 0


def handler(api, requests):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self):
            super().setup()
            self.upstream = api.connect()

        def finish(self):
            super().finish()
            self.upstream.close()

        def forward(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
            request = Request(self.command, self.path, headers, body, perf_counter())
            requests.append(request)
            self.upstream.request(self.command, self.path, body or None, headers)
            answer = self.upstream.getresponse()
            content = answer.read()
            request.ended, request.status = perf_counter(), answer.status
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

        def log_message(self, *_):
            pass

    return Handler


@contextmanager
def recording(api):
    """(line, the list that requests through it are appended to). The line is plain HTTP and has no client
    certificate: this proxy has it."""
    requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(api, requests))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield api.line_through("recording", url, identity=False), requests
    finally:
        server.shutdown()
        server.server_close()


def pump(source, sink):
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


@contextmanager
def counting(api):
    """(line, the list that connections through it are appended to). TLS passes through, so that a client
    speaks as it does to the server itself (kubectl: HTTP/2)."""
    connections = []
    where = urlsplit(api.server)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            upstream = socket.create_connection((where.hostname, where.port))
            connections.append(client)
            for pair in ((client, upstream), (upstream, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        yield api.line_through("counting", url, identity=True), connections
    finally:
        listener.close()


def longest_chain(requests):
    """The most requests of which each began when the one before was answered."""
    chain, last = 0, 0.0
    for request in sorted(requests, key=lambda r: r.ended):
        if request.begun >= last:
            chain, last = chain + 1, request.ended
    return chain


def together(requests):
    """Groups of requests that were under way at the same time."""
    groups, end = [], 0.0
    for request in sorted(requests, key=lambda r: r.begun):
        if request.begun >= end:
            groups.append([])
        groups[-1].append(request)
        end = max(end, request.ended)
    return groups
