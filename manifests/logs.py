# A log of the agent, over exec: logs.py NAME FOLLOW LINES BOOT PLACE [ROOT]
#   NAME    gateway, agent or errors: /opt/data/logs/NAME.log, rotated to .log.1 and so on
#   FOLLOW  1: goes on until stdin ends or 15 minutes passed     LINES  how many to begin with; -1: all there are
#   BOOT    1: only what was written since the gateway's last start
#   PLACE   "INODE:OFFSET" where an earlier run ended, or "-"
# Lines go to stdout; where the next run begins as well, when it follows: NUL INODE:OFFSET. Exit 3: no such log.
# Run by absolute path as `python3 -I -S`: nothing that the agent can write is imported or executed.
import json
import os
import select
import stat
import sys
import time

AGENT = 10000  # the image's user hermes
NAME, FOLLOW, LINES, BOOT, PLACE = sys.argv[1], sys.argv[2] == "1", int(sys.argv[3]), sys.argv[4] == "1", sys.argv[5]
ROOT = sys.argv[6] if len(sys.argv) > 6 else ""
LOG = "%s/opt/data/logs/%s.log" % (ROOT, NAME)
MARK = b"Starting Hermes Gateway"
BLOCK = 1 << 16
FAR_BACK = 8 << 20  # of one file; Hermes rotates at 5 MiB


class Log:
    """One file of the log; it stays the same one when it is renamed."""

    def __init__(self, path):
        # A FIFO that the agent has put there must not hold us, a link must not show what is no log.
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        info = os.fstat(self.fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(self.fd)
            raise OSError("not a file")
        self.inode, self.offset = info.st_ino, 0

    def size(self):
        return os.fstat(self.fd).st_size

    def tail(self):
        """Its last part from the start of a line on, and where that begins."""
        begin = max(0, self.size() - FAR_BACK)
        data = os.pread(self.fd, FAR_BACK, begin)
        cut = data.find(b"\n") + 1 if begin else 0
        return data[cut:], begin + cut


def files():
    """Oldest first."""
    found = []
    for path in [LOG] + ["%s.%d" % (LOG, i) for i in range(1, 10)]:
        try:
            found.insert(0, Log(path))
        except OSError:
            continue
    return found


def started():
    """When the live gateway process began, as the log writes times; "" if none lives."""
    try:
        with open(ROOT + "/opt/data/gateway_state.json", "rb") as file:
            state = json.loads(file.read(1 << 20))
        with open("%s/proc/%d/stat" % (ROOT, state["pid"]), "rb") as file:
            ticks = int(file.read(4096).rpartition(b")")[2].split()[19])
        if ticks != state["start_time"]:
            return ""
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return ""
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - age))


def first_since(data, after):
    """Where the first line begins that was written then or later; lines without a time belong to those before."""
    at = 0
    for line in data.splitlines(True):
        if line[:1].isdigit() and line[:19] >= after:
            return at
        at += len(line)
    return at


def since_boot(chain):
    """Cuts the chain so that it begins with the last start: of the process that lives, else of the last that did."""
    after = started().encode()
    for i in reversed(range(len(chain))):
        data, begin = chain[i].tail()
        mark = data.rfind(MARK)
        at = data.rfind(b"\n", 0, mark) + 1
        if mark >= 0 and data[at:at + 19] < after:
            break  # of an earlier process: the one that lives has not written yet
        if mark < 0:
            at = first_since(data, after) if after else 0
        if mark >= 0 or at > 0:
            chain[i].offset = begin + at
            return chain[i:]
    else:
        return chain if after else chain[-1:]
    chain[-1].offset = chain[-1].size()
    return chain[-1:]


def last_lines(chain, count):
    """Cuts the chain so that `count` lines are left."""
    for i in reversed(range(len(chain))):
        data, begin = chain[i].tail()
        skip = max(0, chain[i].offset - begin)
        data, begin = data[skip:], begin + skip
        ends = data.count(b"\n")
        chain[i].offset = begin
        if ends < count:
            count -= ends
            continue
        at = len(data)
        for _ in range(count + 1):
            at = data.rfind(b"\n", 0, at)
        chain[i].offset = begin + at + 1
        return chain[i:]
    return chain


def resumed(chain):
    """From where an earlier run ended; all that is there if that is too long ago."""
    inode, _, offset = PLACE.partition(":")
    for i, log in enumerate(chain):
        if log.inode == int(inode) and log.size() >= int(offset):
            log.offset = int(offset)
            return chain[i:]
    return chain


def place(log):
    sys.stdout.buffer.write(b"\0%d:%d\n" % (log.inode, log.offset))
    sys.stdout.buffer.flush()


def copy(log, partial):
    """Whole lines to stdout; what is left of a line stays for later unless `partial`."""
    while True:
        data = os.pread(log.fd, BLOCK, log.offset)
        cut = data.rfind(b"\n") + 1
        if (partial or len(data) == BLOCK) and not cut:
            cut = len(data)
        if not cut:
            return
        sys.stdout.buffer.write(data[:cut])
        sys.stdout.buffer.flush()
        log.offset += cut
        if FOLLOW and data[cut - 1:cut] == b"\n":
            place(log)


def newer_than(log):
    """The files since `log`, now that it was renamed; the last one is the one that is written to."""
    chain = files()
    inodes = [one.inode for one in chain]
    at = inodes.index(log.inode) + 1 if log and log.inode in inodes else 0
    for one in chain[:at]:
        os.close(one.fd)
    return chain[at:]


def advance(log):
    try:
        current = os.lstat(LOG).st_ino
    except OSError:  # between two names
        return log
    if log and log.inode == current:
        if log.size() < log.offset:  # somebody emptied it
            log.offset = 0
        copy(log, False)
        return log
    if log:
        copy(log, True)  # after the look at the name: nobody writes to it any more
        newer = newer_than(log)
        os.close(log.fd)
    else:
        newer = newer_than(None)
    for one in newer:
        copy(one, one is not newer[-1])
    return newer[-1] if newer else None


def follow(log):
    end = time.monotonic() + 900
    if log:
        place(log)
    while time.monotonic() < end:
        log = advance(log)
        if select.select([0], [], [], 0.2)[0] and not os.read(0, 4096):
            return


def main():
    if os.getuid() == 0 and not ROOT:
        os.setgroups([])
        os.setgid(AGENT)
        os.setuid(AGENT)
    chain = files()
    if not chain and not FOLLOW:
        sys.exit(3)
    if PLACE != "-":
        chain = resumed(chain)
    else:
        if BOOT:
            chain = since_boot(chain)
        if LINES >= 0:
            chain = last_lines(chain, LINES)
    for log in chain:
        copy(log, not FOLLOW or log is not chain[-1])
    if FOLLOW:
        follow(chain[-1] if chain else None)


main()
