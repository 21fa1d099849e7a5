"""Plain TCP and UDP listeners, so that what a policy forbids is something that would have answered.

    listeners.py tcp:ADDRESS:PORT,PORT... udp:ADDRESS:PORT...

TCP echoes, but a first line that looks like HTTP gets a 200. UDP echoes.
"""

import signal
import socketserver
import sys
import threading

IDLE_LIMIT = 600
WAKE = 60  # s: a server that wakes looks for nothing but its end, and there are hundreds of them
HTTP_VERBS = (b"GET ", b"HEAD ", b"POST ")
PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\necho\n"
)


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(IDLE_LIMIT)
        while data := self.request.recv(65536):
            if data.startswith(HTTP_VERBS):
                self.request.sendall(PAGE)
                return
            self.request.sendall(data)


class EchoDatagram(socketserver.BaseRequestHandler):
    def handle(self):
        data, reply = self.request
        reply.sendto(data, self.client_address)


class Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # probes cut connections on purpose


class Udp(socketserver.ThreadingUDPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve(server):
    """In a thread of its own."""
    threading.Thread(target=server.serve_forever, args=(WAKE,), daemon=True).start()
    return server


def start(spec):
    """Starts one listener per port of `tcp:ADDRESS:PORT,PORT`; returns the servers."""
    protocol, _, rest = spec.partition(":")
    address, _, ports = rest.rpartition(":")
    kinds = {"tcp": (Tcp, Echo), "udp": (Udp, EchoDatagram)}
    if protocol not in kinds or not address or not ports:
        raise ValueError(f"not tcp|udp:ADDRESS:PORT,...: {spec}")
    kind, handler = kinds[protocol]
    return [serve(kind((address, int(port)), handler)) for port in ports.split(",")]


def main():
    for spec in sys.argv[1:]:
        start(spec)
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
