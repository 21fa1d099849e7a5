# Do the token and the model key work? Asked from inside the pod, with the values that the gateway has:
# prints one JSON line {"bot": {...}, "model": {...}, "live": {...}, "shadowed": {NAME: FILE}, "open": {NAME: FILE}};
# never a value. Run as `python3 -I -S` by absolute path, with files.py and asking.py before this.
#   lifelines.py PROVIDER KEYS MODEL   KEYS: the variables that may hold the provider's key, with blanks between
# Two more arguments are for tests: the root directory, and where the Bot API is.
import signal

PROVIDER, KEYS, MODEL = sys.argv[1], sys.argv[2].split(), sys.argv[3]
if len(sys.argv) > 4:
    ROOT, BOT_API = sys.argv[4:6]


def check_bot(env, found):
    token = env.get("TELEGRAM_BOT_TOKEN", "")
    if not token:
        return {"status": 0, "reason": "TELEGRAM_BOT_TOKEN is not set in the pod"}
    return ask_bot(telegram_of(found, env), token, env)


def check_model(env, live, found):
    """Status -1: not asked. The live config decides who is asked; if it names another provider than is wanted,
    that is what is wrong, whatever that one says."""
    known = PROVIDER in ANTHROPIC or PROVIDER in OPENAI
    if not known or live["provider"] not in ("", PROVIDER):
        return {"status": -1}
    name = next((name for name in KEYS if env.get(name)), "")
    if not name:
        return {"status": 0, "reason": " or ".join(KEYS) + " is not set in the pod"}
    own = own_base(PROVIDER, found, env)
    return {**ask_model(PROVIDER, env, env[name], live["model"] or MODEL, own), "key": name}


def shadowed(env, files):
    """Of the container's variables those that a file of Hermes' sets otherwise, and the one that decides."""
    decides = merged({name: path for name in assignments(text)} for path, text in zip(ENV_FILES, files))
    return {name: path for name, path in decides.items() if os.environ.get(name, env[name]) != env[name]}


def open_to_all(files):
    """What lets everybody in by the file that decides."""
    decides = merged({name: (path, value) for name, value in assignments(text).items()}
                     for path, text in zip(ENV_FILES, files))
    return {name: path for name, (path, value) in decides.items()
            if (name in LISTS and "*" in users_in(value)) or (name in SWITCHES and is_on(value))}


def main():
    signal.alarm(55)  # whatever the files and the servers do: nothing of this stays behind
    files = agent_files(*ENV_FILES, *CONFIGS)
    configs = list(map(settings, files[2:]))
    env, found = variables(files[:2]), merged(configs)
    live = {**live_model(found), "managed": "model.provider" in configs[1]}
    values = [env.get(name, "") for name in ("TELEGRAM_BOT_TOKEN", *KEYS)]
    print(json.dumps({"bot": hide(check_bot(env, found), values),
                      "model": hide(check_model(env, live, found), values), "live": live,
                      "shadowed": shadowed(env, files[:2]), "open": open_to_all(files[:2])}))


main()
