# Does the live gateway use these values? Compared here, so that no value leaves the pod: prints one JSON line
# {"gateways": N, "unused": [KEY], "shadowed": [KEY], "unread": [FILE]}. Run as `python3 -I -S` by absolute path,
# with files.py before this.
# stdin is one line of JSON: {KEY: its value in base64, or null for a key that must not be set}.
# An argument is the root directory (tests).
import base64
import json
import os
import signal
import sys

AGENT = 10000  # the image's user hermes
ROOT = sys.argv[1] if len(sys.argv) > 1 else ""


def environment(pid):
    """None where it cannot be read: the process has ended, or is not the agent's."""
    state, text = read("%s/proc/%d/environ" % (ROOT, pid))
    if state != "read":
        return None
    return dict(entry.partition("=")[::2] for entry in text.split("\0") if entry)


def main():
    signal.alarm(20)  # whatever the files are: nothing of this stays behind
    if os.getuid() == 0 and not ROOT:  # the agent's user may look at the gateway's environment, and no more is needed
        os.setgroups([])
        os.setgid(AGENT)
        os.setuid(AGENT)
    wanted = {key: None if value is None else base64.b64decode(value).decode("utf-8", "replace")
              for key, value in json.loads(sys.stdin.readline()).items()}
    alive = [found for found in map(environment, gateways(ROOT + "/proc")) if found is not None]
    read_ones = {path: read(ROOT + path) for path in ENV_FILES}
    files = [assignments(text) for _, text in read_ones.values()]
    print(json.dumps({"gateways": len(alive),
                      "unused": [key for key, value in wanted.items()
                                 if any(found.get(key) != value for found in alive)],
                      "shadowed": [key for key, value in wanted.items()
                                   if any(key in found and found[key] != value for found in files)],
                      "unread": [path for path, (state, _) in read_ones.items() if state == "unreadable"]}))


main()
