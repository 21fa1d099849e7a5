# Do the token and the model key work? Asked from inside the pod, with the values that the gateway has:
# prints one JSON line {"bot": {...}, "model": {...}, "live": {...}}; never a value. Run as `python3 -I -S` by
# absolute path, with files.py before this.
#   lifelines.py PROVIDER KEYS MODEL   KEYS: the variables that may hold the provider's key, with blanks between
# Two more arguments are for tests: the root directory, and where the Bot API is.
import http.client
import json
import os
import sys
import urllib.error
import urllib.request

AGENT, NOBODY = 10000, 65534
PROVIDER, KEYS, MODEL = sys.argv[1], sys.argv[2].split(), sys.argv[3]
ROOT = sys.argv[4] if len(sys.argv) > 4 else ""
BOT_API = sys.argv[5] if len(sys.argv) > 5 else "https://api.telegram.org"
# Who can be asked, and how: the variable that moves it, where it is without one, and its cheapest question.
ANTHROPIC = {"minimax": ("MINIMAX_BASE_URL", "https://api.minimax.io/anthropic"),
             "minimax-cn": ("MINIMAX_CN_BASE_URL", "https://api.minimaxi.com/anthropic"),
             "anthropic": ("ANTHROPIC_BASE_URL", "https://api.anthropic.com")}
OPENAI = {"openrouter": ("", "https://openrouter.ai/api/v1", "/key"),
          "openai-api": ("OPENAI_BASE_URL", "https://api.openai.com/v1", "/models"),
          "deepseek": ("", "https://api.deepseek.com", "/models"),
          "xai": ("", "https://api.x.ai/v1", "/models")}


def text(path):
    try:
        with open(ROOT + path, encoding="utf-8-sig", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def agent_files(*paths):
    """What is in them, read as the agent's user: they may be links to anywhere."""
    if ROOT or os.getuid() != 0:
        return [text(path) for path in paths]
    os.setgroups([])
    os.setegid(AGENT)
    os.seteuid(AGENT)
    found = [text(path) for path in paths]
    os.seteuid(0)
    os.setegid(0)
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    return found


def variables(env_file):
    """The environment of the container, with what Hermes' own .env puts over it."""
    return {**os.environ, **assignments(env_file)}


def live_model(config):
    found = settings(config)
    name = found.get("model.default") or found.get("model.model") or found.get("model") or ""
    return {"provider": found.get("model.provider", "").lower()[:100], "model": name[:100]}


def read_answer(request):
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read(1 << 20)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(1 << 16)


def ask(url, headers=None, body=None):
    """(HTTP status, JSON); status 0 and a reason when there was no answer."""
    data = json.dumps(body).encode() if body is not None else None
    try:
        request = urllib.request.Request(url, data=data, headers={"User-Agent": "hermesctl", **(headers or {})})
        if data is not None:
            request.add_header("Content-Type", "application/json")
        status, answer = read_answer(request)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return 0, {"reason": str(getattr(error, "reason", error))}
    try:
        value = json.loads(answer)
    except ValueError:
        value = {}
    return status, value if isinstance(value, dict) else {}


def check_bot(env):
    token = env.get("TELEGRAM_BOT_TOKEN", "")
    if not token:
        return {"status": 0, "reason": "TELEGRAM_BOT_TOKEN is not set in the pod"}
    status, answer = ask("%s/bot%s/getMe" % (BOT_API, token))
    if status != 200:
        return {"status": status, "reason": str(answer.get("description") or answer.get("reason") or "")}
    me = answer.get("result") or {}
    _, hook = ask("%s/bot%s/getWebhookInfo" % (BOT_API, token))
    return {"status": status, "username": str(me.get("username", "")), "id": me.get("id", 0),
            "webhook": bool((hook.get("result") or {}).get("url"))}


def ask_anthropic(env, key, model):
    variable, base = ANTHROPIC[PROVIDER]
    base = (env.get(variable) or base).rstrip("/")
    headers = {"x-api-key": key, "Authorization": "Bearer " + key, "anthropic-version": "2023-06-01"}
    status, answer = ask(base + "/v1/models", headers)
    if status in (404, 405):  # not every compatible server lists models
        status, answer = ask(base + "/v1/messages", headers, {
            "model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "."}]})
    return status, answer


def check_model(env, live):
    """Status -1: not asked. The live config decides who is asked; if it names another provider than is wanted,
    that is what is wrong, whatever that one says."""
    known = PROVIDER in ANTHROPIC or PROVIDER in OPENAI
    if not known or live["provider"] not in ("", PROVIDER):
        return {"status": -1}
    name = next((name for name in KEYS if env.get(name)), "")
    if not name:
        return {"status": 0, "reason": " or ".join(KEYS) + " is not set in the pod"}
    if PROVIDER in ANTHROPIC:
        status, answer = ask_anthropic(env, env[name], live["model"] or MODEL)
    else:
        variable, base, question = OPENAI[PROVIDER]
        base = (env.get(variable) or base).rstrip("/")
        status, answer = ask(base + question, {"Authorization": "Bearer " + env[name]})
    error = answer.get("error")
    reason = error.get("message", "") if isinstance(error, dict) else answer.get("reason") or error or ""
    return {"status": status, "reason": str(reason), "key": name}


def main():
    env_file, config = agent_files("/opt/data/.env", "/opt/data/config.yaml")
    env, live = variables(env_file), live_model(config)
    found = {"bot": check_bot(env), "model": check_model(env, live), "live": live}
    for part in (found["bot"], found["model"]):
        for name in ("TELEGRAM_BOT_TOKEN", *KEYS):
            if len(env.get(name, "")) > 5 and "reason" in part:
                part["reason"] = part["reason"].replace(env[name], "***")
        part["reason"] = part.get("reason", "")[:300]
    print(json.dumps(found))


main()
