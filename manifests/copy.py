# Files into and out of the agent's container, over exec:
#   copy.py put DST NAME REPLACE    into DST, or below it as NAME where it is a folder; prints what was written as JSON
#   copy.py look DST NAME REPLACE   only tells where that would be
#   copy.py get SRC                 ends once its reader has answered: runtimes drop output of programs that have ended
#   copy.py list SRC                the same without the bytes of the files: each has the size 0
# Both ways one stream: for each entry a line of JSON {"path", "folder", "mode", "size"} and a file's bytes after it,
# then {"end": true, "files", "sha256"} with the sum of everything before. What is neither file nor folder, and what has
# a name that is no text, is {"left": path}.
# Run by absolute path as `python3 -I -S`, as the user who is to own the files. Exit 4: there is something at DST.
import hashlib
import json
import os
import re
import select
import shutil
import stat
import sys

BLOCK = 1 << 16
EXISTS = 4
END = re.compile(rb'\{"end":true,"sha256":"[0-9a-f]{64}"\}\n\Z')
total = hashlib.sha256()
dry = sys.argv[1:2] == ["list"]


def line():
    text = sys.stdin.buffer.readline(BLOCK)
    if not text.endswith(b"\n"):
        sys.exit("the connection ended before the copy was complete; nothing was changed")
    return text


def write_file(path, entry, base):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=base)
    with os.fdopen(fd, "wb") as file:
        left = entry["size"]
        while left:
            data = sys.stdin.buffer.read(min(left, BLOCK))
            if not data:
                sys.exit("the connection ended before the copy was complete; nothing was changed")
            total.update(data)
            file.write(data)
            left -= len(data)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), entry["mode"])


def receive(base):
    """Writes all entries below "content" in the folder `base`; the number of files."""
    folders, files = [], 0
    while True:
        text = line()
        entry = json.loads(text)
        if entry.get("end"):
            if entry["sha256"] != total.hexdigest():
                sys.exit("what arrived is not what was sent; nothing was changed")
            for path, mode in reversed(folders):
                os.chmod(path, mode, dir_fd=base)
            return files
        total.update(text)
        path = os.path.join("content", entry["path"]) if entry["path"] else "content"
        if entry["folder"]:
            os.mkdir(path, 0o700, dir_fd=base)
            folders.append((path, entry["mode"]))
        else:
            write_file(path, entry, base)
            files += 1


def place(dst, name, replace):
    """Where it goes, as it is really called; the end, where that may not be."""
    final = os.path.abspath(os.path.join(dst, name) if dst.endswith("/") or os.path.isdir(dst) else dst)
    named = os.path.dirname(final)
    folder = os.path.realpath(named)
    if os.geteuid() == 0 and folder != named:  # the agent may have planted it
        sys.exit("%s leads to %s: name that, where it is meant" % (named, folder))
    final = os.path.join(folder, os.path.basename(final))
    if os.path.lexists(final):
        if os.path.isdir(final):
            sys.exit("%s is a folder that exists" % final)
        if not replace:
            in_the_way(final)
    return final


def in_the_way(final):
    print(json.dumps({"path": final}))
    sys.exit(EXISTS)


def look(dst, name, replace):
    final = place(dst, name, replace)
    folder = os.path.dirname(final)
    os.stat(folder)
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        sys.exit("%s is no folder that may be written" % folder)
    print(json.dumps({"path": final}))


def opened(folder, inside=None):
    """As it is now: the agent may put another one, or a link, in its place at any time."""
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=inside)


def settle(base, folder, final, replace):
    """What is in `base` gets its name. Whatever has come there meanwhile is not replaced unasked."""
    ways = {"src_dir_fd": base, "dst_dir_fd": folder}
    is_folder = stat.S_ISDIR(os.stat("content", dir_fd=base, follow_symlinks=False).st_mode)
    if is_folder and os.path.lexists(final):
        sys.exit("%s is a file, not a folder" % final)
    try:
        if not replace and not is_folder:
            return os.link("content", os.path.basename(final), follow_symlinks=False, **ways)
    except FileExistsError:
        in_the_way(final)
    except OSError:  # a file system without such links
        if os.path.lexists(final):
            in_the_way(final)
    os.rename("content", os.path.basename(final), **ways)


def put(dst, name, replace):
    final = place(dst, name, replace)
    parent = os.path.dirname(final)
    folder = opened(parent)
    if os.geteuid() == 0 and os.readlink("/proc/self/fd/%d" % folder) != parent:
        sys.exit("%s was replaced meanwhile; nothing was changed" % parent)
    own = ".hermesctl-copy-" + os.urandom(8).hex()
    temporary = os.path.join(parent, own)
    os.mkdir(own, 0o700, dir_fd=folder)
    try:
        base = opened(own, folder)
        if os.fstat(base).st_uid != os.geteuid():
            sys.exit("%s was replaced meanwhile; nothing was changed" % temporary)
        files = receive(base)
        settle(base, folder, final, replace)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    print(json.dumps({"path": final, "files": files, "sha256": total.hexdigest()}))


def send(data):
    total.update(data)
    sys.stdout.buffer.write(data)


def say(entry):
    send(json.dumps(entry).encode() + b"\n")


def send_file(path, name, flags):
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | flags)
    with os.fdopen(fd, "rb") as file:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            sys.exit("%s is not a file" % os.path.abspath(path))
        left = 0 if dry else info.st_size  # what is appended meanwhile is not part of it
        say({"path": name, "folder": False, "mode": info.st_mode & 0o777, "size": left})
        while left:
            data = file.read(min(left, BLOCK))
            if not data:
                sys.exit("%s became shorter while it was read" % path)
            send(data)
            left -= len(data)


def leave(name):
    say({"left": name.encode("utf-8", "replace").decode()})


def is_text(name):
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def send_folder(src, folder, folders, names):
    """One folder of the tree; what is left out of `folders` is not gone into. The number of files."""
    below = os.path.relpath(folder, src)
    prefix = "" if below == "." else below + "/"
    say({"path": prefix[:-1], "folder": True, "mode": os.stat(folder).st_mode & 0o777, "size": 0})
    files = 0
    for name in sorted(folders):
        if os.path.islink(os.path.join(folder, name)) or not is_text(name):
            folders.remove(name)
            leave(prefix + name)
    for name in sorted(names):
        path = os.path.join(folder, name)
        try:
            regular = stat.S_ISREG(os.lstat(path).st_mode) and is_text(name)
            if regular:
                send_file(path, prefix + name, os.O_NOFOLLOW)
        except FileNotFoundError:  # the agent has deleted it since
            continue
        if regular:
            files += 1
        else:
            leave(prefix + name)
    return files


def unreadable(problem):
    if not isinstance(problem, FileNotFoundError):
        raise problem


def get(src):
    files = 0
    if not os.path.isdir(src):
        send_file(src, "", 0)
        files = 1
    else:
        for folder, folders, names in os.walk(src, onerror=unreadable):
            files += send_folder(src, folder, folders, names)
    end = {"end": True, "files": files, "sha256": total.hexdigest()}
    sys.stdout.buffer.write(json.dumps(end).encode() + b"\n")
    sys.stdout.buffer.flush()
    select.select([0], [], [], 600)


def complaint(problem):
    """Of what was named, where what failed has no name, or one of ours: below a folder's descriptor."""
    path = str(problem.filename or sys.argv[2])
    if sys.argv[1] == "put" and not path.startswith("/"):
        path = sys.argv[2]
    return "%s: %s" % (os.path.abspath(path), problem.strerror or problem)


def drain():
    """What still comes, to its end: the runtime does not end a command whose input nobody takes."""
    last = data = b"-"
    while data and not END.search(last) and select.select([0], [], [], 5)[0]:
        data = os.read(0, BLOCK)
        last = (last + data)[-200:]  # END is shorter


def main():
    os.chdir("/opt/data" if os.path.isdir("/opt/data") else "/")
    try:
        if sys.argv[1] == "put":
            put(sys.argv[2], sys.argv[3], sys.argv[4] == "1")
        elif sys.argv[1] == "look":
            look(sys.argv[2], sys.argv[3], sys.argv[4] == "1")
        else:
            get(sys.argv[2])
    except (OSError, SystemExit) as problem:
        if sys.argv[1] == "put":
            drain()
        sys.exit(complaint(problem) if isinstance(problem, OSError) else problem.code)


main()
