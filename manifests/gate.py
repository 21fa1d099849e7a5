# Holds the agent until the cage is closed: the pod's first container. Exit 0: closed. Run as `python3 -I -S` by absolute
# path; what it found is also the container's termination message.
#   gate.py WITNESSES   "10.43.0.10:9153,10.43.0.1:443/192.168.1.5,...": addresses with a sure listener, which the
#                       policy does not open; "/NODE": not where the pod runs on that node (NODE_ADDRESS in the
#                       environment), which some networks let it reach whatever the policy says
# Further arguments are for tests: the root directory, the port of the name server, the limit in seconds.
# Network policies begin to hold some time after a pod has started, and a connection made before lives on
# (kube-router's docs/troubleshoot.md; facts of other networks are alike).
import os
import select
import socket
import struct
import sys
import time

HERE = os.environ.get("NODE_ADDRESS")
WITNESSES = [w.split("/")[0] for w in sys.argv[1].split(",") if w and HERE not in w.split("/")[1:]]
ROOT = sys.argv[2] if len(sys.argv) > 2 else ""
DNS_PORT = int(sys.argv[3]) if len(sys.argv) > 3 else 53
LIMIT = float(sys.argv[4]) if len(sys.argv) > 4 else 60
ATTEMPT, PAUSE, ENOUGH = 0.15, 0.02, 5  # seconds, seconds, times in a row
STILL_OPEN, NO_DNS = 3, 4  # exit codes that hermesctl knows


def end(code, text):
    print(text, flush=True)
    try:
        with open(ROOT + "/dev/termination-log", "w") as file:
            file.write(text)
    except OSError:
        pass
    sys.exit(code)


def resolver():
    """(name servers, search domains)"""
    servers, search = [], []
    with open(ROOT + "/etc/resolv.conf") as file:
        for line in file:
            words = line.split()
            if words[:1] == ["nameserver"]:
                servers += words[1:2]
            elif words[:1] == ["search"]:
                search = words[1:]
    return servers, search


def query(search):
    """For the API's own Service: the cluster answers it by itself, whether there is an internet or not."""
    domain = next((d for d in search if d.startswith("svc.")), "svc.cluster.local")
    labels = ("kubernetes.default." + domain).rstrip(".").split(".")
    name = b"".join(bytes([len(label)]) + label.encode() for label in labels)
    return os.urandom(2) + struct.pack(">5H", 0x100, 1, 0, 0, 0) + name + b"\0" + struct.pack(">2H", 1, 1)


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def dns_answers(deadline):
    """Whether any answer came, NXDOMAIN too. Before that a network that is not up yet looks like a closed cage."""
    servers, search = resolver()
    while time.monotonic() < deadline:
        for server in servers:
            question = query(search)
            try:
                with socket.socket(family(server), socket.SOCK_DGRAM) as asked:
                    asked.settimeout(0.3)
                    asked.connect((server, DNS_PORT))
                    asked.send(question)
                    if asked.recv(4096)[:2] == question[:2]:
                        return True
            except OSError:  # refused, silent, or a kernel without IPv6
                pass
        time.sleep(PAUSE)
    return False


def open_ones():
    """The witnesses that let themselves be connected to just now."""
    trying, found = {}, []
    for witness in WITNESSES:
        host, port = witness.rpartition(":")[::2]
        host = host.strip("[]")
        try:
            attempt = socket.socket(family(host), socket.SOCK_STREAM)
            attempt.setblocking(False)
            attempt.connect((host, int(port)))
        except BlockingIOError:
            trying[attempt] = witness
        except OSError:
            pass
        else:
            found.append(witness)
    end_of_attempt = time.monotonic() + ATTEMPT
    while trying and time.monotonic() < end_of_attempt:
        left = max(end_of_attempt - time.monotonic(), 0)
        for attempt in select.select([], list(trying), [], left)[1]:
            witness = trying.pop(attempt)
            if attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.append(witness)
            attempt.close()
    for attempt in trying:
        attempt.close()
    return found


def main():
    begun = time.monotonic()
    if not WITNESSES:
        end(0, "nothing to look at" + (" from this node" if sys.argv[1] else ": no witness is known"))
    if not dns_answers(begun + LIMIT):
        end(NO_DNS, "no answer from the name servers %s" % " ".join(resolver()[0]))
    closed, found = 0, []
    while time.monotonic() < begun + LIMIT:
        now = open_ones()
        closed, found = (0, now) if now else (closed + 1, found)
        if closed == ENOUGH:
            end(0, "closed after %.1f s" % (time.monotonic() - begun))
        time.sleep(PAUSE)
    end(STILL_OPEN, " ".join(found) or "no rest")


main()
