# How the agent's own files are read. No script by itself: lifelines.py and inspect.py run with this before them.


def assignments(env_file):
    """What a .env sets: {name: value}."""
    found = {}
    for line in env_file.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            found[key.removeprefix("export ").strip()] = value.strip().strip("\"'")
    return found


def scalar(value):
    """What a plain or quoted YAML scalar on one line says; "" for anything else."""
    value = value.strip()
    if value[:1] in ("'", '"'):
        return value[1:].partition(value[0])[0]
    value = "" if value.startswith("#") else value.partition(" #")[0].strip()
    return "" if value[:1] in ("|", ">", "&", "*", "{", "[") or value in ("~", "null") else value


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
        pairs = [("", value)]
        if value.strip().startswith("{"):
            inner = value.strip()[1:].partition("}")[0]
            pairs = [("." + scalar(k), v) for k, _, v in (pair.partition(":") for pair in inner.split(","))]
        for name, said in pairs:
            if scalar(said):
                found[path + name] = scalar(said)
    return found
