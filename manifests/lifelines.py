# Do the token and the model key work? Asked from inside the pod, with the values that the gateway has:
# prints one JSON line {"bot": {...}, "model": {...}}; never a value. Run as `python3 -I -S` by absolute path.
#   lifelines.py PROVIDER KEY_NAME MODEL
import json
import os
import sys
import urllib.error
import urllib.request

AGENT, NOBODY = 10000, 65534
PROVIDER, KEY_NAME = sys.argv[1], sys.argv[2]
ANTHROPIC = {"minimax": ("MINIMAX_BASE_URL", "https://api.minimax.io/anthropic"),
             "minimax-cn": ("MINIMAX_CN_BASE_URL", "https://api.minimaxi.com/anthropic"),
             "anthropic": ("ANTHROPIC_BASE_URL", "https://api.anthropic.com")}
OPENAI = {"openrouter": "https://openrouter.ai/api/v1/key", "openai-api": "https://api.openai.com/v1/models",
          "deepseek": "https://api.deepseek.com/models", "xai": "https://api.x.ai/v1/models"}


def as_user(uid):
    os.setegid(uid)
    os.seteuid(uid)


def settings():
    """The environment of the container, with what Hermes' own .env puts over it; and the live config's provider."""
    found, provider = dict(os.environ), ""
    root = os.getuid() == 0
    if root:
        os.setgroups([])
        as_user(AGENT)
    try:
        with open("/opt/data/.env", encoding="utf-8", errors="replace") as file:
            for line in file:
                key, equals, value = line.strip().partition("=")
                if equals and not key.startswith("#"):
                    found[key.removeprefix("export ").strip()] = value.strip().strip("\"'")
    except OSError:
        pass
    try:
        with open("/opt/data/config.yaml", encoding="utf-8", errors="replace") as file:
            section = ""
            for line in file:
                if line[:1].strip() and not line.startswith("#"):
                    section = line.split(":")[0].strip()
                key, colon, value = line.strip().partition(":")
                if section == "model" and key == "provider" and colon and line[:1] in " \t":
                    provider = value.split("#")[0].strip().strip("\"'")
    except OSError:
        pass
    if root:
        os.seteuid(0)
        os.setegid(0)
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    return found, provider


def ask(url, headers=None, body=None):
    """(HTTP status, JSON); status 0 and a reason when there was no answer."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, headers={"User-Agent": "hermesctl", **(headers or {})})
    if data is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, text = answer.status, answer.read(1 << 20)
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read(1 << 16)
    except (OSError, ValueError) as error:
        return 0, {"reason": str(getattr(error, "reason", error))}
    try:
        value = json.loads(text)
    except ValueError:
        value = {}
    return status, value if isinstance(value, dict) else {}


def clean(text, secrets):
    for secret in secrets:
        if len(secret) > 5:
            text = text.replace(secret, "***")
    return text[:300]


def check_bot(env):
    token = env.get("TELEGRAM_BOT_TOKEN", "")
    if not token:
        return {"status": 0, "reason": "TELEGRAM_BOT_TOKEN is not set in the pod"}
    status, answer = ask("https://api.telegram.org/bot%s/getMe" % token)
    if status != 200:
        return {"status": status, "reason": str(answer.get("description") or answer.get("reason") or "")}
    me = answer.get("result") or {}
    _, hook = ask("https://api.telegram.org/bot%s/getWebhookInfo" % token)
    return {"status": status, "username": str(me.get("username", "")), "id": me.get("id", 0),
            "webhook": bool((hook.get("result") or {}).get("url"))}


def check_model(env, model):
    key = env.get(KEY_NAME, "")
    if not KEY_NAME:
        return {"status": -1}
    if not key:
        return {"status": 0, "reason": KEY_NAME + " is not set in the pod"}
    if PROVIDER in ANTHROPIC:
        variable, base = ANTHROPIC[PROVIDER]
        base = (env.get(variable) or base).rstrip("/")
        headers = {"x-api-key": key, "Authorization": "Bearer " + key, "anthropic-version": "2023-06-01"}
        status, answer = ask(base + "/v1/models", headers)
        if status in (404, 405):  # not every compatible server lists models
            status, answer = ask(base + "/v1/messages", headers, {
                "model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "."}]})
    elif PROVIDER in OPENAI:
        status, answer = ask(OPENAI[PROVIDER], {"Authorization": "Bearer " + key})
    else:
        return {"status": -1}
    error = answer.get("error")
    reason = error.get("message", "") if isinstance(error, dict) else answer.get("reason") or error or ""
    return {"status": status, "reason": str(reason)}


def main():
    env, provider = settings()
    found = {"bot": check_bot(env), "model": check_model(env, sys.argv[3]), "live_provider": provider}
    secrets = [env.get(name, "") for name in ("TELEGRAM_BOT_TOKEN", KEY_NAME)]
    for part in (found["bot"], found["model"]):
        if "reason" in part:
            part["reason"] = clean(part["reason"], secrets)
    print(json.dumps(found))


main()
