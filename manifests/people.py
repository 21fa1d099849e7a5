# Who gets an answer, whatever the Secret's list says, who asks for one, and what they are called: prints one JSON line
# with ids, names and places, and of the lists only the ids. Run as `python3 -I -S` by absolute path, with files.py
# before this.
#   people.py IDS   IDS: whose names are wanted, as a JSON list
# Two more arguments are for tests: the root directory, and where the Bot API is.
import json
import re
import signal
import sys
import time
import urllib.request

AGENT = 10000  # the image's user hermes
WANTED = json.loads(sys.argv[1])
ROOT = sys.argv[2] if len(sys.argv) > 2 else ""
BOT_API = sys.argv[3] if len(sys.argv) > 3 else "https://api.telegram.org"
PAIRING = ("/opt/data/platforms/pairing", "/opt/data/pairing")
SETTLED = 15  # seconds: as it starts, Hermes itself may write its .env
FROM = re.compile(r"""(?:^|[\s{,])["']?allow_from["']?\s*:\s*(.*)""")


def listed(users):
    found = users_in(users)
    return {"ids": ids_in(found),
            "everybody": "*" in found}


def variables():
    """[(where, what is set there)], and the live gateway whose environment the first one is; 0 for none."""
    for pid in gateways(ROOT + "/proc"):
        state, text = read("%s/proc/%d/environ" % (ROOT, pid))
        if state == "read":
            first = dict(entry.partition("=")[::2] for entry in text.split("\0") if entry)
            break
    else:
        pid, first = 0, dict(os.environ)
    files = [(path, assignments(read(ROOT + path)[1])) for path in ENV_FILES]
    return [("the gateway's environment" if pid else "the container's environment", first)] + files, pid


def changed_since(pid):
    """The files that once said something else to this gateway, which forgets nothing that it has read there."""
    begin = began(ROOT + "/proc", pid)
    return [path for path in ENV_FILES if begin and os.path.exists(ROOT + path)
            and begin + SETTLED < changed(ROOT + path)]


def value_of(text, flow):
    """What stands after a key of config.yaml: a list on one line or several, or a scalar."""
    first, _, rest = text.partition("\n")
    if first.lstrip().startswith("["):
        return text.partition("]")[0]
    if scalar(first):
        return re.split("[,}]", first)[0] if flow and first.lstrip()[:1] not in "\"'" else scalar(first)
    found = []
    for line in rest.splitlines():
        if line.strip() and not line.strip().startswith("#"):
            if not line.lstrip().startswith("-"):
                break
            found.append(line.partition("#")[0])
    return " ".join(found)


def allow_from(config):
    """The users of telegram's allow_from, or None where there is none."""
    lines, parents = config.splitlines(), []
    for number, line in enumerate(lines):
        key = line.strip().partition(":")[0].strip("\"'{ ")
        if not key or key.startswith(("#", "-")):
            continue
        depth = len(line) - len(line.lstrip(" "))
        while parents and parents[-1][0] >= depth:
            parents.pop()
        found = FROM.search(line)
        if found and ("telegram" in line[:found.start()] or any(name == "telegram" for _, name in parents)):
            text = value_of("\n".join([found.group(1)] + lines[number + 1:]), "{" in line[:found.start(1)])
            return ",".join(re.findall(r"\*|(?<![\w-])\d+(?!\w)", text))
        parents.append((depth, key))
    return None


def grants(sources):
    """What lets people in beside the list of the environment, each as it is in force."""
    found = []
    for name in LISTS + SWITCHES:
        where, value = next(((place, said[name]) for place, said in reversed(sources) if name in said), ("", ""))
        if name == USERS and where == sources[0][0]:
            continue
        if name in SWITCHES and is_on(value):
            found.append({"name": name, "where": where, "ids": [], "everybody": True})
        elif name not in SWITCHES and (value.strip() or (name == USERS and where)):
            found.append({"name": name, "where": where, **listed(value)})
    for path in CONFIGS:
        users = allow_from(read(ROOT + path)[1])
        if users is not None:
            found.append({"name": "telegram.allow_from", "where": path, **listed(users)})
    return found


def paired(kind):
    """{id: name} of Hermes' pairing, "approved" or "pending"."""
    found = {}
    for folder in reversed(PAIRING):
        try:
            said = json.loads(read("%s%s/telegram-%s.json" % (ROOT, folder, kind))[1] or "{}")
            items = said.items()
        except (ValueError, AttributeError, RecursionError):
            continue
        for key, info in items:
            info = info if isinstance(info, dict) else {}
            made = info.get("created_at")
            if kind == "pending" and not (isinstance(made, (int, float)) and time.time() - made < 3600):
                continue  # its code is no good any more
            user = str(info.get("user_id", "") if kind == "pending" else key)
            if re.fullmatch(r"[1-9][0-9]{0,17}", user):
                found[user] = str(info.get("user_name") or "")[:100]
    return found


def name_of(token, user):
    """As Telegram knows that one; "" when it does not tell."""
    try:
        request = urllib.request.Request("%s/bot%s/getChat?chat_id=%d" % (BOT_API, token, user),
                                         headers={"User-Agent": "hermesctl"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            chat = json.loads(answer.read(1 << 16))["result"]
        name = " ".join(str(chat[part]) for part in ("first_name", "last_name") if chat.get(part))
        return (name + (" (@%s)" % chat["username"] if chat.get("username") else "")).strip()[:100]
    except Exception:  # whatever it is: the name is a courtesy, and the URL has the token in it
        return ""


def main():
    signal.alarm(40)  # whatever the files are: nothing of this stays behind
    if os.getuid() == 0 and not ROOT:  # as the agent's user, who alone may look at the gateway's environment
        os.setgroups([])
        os.setgid(AGENT)
        os.setuid(AGENT)
    sources, pid = variables()
    said = {"gateway": bool(pid), "changed": changed_since(pid),
            "list": listed(sources[0][1].get(USERS, "")), "grants": grants(sources),
            "paired": paired("approved"), "asking": paired("pending"), "zone": time.strftime("%z"),
            "unread": [path for path in ENV_FILES + CONFIGS if read(ROOT + path)[0] == "unreadable"]}
    token = next((found["TELEGRAM_BOT_TOKEN"] for _, found in reversed(sources) if found.get("TELEGRAM_BOT_TOKEN")), "")
    end = time.monotonic() + 20
    said["names"] = {user: name_of(token, user) for user in WANTED[:50] if token and time.monotonic() < end}
    print(json.dumps(said))


main()
