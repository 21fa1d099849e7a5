"""The control channel: one JSON request and answer per connection, on a unix socket."""

import json
import os
import socket
import socketserver

import listeners

NAME = "control.sock"


def short_path(state):
    """A path to the socket that fits sun_path however deep the directory is, and the descriptor it needs."""
    folder = os.open(state, os.O_PATH | os.O_DIRECTORY)
    return folder, f"/proc/self/fd/{folder}/{NAME}"


def serve(state, answer):
    """`answer` maps a request to a result; what it raises as ValueError or KeyError is told to the caller."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            try:
                reply = {"result": answer(json.loads(self.rfile.readline()))}
            except (ValueError, KeyError, TypeError) as error:
                reply = {"error": str(error)}
            self.wfile.write(json.dumps(reply).encode() + b"\n")

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_):
            pass  # the caller left; there is nobody to tell

    target = os.path.join(state, NAME)
    if os.path.lexists(target):
        os.unlink(target)
    _, path = short_path(state)
    server = Server(path, Handler)
    os.chmod(target, 0o600)
    return listeners.serve(server)


def call(state, request, timeout):
    folder, path = short_path(state)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            reply = json.loads(connection.makefile("rb").readline() or b'{"error": "no answer"}')
    finally:
        os.close(folder)
    if "error" in reply:
        raise ValueError(reply["error"])
    return reply["result"]
