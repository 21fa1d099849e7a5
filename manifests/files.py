# How the agent's own files and processes are read. No script by itself: others run with this before them.
import os
import re
import stat
import time

LARGEST = 1 << 20
USERS = "TELEGRAM_ALLOWED_USERS"
# What lets people in: lists, and switches that let in everybody.
LISTS = (USERS, "GATEWAY_ALLOWED_USERS", "TELEGRAM_GROUP_ALLOWED_USERS", "TELEGRAM_GROUP_ALLOWED_CHATS")
SWITCHES = ("TELEGRAM_ALLOW_ALL_USERS", "GATEWAY_ALLOW_ALL_USERS")
# Hermes' own files, and those of its managed scope: they win over the environment, a later one over an earlier one.
ENV_FILES = ("/opt/data/.env", "/etc/hermes/.env")
CONFIGS = ("/opt/data/config.yaml", "/etc/hermes/config.yaml")
BLANKS, SPACE, LINE = re.compile(r"[^\S\r\n]*"), re.compile(r"\s*"), re.compile(r"[^\r\n]*")
EXPORT, NAME, QUOTED_NAME = re.compile(r"(?:export[^\S\r\n]+)?"), re.compile(r"([^=#\s]+)"), re.compile(r"'([^']+)'")
END = re.compile(r"(?:[^\S\r\n]*#[^\r\n]*)?[^\S\r\n]*(?:\r\n|\n|\r|\Z)")
# By their quote: a value, and what a backslash in it means.
VALUES = {"'": (re.compile(r"'((?:\\'|[^'])*)'"), re.compile(r"\\([\\'])")),
          '"': (re.compile(r'"((?:\\"|[^"])*)"'), re.compile(r"""\\([\\'"abfnrtv])"""))}
ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
FLOW = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s{}\[\],:"'](?:[^{}\[\],:]|:(?=\S))*)|([{}\[\],:])""")


def mark_of(file):
    """What changes with a file, of a path or an open one; "" for none."""
    try:
        found = os.stat(file) if isinstance(file, int) else os.lstat(file)
    except OSError:
        return ""
    return "%d.%d.%d.%d" % (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def changed(path):
    """When a file, or a link in its place, was last changed. Its mtime does not tell: cp -p sets that back."""
    return max(os.stat(path).st_ctime, os.lstat(path).st_ctime)


def value_at(text, place):
    """(end, value) of what stands after "="; nothing where a quote does not end."""
    quote = text[place:place + 1]
    if quote not in VALUES:
        end = LINE.match(text, place).end()
        return end, re.sub(r"\s+#.*", "", text[place:end]).rstrip()
    pattern, escape = VALUES[quote]
    found = pattern.match(text, place)
    return found and (found.end(), escape.sub(lambda one: ESCAPES.get(one[1], one[1]), found[1]))


def entry_at(text, place):
    """(end, name, value) of the entry that begins here. What is none ends with the line in which that shows."""
    name, value = None, None
    place = EXPORT.match(text, place).end()
    if text[place:place + 1] != "#":
        found = (QUOTED_NAME if text[place:place + 1] == "'" else NAME).match(text, place)
        if not found:
            return LINE.match(text, place).end() + 1, None, None
        place, name = found.end(), found[1]
    place = BLANKS.match(text, place).end()
    if text[place:place + 1] == "=":
        place = BLANKS.match(text, place + 1).end()
        found = value_at(text, place)
        if not found:
            return LINE.match(text, place).end() + 1, None, None
        place, value = found
    end = END.match(text, place)
    return (end.end(), name, value) if end else (LINE.match(text, place).end() + 1, None, None)


def entries(env_file):
    """A .env in its pieces, as python-dotenv reads it, which Hermes uses: (text, name, value). What sets nothing
    has no name, a name without "=" no value; a value in quotes may have several lines."""
    place = 0
    while place < len(env_file):
        begin = SPACE.match(env_file, place).end()
        end, name, value = entry_at(env_file, begin) if begin < len(env_file) else (begin, None, None)
        yield env_file[place:end], name, value
        place = end


def assignments(env_file):
    """What a .env sets: {name: value}; the last one wins."""
    return {name: value for _, name, value in entries(env_file) if value is not None}


def scalar(value):
    """What a plain or quoted YAML scalar on one line says; "" for anything else."""
    value = value.strip()
    if value[:1] in ("'", '"'):
        return value[1:].partition(value[0])[0]
    value = "" if value.startswith("#") else value.partition(" #")[0].strip()
    return "" if value[:1] in ("|", ">", "&", "*", "{", "[") or value in ("~", "null") else value


def flow_pairs(value):
    """The (path, value) pairs of a YAML flow mapping on one line; path: "", or ".key.key"."""
    path, key, after_colon = [], "", False
    for word, mark in FLOW.findall(value):
        if mark in ("{", "["):
            path.append(key)
        elif mark in ("}", "]"):
            path.pop()
            if not path:
                return
        elif word and after_colon:
            yield ".".join([*path, key]), word
        elif word:
            key = scalar(word)
        after_colon = mark == ":"


def settings(config):
    """Scalars of a config.yaml by path, "model.provider": nested mappings in block form, and flow mappings on
    one line. Without site-packages there is no YAML here; what is not read so counts as not said."""
    found, parents = {}, []  # parents: (indentation, key) of the mappings around this line
    for line in config.splitlines():
        key, colon, value = line.strip().partition(":")
        if not colon or key.startswith(("#", "-")) or value[:1].strip():
            continue
        depth = len(line) - len(line.lstrip(" "))
        while parents and parents[-1][0] >= depth:
            parents.pop()
        parents.append((depth, scalar(key)))
        path = ".".join(name for _, name in parents)
        pairs = [("", value)] if not value.strip().startswith("{") else flow_pairs(value)
        for name, said in pairs:
            if scalar(said):
                found[path + name] = scalar(said)
    return found


def read(path, largest=LARGEST):
    """("absent", "unreadable" or "read", its text). The agent may have put anything there: a pipe is not waited
    for, and of a file that is too large nothing is believed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return "absent", ""
    except OSError:
        return "unreadable", ""
    try:
        with os.fdopen(handle, "rb") as file:
            data = file.read(largest + 1) if stat.S_ISREG(os.fstat(handle).st_mode) else None
    except OSError:
        data = None
    if data is None or len(data) > largest:
        return "unreadable", ""
    return "read", data.decode("utf-8-sig", "replace")


def gateways(proc):
    """Every process that is a gateway by its command line."""
    found = []
    for name in os.listdir(proc):
        if not name.isdigit():
            continue
        line = read("%s/%s/cmdline" % (proc, name))[1].split("\0")
        if "python" in line[0] and ("gateway", "run") in zip(line, line[1:]):
            found.append(int(name))
    return found


def began(proc, pid):
    """When a process began, as a file's time; 0 where that is not known."""
    fields = read("%s/%d/stat" % (proc, pid))[1].rpartition(")")[2].split()
    ticks = int(fields[19]) if len(fields) > 19 else 0
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - age if ticks else 0


def is_on(value):
    """Whether a variable ..._ALLOW_ALL_USERS lets everybody in."""
    return value.strip().lower() not in ("", "0", "no", "off", "false")


def users_in(text):
    """A list of users as Hermes reads it."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def ids_in(users):
    """Those of them who are ids."""
    return [int(one) for one in users if re.fullmatch(r"[1-9][0-9]{0,17}", one)][:1000]
