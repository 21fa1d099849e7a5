# What can be reached from here: prints one JSON line {"gateway": [...], "reached": {name: how}}. Run as `python3 -I -S` by
# absolute path, in the agent's container and in the uncaged twin beside it.
#   reach.py LIMIT TARGETS   LIMIT: seconds; what is dropped silently takes them all
#       TARGETS: a JSON list of {"name", "by": tcp|dns|ntp|icmp, "host", "port"}; host "gateway": this network's own
# how: open, refused, silent, unreachable (no route), denied (by the kernel), unresolved
import errno
import json
import os
import socket
import struct
import sys
import threading
import time

NOBODY = 65534
MOST = 64  # what comes after them is not tried, and nothing is said of it
CODES = {errno.ECONNREFUSED: "refused", errno.EACCES: "denied", errno.EPERM: "denied",
         errno.ENETUNREACH: "unreachable", errno.EHOSTUNREACH: "unreachable", errno.EADDRNOTAVAIL: "unreachable",
         errno.EAFNOSUPPORT: "unreachable", errno.EPROTONOSUPPORT: "denied"}
QUESTION = b"\x48\x43\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"
REQUESTS = {"dns": QUESTION, "ntp": b"\x23" + 47 * b"\0", "icmp": struct.pack(">BBHHH", 8, 0, 0, 0, 1) + b"hermesctl"}


def gateways():
    found = []
    try:
        with open("/proc/net/route") as table:
            for line in list(table)[1:64]:
                words = line.split()
                if words[1] == "00000000" and words[2] != "00000000":
                    found.append(socket.inet_ntoa(struct.pack("<I", int(words[2], 16))))
    except (OSError, ValueError, IndexError):
        pass
    return found


def open_socket(by, family):
    if by == "tcp":
        return socket.socket(family, socket.SOCK_STREAM)
    if by != "icmp":
        return socket.socket(family, socket.SOCK_DGRAM)
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    return socket.socket(family, socket.SOCK_DGRAM, protocol)


def reach(target, end, tried):
    by = target["by"]
    try:
        family, _, _, _, address = socket.getaddrinfo(target["host"], target.get("port", 0), type=socket.SOCK_STREAM)[0]
    except OSError:
        return "unresolved"
    tried()
    try:
        with open_socket(by, family) as probe:
            probe.settimeout(max(end - time.monotonic(), 0.1))
            probe.connect(address)
            if by != "tcp":  # nobody is connected to; only an answer tells
                probe.send(REQUESTS[by])
                probe.recv(512)
            return "open"
    except TimeoutError:
        return "silent"
    except OSError as error:
        return CODES.get(error.errno, "unreachable")


def main():
    limit, targets = float(sys.argv[1]), json.loads(sys.argv[2])[:MOST]
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    found = gateways()
    end = time.monotonic() + limit
    reached = {}  # a name that is still looked up in the end stays unresolved

    def note(target):
        host = target["host"]
        if host == "gateway":
            host = found[0] if found else "none.invalid"
        name = target["name"]
        reached[name] = reach({**target, "host": host}, end, lambda: reached.update({name: "silent"}))

    threads = [threading.Thread(target=note, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(end + 0.3 - time.monotonic(), 0))
    print(json.dumps({"gateway": found, "reached": {t["name"]: reached.get(t["name"], "unresolved") for t in targets}}), flush=True)
    os._exit(0)  # a name that is still looked up holds nobody


main()
