# Do new values work? Asked with who takes them, before anything is changed. Run as `python3 -I -S` by absolute path,
# with files.py and asking.py before this. Reads one line of JSON from stdin:
#   {"values": {KEY: value}, "providers": {KEY: provider},
#    "present": the bot token of now where the pod has none, "polled": whether a gateway of ours polls with that,
#    "variables", "config": what the agent's container would have of them, where this is not it}
# and prints one, {"trials": [{"key", "by", "status", "reason", ...}]}; never a value. Status: HTTP's, 0 for no
# answer, -1 for nobody to ask. Two arguments are for tests: the root directory, and where the Bot API is.
import signal

if len(sys.argv) > 1:
    ROOT, BOT_API = sys.argv[1:3]
TOKEN = "TELEGRAM_BOT_TOKEN"
# A key of one is refused by the other, with the same words as any wrong one.
TWINS = {"minimax": "minimax-cn", "minimax-cn": "minimax"}
CONFLICT = "terminated by other getUpdates"


def polled_by_another(way, token, ours, state):
    """Whether another one polls this bot, and so takes its updates. Where a gateway of ours polls, it knows: to
    ask would end its own poll. Without an offset no update is taken."""
    if not ours:
        status, answer = ask_telegram(way, token, "getUpdates?limit=1&timeout=3")
        return status == 409 and CONFLICT in str(answer.get("description"))
    try:
        telegram = json.loads(state)["platforms"]["telegram"]
        return telegram.get("error_code") == "telegram_polling_conflict" and telegram.get("state") != "connected"
    except (ValueError, TypeError, KeyError, AttributeError):
        return False


def try_bot(way, token, present, asked, env):
    said = {"by": "Telegram", **ask_bot(way, token, env)}
    if said["status"] != 200:
        return said
    now = present.partition(":")[0]
    same = now == str(said["id"])
    if now:
        bot = said if same else ask_bot(way, present, env)
        said.update(other=not same, now=bot.get("username", ""), now_id=now if now.isdecimal() else "")
    if not said["webhook"]:
        said["poller"] = polled_by_another(way, token, same and asked["polled"], asked["state"])
    return said


def try_model(provider, env, key, asked):
    own, model = own_base(provider, asked["settings"], env), asked["model"]
    said = {"by": provider + (" at model.base_url" if own else ""), **ask_model(provider, env, key, model, own)}
    # The key of somebody's own server is nobody else's.
    if said["status"] in (401, 403) and provider in TWINS and not own:
        if ask_model(TWINS[provider], env, key, model)["status"] // 100 == 2:
            said["belongs_to"] = TWINS[provider]
    return said


def servers(found):
    """The MCP servers that have an address: {name: {"url": ..., "headers.X": ...}}."""
    names = [path[12:-4] for path in found if path.startswith("mcp_servers.") and path.endswith(".url")]
    return {name: {path.removeprefix("mcp_servers.%s." % name): said for path, said in found.items()
                   if path.startswith("mcp_servers.%s." % name)} for name in names}


def try_server(name, server, env):
    said = {"by": "the MCP server " + name[:80]}
    if server.get("transport") == "sse":
        return {**said, "status": -1, "reason": "it speaks SSE, which is not tried"}
    headers = {path[8:]: expand(value, env) for path, value in server.items() if path.startswith("headers.")}
    status, answer = ask(expand(server["url"], env), {**headers, "Accept": "application/json, text/event-stream"}, {
        "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "hermesctl", "version": "1"}}})
    # Not every server has a status for what it does not let in.
    return {**said, "status": status, "reason": reason_of(answer), "error": bool(answer.get("error"))}


def try_value(key, value, asked, env):
    """One answer for each who takes it."""
    if key == TOKEN:
        return [try_bot(telegram_of(asked["settings"], env), value, env.get(TOKEN) or asked["present"], asked, env)]
    provider = asked["providers"].get(key, "")
    if provider in ANTHROPIC or provider in OPENAI:
        return [try_model(provider, env, value, asked)]
    reference = re.compile(r"\$\{(env:)?%s\}" % re.escape(key))
    used = {name: server for name, server in servers(asked["settings"]).items()
            if reference.search(" ".join(server.values()))}
    return [try_server(name, server, {**env, **asked["values"]}) for name, server in used.items()] or [{"status": -1}]


def main():
    signal.alarm(55)  # whatever happens: nothing of this stays behind
    *files, state = agent_files(*ENV_FILES, *CONFIGS, "/opt/data/gateway_state.json")
    asked = json.loads(sys.stdin.readline())
    found = merged(map(settings, (files[2] or asked["config"], files[3])))
    asked.update(state=state, settings=found, model=live_model(found)["model"])
    os.environ.update(asked["variables"])
    env, trials = variables(files[:2]), []
    secrets = [*asked["values"].values(), asked["present"], env.get(TOKEN, "")]
    for key, value in asked["values"].items():
        trials += [{"key": key, **hide(one, secrets)} for one in try_value(key, value, asked, env)]
    print(json.dumps({"trials": trials}))


main()
