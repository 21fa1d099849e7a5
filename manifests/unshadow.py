# Takes variables out of Hermes' own .env, in which they win over the Secret. Run as the agent, as `python3 -I -S` by
# absolute path, with files.py before this, so that whatever is planted under these names gives nobody more than he has.
#   unshadow.py KEYS MARK STAMP   KEYS: a JSON list; MARK: mark_of() the file when it was seen; the old file stays
#   beside it as .env.before-STAMP
# A fourth argument is the root directory (tests). Exit 0: done. Else it is as it was, and stderr says why.
import json
import signal
import stat
import sys

KEYS, MARK, STAMP = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
FOLDER = (sys.argv[4] if len(sys.argv) > 4 else "") + "/opt/data"
COPY, NEW = ".env.before-" + STAMP, ".env.new-" + STAMP
LARGEST = 1 << 20
REFUSED, CHANGED = 8, 9  # exit codes that hermesctl knows


def end(code, text):
    print(text, file=sys.stderr)
    sys.exit(code)


def own_file(folder):
    """(what it is, its bytes); ends for what is no plain file of the agent's own."""
    try:
        handle = os.open(".env", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        end(REFUSED, "it cannot be opened, or is a link: %s" % error.strerror)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        end(REFUSED, "it is no plain file")
    if found.st_nlink != 1:
        end(REFUSED, "it has other names (hard links) too")
    if found.st_uid != os.geteuid():
        end(REFUSED, "it belongs to uid %d, not to the agent" % found.st_uid)
    if mark_of(handle) != MARK:
        end(CHANGED, "it has changed since it was looked at")
    with os.fdopen(handle, "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        end(REFUSED, "it is larger than 1 MiB")
    return found, data


def without(data):
    """The file less what sets these keys; all else stays as it is, to the byte."""
    try:  # a file that is no UTF-8 is read as Latin-1, by Hermes too: every byte is a character
        text, code = data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, code = data.decode("latin-1"), "latin-1"
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    kept = mark
    for piece, name, value in entries(text[len(mark):]):
        blank = SPACE.match(piece).group()  # the empty lines above it stay
        kept += piece if name not in KEYS or value is None else blank[:max(blank.rfind("\n"), blank.rfind("\r")) + 1]
    others = {name: value for name, value in assignments(text[len(mark):]).items() if name not in KEYS}
    if assignments(kept[len(mark):]) != others:
        end(REFUSED, "what stays would not be read as before")
    return kept.encode(code)


def write(folder, name, data, like, made):
    """A new file with the mode and the group of the old one."""
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    made.append(name)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        if os.fstat(handle).st_gid != like.st_gid:
            os.fchown(handle, -1, like.st_gid)
        os.fchmod(handle, stat.S_IMODE(like.st_mode))
        file.flush()
        os.fsync(handle)


def main():
    signal.alarm(20)  # whatever the file is: nothing of this stays behind
    folder = os.open(FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    found, data = own_file(folder)
    kept, made = without(data), []
    try:
        write(folder, COPY, data, found, made)
        write(folder, NEW, kept, found, made)
        if mark_of(FOLDER + "/.env") != MARK:
            end(CHANGED, "it has changed meanwhile")
        os.rename(NEW, ".env", src_dir_fd=folder, dst_dir_fd=folder)
        made.clear()
    except OSError as error:
        end(REFUSED, "no file like it can be written beside it: %s" % error.strerror)
    finally:
        for name in made:
            os.unlink(name, dir_fd=folder)


main()
