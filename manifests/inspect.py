# What only the inside of the pod can tell about the cage, for verify: prints one JSON line with names, counts,
# states and the ids of users; never a value. Run as `python3 -I -S` by absolute path, with files.py before this.
#   inspect.py KEYS   KEYS: the names that the Secret has, as a JSON list
# A second argument is the root directory (tests).
import collections
import json
import os
import re
import signal
import sys

AGENT = 10000  # the image's user hermes
KEYS = json.loads(sys.argv[1])
ROOT = sys.argv[2] if len(sys.argv) > 2 else ""
PROC = ROOT + "/proc"
# Names that hold a credential, those that hold one which a person may have chosen, and texts that are one wherever
# they stand.
PASSWORD = re.compile(r"(password|passwd|passphrase|pwd|(^|[_.])pass|secret)$", re.I)
CREDENTIAL = re.compile(r"(apikey|[_-]key|secretkey|accesskey|token|_pat|credentials?)$|" + PASSWORD.pattern, re.I)
# Each key only where a word begins: "sk-sk-sk-" without an end is looked through once.
SHAPE = re.compile(r"\b\d{6,16}:[\w-]{30,}|(?<![\w-])(sk-(?=[\w-]*\d)[\w-]{16,}"
                   r"|(xox[abeprs]|xapp)-(?=[\w-]*\d)[\w-]{10,}|(gh[oprsu]_|github_pat_)(?=[\w-]*\d)[\w-]{30,}"
                   r"|glpat-(?=[\w-]*\d)[\w-]{20,}|AIza(?=[\w-]*\d)[\w-]{35,})"
                   r"|\bA[KS]IA(?=[A-Z]*\d)[A-Z0-9]{16}(?![\w-])"
                   # A JSON web token, and webhooks of Slack and Discord.
                   r"|(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}"
                   r"|(hooks\.slack\.com/(services|workflows|triggers)|discord(app)?\.com/api/(v\d+/)?webhooks)"
                   r"/(?=[\w/-]*\d)[\w/-]{11,}"
                   # A URL's password, and no "PASSWORD", "{password}", "[password]", "%PASS%", "$PASS" or
                   # "a-${PASS}".
                   r"|://[^\s/?#<>\"'`:@]*:(?!\$|(\*{3}|[A-Z_]+|\{{1,2}[A-Za-z_.-]*\d{0,3}\}{1,2}"
                   r"|\[[A-Za-z_.-]+\d{0,3}\]|%[A-Za-z_.-]+\d{0,3}%)"
                   r"@(?![^\s/?#<>\"'`]*@)"
                   r"|[^\s/?#@]*\$[{(])[^\s/?#<>\"'`]+@"
                   r"|(?i:bearer) (?=[\w.~+/=-]*\d)[\w.~+/=-]{8,}|BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY-----[^\s\"']{0,200}", re.A)
QUERY = re.compile(r"[?&#]([^=&?#\s]+)=([^&?#\s\"']+)")  # of a URL, and of a URL in that
SHORT = re.compile(r"(key|api-key|sig|([\w-]+-)?signature)$", re.I)  # what opens is named so there
FLAG = re.compile(r"(?:^|[\s\"'])--([\w-]{1,60})(=|\s+(?!-))[\"']?([^\s\"']+)")
MACHINES = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[^/:.,@]{8,}")
COOKIE, AUTH = re.compile(r"(^|[.-])cookie$", re.I), re.compile(r"(^|\.)auth$", re.I)
# Under "auth" a method may stand, too ("oauth2-device", "oauth2ClientCredentials"), and after a flag a path.
MADE = re.compile(r"(?i:basic|token) \S+|(?!(?i:oauth))[A-Za-z0-9]{20,}")
PATH = re.compile(r"\.\.?/|.*\.(pem|key)$")
# "{{KEY_1}}", "[password]", "%PASS%", "your-key-1", "xxxxxxxx": what is to be put there.
WORDS = r"[A-Za-z_. -]+\d{0,3}"
EXAMPLE = re.compile(r"\{%s\}|\{\{%s\}\}|\[%s\]|%%%s%%|(?i:your)[-_]%s|(.)\1*" % ((WORDS,) * 5), re.S)
# "$KEY_1", "ctrl+shift+f12": no credential either.
ELSEWHERE = re.compile(r"\$[A-Z0-9_]+$|(?i:ctrl|alt|cmd|shift)\+|/|~/|<")
# In config.yaml: a terminal section in a form that is not read here, and a list of users that holds everybody.
UNCLEAR = re.compile(r"""^["']?terminal["']?[ ]*:[ ]*[{&*!"']|^\s+["']?backend["']?[ ]*:[ ]*([|>&*!{[#]|$)"""
                     r"""|^\s*<<\s*:|^\{""", re.M)
OPEN = re.compile(r"""allow_from["']?\s*:\s*(\[[^]]*|(-.*\n\s*)*-\s*)?["']?\*""")
COPY = re.compile(r"\.env\.before-[0-9TZ-]{1,40}")  # of unshadow.py
COPIES, LARGEST_COPY = 20, 1 << 16  # looked into: the agent may plant as many as it likes
PUBLIC = ("GPG_KEY",)  # of Python's own images: a fingerprint


def words(names, allowed=r"[^A-Za-z0-9_./-]"):
    """Names that the agent may have chosen, short and without anything that a terminal would obey."""
    return [re.sub(allowed, "?", name)[:80] for name in sorted(names)[:20]]


def is_literal(name, value):
    """Whether what stands after a credential's name can be one, and is no reference, path, count or word."""
    reference = re.search(r"\s|\$\{", value) or re.fullmatch(r"(?=.*[A-Z])[A-Z0-9_]+", value)
    word = not re.search(r"[0-9]", value) and not PASSWORD.search(name)
    count = value.isdigit() and name.lower().endswith("max_token")
    return len(value) >= 8 and not (reference or word or count or EXAMPLE.fullmatch(value) or ELSEWHERE.match(value))


def is_in_cookie(name, part):
    """Of "session=...; theme=dark", where a date or an age is none; without "=" it may be a cookie's name, but not in
    a header."""
    _, equals, value = part.partition("=")
    told = value if equals else part if "headers" in name.lower() or len(part) >= 20 else ""
    return not (told.isdigit() and len(told) <= 13) and is_literal(name, told)


def is_named(name, value):
    """Whether it is a credential by its name."""
    if name.lower().endswith("authorization"):  # "Token ...", or the token alone
        return is_literal(name, value.rpartition(" ")[2])
    if COOKIE.search(name):
        return any(is_in_cookie(name, part) for part in re.split(r"[;\s]+", value))
    if AUTH.search(name):
        return bool(MADE.fullmatch(value)) and is_literal(name, value.rpartition(" ")[2])
    return bool(CREDENTIAL.search(name)) and is_literal(name, value)


def is_in_flag(name, equals, value):
    """And no name of Kubernetes' ("--tls-secret=ingress-tls"), nor a path; a slash is also in passwords, in base64 and
    in what is long. What follows a flag as a word of its own may be any word, where the flag has no value."""
    if equals != "=" and not MACHINES.fullmatch(value):
        return False
    if name.lower().endswith("secret"):
        return not re.fullmatch(r"[a-z-]*-[a-z-]*", value) and is_named(name, value)
    random = re.search(r"[+=]|(?=[^/]{8})(?=[^/]*[a-z])(?=[^/]*[A-Z])(?=[^/]*[0-9])", value)
    path = PATH.match(value) or ("/" in value and len(value) < 32 and not random)
    return (bool(PASSWORD.search(name)) or not path) and is_named(name, value)


def is_credential(name, value):
    return bool(SHAPE.search(value)) or is_named(name, value) or any(
        (CREDENTIAL.search(one) or SHORT.match(one)) and is_literal(one, text)
        for one, text in QUERY.findall(value.partition("://")[2])) or any(
        is_in_flag(*flag) for flag in FLAG.findall(value))


def tokens():
    """Files that a service account's token can be."""
    found = []
    for folder, folders, files in os.walk(ROOT + "/var/run/secrets"):
        folders[:] = [name for name in folders if not name.startswith("..")]  # the same again, behind links
        found += [os.path.join(folder, name)[len(ROOT):] for name in files if "token" in name]
    return found


def resolvers():
    """The pod's name servers: no library asks more than three (resolv.conf(5))."""
    state, text = read(ROOT + "/etc/resolv.conf")
    lines = [line.split() for line in text.splitlines()]
    servers = [line[1] for line in lines if line[:1] == ["nameserver"] and len(line) > 1]
    return {"state": state, "servers": words(servers[:3], r"[^0-9A-Za-z.:%]")}


def process(pid):
    said = dict(line.partition(":")[::2] for line in read("%s/%d/status" % (PROC, pid))[1].splitlines())
    state, environ = read("%s/%d/environ" % (PROC, pid))
    return {"uids": [int(uid) for uid in said.get("Uid", "").split()[:4]],
            "capabilities": bool(said.get("CapEff", "").strip().strip("0")),
            "environ": state}, dict(entry.partition("=")[::2] for entry in environ.split("\0") if entry)


def rights(found):
    """What a set of variables says about who may talk to the bot, and where its commands run."""
    said = {"backend": words([found.get("TERMINAL_ENV", "")])[0],
            "allow_all": words(name for name, value in found.items()
                               if name.endswith("_ALLOW_ALL_USERS") and is_on(value)),
            "wildcards": [name for name in LISTS if "*" in users_in(found.get(name, ""))]}
    if USERS in found:
        users = users_in(found[USERS])
        said["users"] = {"count": len(users), "odd": len([user for user in users if not user.isdigit()]),
                         "ids": ids_in(users)}
    return said


def references(found, text):
    """Where a config uses ${KEY}: {KEY: [path, or "line 7"]}."""
    used = {}
    for key in KEYS:
        reference = re.compile(r"\$\{(env:)?%s\}" % re.escape(key))
        places = {name for name, value in found.items() if reference.search(value)}
        if not places:
            places = {"line %d" % (number + 1) for number, line in enumerate(text.splitlines())
                      if reference.search(line) and not line.lstrip().startswith("#")}
        if places:
            used[key] = words(places, r"[^A-Za-z0-9_./ -]")
    return used


def shapes(text):
    return [shape.group() for shape in SHAPE.finditer(text)]


def untold(text, values):
    """The lines whose credentials are in none of the settings with these values. A private key that is on the lines
    after its first one is known by its place alone: each such setting has one, on a line that reads as a setting."""
    told, lines = collections.Counter(shape for value in values for shape in shapes(value)), set()
    for number, line in enumerate(text.splitlines()):
        for shape in shapes(line):
            known = told[shape]
            if known and shape.endswith("-----"):
                known = any(shape in value for value in settings(line).values())
                told[shape] -= known
            if not known:
                lines.add("line %d" % (number + 1))
    return lines


def config(path):
    state, text = read(ROOT + path)
    found = settings(text)
    backend = found.get("terminal.backend", "")
    plain = re.fullmatch(r"\w*", backend, re.A)
    unclear = not plain or (not backend and UNCLEAR.search(text))
    credentials = {name for name, value in found.items() if is_credential(name, value)}
    credentials |= untold(text, [found[name] for name in credentials])
    held = [key for key in KEYS if CREDENTIAL.search(key) and len(os.environ.get(key, "")) >= 8]
    return {"state": state, "backend": backend[:80] if plain else "", "unclear": bool(unclear),
            "open": bool(OPEN.search(text)), "provider": words([found.get("model.provider", "").lower()])[0],
            "references": references(found, text),
            "credentials": words(credentials, r"[^A-Za-z0-9_./ -]"),
            "copies": words(key for key in held if os.environ[key] in text)}


def env_file(path, since):
    state, text = read(ROOT + path)
    found = assignments(text)
    shadows = {key: found[key] == os.environ.get(key) for key in KEYS if key in found}
    settled = state == "read" and changed(ROOT + path) < since  # a gateway reads it when it starts
    return {"state": state, "shadows": shadows, "mark": mark_of(ROOT + path), "settled": settled, **rights(found)}


def left():
    """What hermesctl has left of files that it changed, the newest first: the credentials in each; None for what is
    not looked into."""
    folder = "/opt/data"
    try:
        names = sorted(filter(COPY.fullmatch, os.listdir(ROOT + folder)), reverse=True)
    except FileNotFoundError:
        return {}
    except OSError:
        return {folder: None}
    found = {}
    for number, name in enumerate(names[:COPIES + 1]):
        path = folder + "/" + name
        state, text = read(ROOT + path, LARGEST_COPY) if number < COPIES else ("", "")
        found[path] = words(key for key, value in assignments(text).items()
                            if is_credential(key, value)) if state == "read" else None
    return found


def main():
    signal.alarm(20)  # whatever the files are: nothing of this stays behind
    said = {"tokens": words(tokens()), "resolvers": resolvers(),
            "ping": " ".join(read(PROC + "/sys/net/ipv4/ping_group_range")[1].split())[:40]}
    if os.getuid() == 0 and not ROOT:  # as the agent's user, who alone may look at the gateway's environment
        os.setgroups([])
        os.setgid(AGENT)
        os.setuid(AGENT)
    said["gateways"] = []
    pids = gateways(PROC)
    for pid in pids[:20]:  # none of them may be more than the agent
        facts, environ = process(pid)
        said["gateways"].append({**facts, **rights(environ)})
    said["container"] = rights(os.environ)
    said["plain"] = words(name for name, value in os.environ.items()
                          if name not in KEYS and name not in PUBLIC and is_credential(name, value))
    said["configs"] = {path: config(path) for path in CONFIGS}
    since = min((began(PROC, pid) for pid in pids), default=0)
    said["env_files"] = {path: env_file(path, since) for path in ENV_FILES}
    said["left"] = left()
    print(json.dumps(said))


main()
