# Is the agent answering? The one rule, for the pod's own probes and for hermesctl, which runs it over exec.
#   probe.py startup|live   exit 0 while a gateway process lives
#   probe.py ready          exit 0 while that process has Telegram connected
#   probe.py idle           ends when no turn is under way, at most 60 s later (before the container is stopped)
#   probe.py facts          one JSON line;  watch: a line whenever it changes, until stdin ends or 15 minutes passed
# Run by absolute path as `python3 -I -S`: nothing that the agent can write is imported or executed.
# A second argument is the root directory (tests).
import os
import sys
import time

AGENT = 10000  # the image's user hermes
ROOT = sys.argv[2] if len(sys.argv) > 2 else ""
DATA = ROOT + "/opt/data"
ALSO = ROOT + "/etc/hermes"  # Hermes reads .env and config.yaml there, too
PROC = ROOT + "/proc"
ENOUGH = 1 << 20  # bytes free on the volume: nobody needs to know of more


def text(path, last=0):
    try:
        with open(path, "rb") as file:
            if last:
                file.seek(max(0, os.fstat(file.fileno()).st_size - last))
            return file.read(1 << 20).decode("utf-8", "replace")
    except OSError:
        return ""


class Rules:
    """What the scanner is told by json.loads."""

    strict, object_hook, object_pairs_hook = True, None, None
    parse_float, parse_int, parse_constant = float, int, float


def parse(json_text):
    """json.loads, by the scanner that it uses itself: to import json costs as much as all the rest of a probe."""
    try:
        from _json import make_scanner
    except ImportError:  # another Python than CPython
        from json import loads
        return loads(json_text)
    json_text = json_text.strip()
    try:
        value, end = make_scanner(Rules)(json_text, 0)
    except StopIteration:
        return None
    return value if end == len(json_text) else None


def record(path):
    try:
        value = parse(text(path))
    except (ValueError, RecursionError, SystemError):  # half written, or not by Hermes
        return {}
    return value if isinstance(value, dict) else {}


def number(value):
    return value if type(value) is int and 0 <= value < 1000 else 0


def start_time(pid):
    """Field 22 of /proc/PID/stat: the process's start in clock ticks since boot; None for a dead one or a zombie."""
    fields = text("%s/%d/stat" % (PROC, pid)).rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[0] not in "ZX" else None


def started_at(ticks):
    """Start ticks as UTC text that compares with Hermes' updated_at."""
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    moment = time.time() - age
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + ".%06d" % (moment % 1 * 1e6)


def find_gateway(state):
    """(pid, start ticks) of the live gateway: as the state file says, else by its command line."""
    pid, start = state.get("pid"), state.get("start_time")
    if isinstance(pid, int) and start is not None and start_time(pid) == start:
        return pid, start
    for name in os.listdir(PROC):
        if not name.isdigit():
            continue
        words = text("%s/%s/cmdline" % (PROC, name)).split("\0")
        if "python" not in words[0]:  # the supervisor and the image's entry carry the same words
            continue
        for i, word in enumerate(words[:-2]):
            if word.rpartition("/")[2] == "hermes" and words[i + 1:i + 3] == ["gateway", "run"]:
                return int(name), start_time(int(name))
    return None, None


def written_by(entry, pid, start):
    """Whether this process wrote the platform's entry: entries of an earlier one stay in the file."""
    if entry.get("writer_pid") is not None:
        return entry.get("writer_pid") == pid and entry.get("writer_start_time") in (None, start)
    return str(entry.get("updated_at", "")) >= started_at(start)


def from_log(start):
    """Images without a state file: the log, only what the live process wrote."""
    begin = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(
        time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + start / os.sysconf("SC_CLK_TCK")))
    state, error = "connecting", ""
    for line in text(DATA + "/logs/gateway.log", 1 << 20).splitlines():
        if line[:19] < begin:
            continue
        if "Starting Hermes Gateway" in line:
            state, error = "connecting", ""
        elif line.endswith("✓ telegram connected"):
            state, error = "connected", ""
        elif "✗ telegram" in line or "Failed to connect to Telegram" in line or "could not recover" in line:
            state, error = "retrying", line
        elif "✓ telegram disconnected" in line:
            state = "disconnected"
    return {"state": state, "error_message": error}


def room():
    """Free bytes and inodes of the volume, counted up to what is enough: a watch tells each change."""
    try:
        disk = os.statvfs(DATA)
    except OSError:
        return ENOUGH, 1
    inodes = disk.f_favail if disk.f_files else 1  # some file systems count none
    return min(disk.f_bavail * disk.f_frsize, ENOUGH), min(inodes, 1)


def tokenless(pid):
    """Surely no bot token: neither in the gateway's environment nor in the files that Hermes reads."""
    import re
    given = text("%s/%d/environ" % (PROC, pid))
    set_anywhere = re.search(r"(^|\0)TELEGRAM_BOT_TOKEN=[^\0]", given) or any(
        re.search(r"(?m)^\s*(export\s+)?TELEGRAM_BOT_TOKEN\s*=\s*\S", text(folder + "/.env"))
        or re.search(r"""\btoken["']?\s*:\s*["']?[^\s"'#]""", text(folder + "/config.yaml"))
        for folder in (DATA, ALSO))
    return given != "" and not set_anywhere


def facts():
    state = record(DATA + "/gateway_state.json")
    pid, start = find_gateway(state)
    alive = start is not None
    known = alive and state.get("pid") == pid and state.get("start_time") == start
    platforms = state.get("platforms") if isinstance(state.get("platforms"), dict) else {}
    telegram = platforms.get("telegram") if isinstance(platforms.get("telegram"), dict) else {}
    if alive and not state:
        telegram, gateway, fresh = from_log(start), "running", True
    else:
        gateway = str(state.get("gateway_state", "")) if known or not alive else "starting"
        fresh = known and written_by(telegram, pid, start)
    name = str(telegram.get("state", "")) if fresh else ""
    return {
        "alive": alive,
        "pid": pid or 0,
        "start_time": start or 0,
        "gateway": gateway,
        "exit_reason": str(state.get("exit_reason") or ""),
        "telegram": name,
        "code": str(telegram.get("error_code") or "") if fresh else "",
        "message": str(telegram.get("error_message") or "") if fresh else "",
        "busy": number(state.get("active_agents")) if known else 0,
        "source": "state" if state else "log",
        "ready": alive and gateway == "running" and name == "connected",
    }


def quiet(value):
    """A token that Hermes wrote into a message does not leave the pod."""
    import json
    import re
    value["message"] = re.sub(r"\d+:[A-Za-z0-9_-]{2,}", "***", value["message"])[:600]
    value["exit_reason"] = re.sub(r"\d+:[A-Za-z0-9_-]{2,}", "***", value["exit_reason"])[:600]
    return json.dumps(value)


def report():
    """A line for hermesctl, with what no probe needs."""
    value = facts()
    free, inodes = room()
    missing = value["alive"] and not value["telegram"] and tokenless(value["pid"])
    return quiet({**value, "tokenless": missing, "free": free, "inodes": inodes})


def watch():
    import select
    end = time.monotonic() + 900
    said, beat = None, 0.0
    while time.monotonic() < end:
        line = report()
        if line != said or time.monotonic() > beat:  # the beat tells that this session still lives
            print(line, flush=True)
            said, beat = line, time.monotonic() + 5
        if select.select([0], [], [], 0.2)[0] and not os.read(0, 4096):
            return


def wait_until_idle():
    end = time.monotonic() + 60
    while facts()["busy"] and time.monotonic() < end:
        time.sleep(0.5)


def main():
    if os.getuid() == 0 and not ROOT:  # as the agent's user: it can read what is asked, and nothing is lost if it lies
        os.setgroups([])
        os.setgid(AGENT)
        os.setuid(AGENT)
    mode = sys.argv[1]
    if mode == "watch":
        watch()
    elif mode == "idle":
        wait_until_idle()
    elif mode == "facts":
        print(report())
    else:
        sys.exit(0 if facts()["ready" if mode == "ready" else "alive"] else 1)


main()
