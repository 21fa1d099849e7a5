"""Real packets from inside other network namespaces: what comes of each attempt, many at once."""

import contextlib
import ctypes
import errno
import itertools
import os
import selectors
import socket
import time

CLONE_NEWNET = 0x40000000
RESEND = 0.3
SOURCE_PORTS = itertools.cycle(range(33000, 60000))
LIBC = ctypes.CDLL(None, use_errno=True)


def enter(descriptor):
    if LIBC.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(namespace):
    """Sockets made here belong to that namespace for good. `namespace` is a path such as /proc/PID/ns/net."""
    home, there = (os.open(path, os.O_RDONLY) for path in ("/proc/thread-self/ns/net", namespace))
    try:
        enter(there)
        yield
    finally:
        enter(home)
        os.close(home)
        os.close(there)


class Probe:
    """One attempt. `outcome` becomes open, refused, silent or the name of an error."""

    def __init__(self, namespace, source, target, protocol, port):
        with inside(namespace):
            kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
            self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.setblocking(False)
        self.datagram = protocol == "udp"
        self.outcome = ""
        self.bind(source or "")
        self.settle(self.socket.connect_ex((target, port)), waiting=errno.EINPROGRESS)
        self.send()

    def bind(self, source):
        """To a port that no earlier probe had: a flow that once passed goes on passing."""
        for port in SOURCE_PORTS:
            try:
                return self.socket.bind((source, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise

    def settle(self, code, waiting=0):
        if code and code != waiting:
            self.outcome = "refused" if code == errno.ECONNREFUSED else errno.errorcode.get(code, str(code))

    def send(self):
        if self.datagram and not self.outcome:
            try:
                self.socket.send(b"?")
            except OSError as error:
                self.settle(error.errno)

    def ready(self):
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.settle(code)
        if not self.outcome and self.datagram:
            try:
                self.socket.recv(10)
            except BlockingIOError:
                return
            except OSError as error:
                self.settle(error.errno)
        self.outcome = self.outcome or "open"


def play(probes, patience):
    """Waits until every probe has its outcome; what has none by then stayed silent."""
    end, resend = time.monotonic() + patience, time.monotonic() + RESEND
    with selectors.DefaultSelector() as selector:
        for probe in probes:
            selector.register(
                probe.socket, selectors.EVENT_READ if probe.datagram else selectors.EVENT_WRITE, probe
            )
        while (open_ones := [p for p in probes if not p.outcome]) and (now := time.monotonic()) < end:
            for key, _ in selector.select(min(end, resend) - now if resend > now else 0):
                if not key.data.outcome:
                    key.data.ready()
                if key.data.outcome:
                    selector.unregister(key.fileobj)
            if time.monotonic() >= resend:
                resend += RESEND
                for probe in open_ones:
                    probe.send()
    for probe in probes:
        probe.socket.close()
    return [probe.outcome or "silent" for probe in probes]
