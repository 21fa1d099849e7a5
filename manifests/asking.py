# How Telegram and the model providers are asked, from inside the pod. No script by itself: lifelines.py and
# trial.py run with files.py and this before them.
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request

AGENT, NOBODY = 10000, 65534
ROOT, BOT_API = "", "https://api.telegram.org"  # tests have others
# Who can be asked, and how: the variable that moves it, where it is without one, and its cheapest question.
ANTHROPIC = {"minimax": ("MINIMAX_BASE_URL", "https://api.minimax.io/anthropic"),
             "minimax-cn": ("MINIMAX_CN_BASE_URL", "https://api.minimaxi.com/anthropic"),
             "anthropic": ("ANTHROPIC_BASE_URL", "https://api.anthropic.com")}
OPENAI = {"openrouter": ("", "https://openrouter.ai/api/v1", "/key"),
          "openai-api": ("OPENAI_BASE_URL", "https://api.openai.com/v1", "/models"),
          "deepseek": ("", "https://api.deepseek.com", "/models"),
          "xai": ("", "https://api.x.ai/v1", "/models")}
UNTIL = time.monotonic() + 40


def text(path):
    return read(ROOT + path)[1]


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


def variables(files):
    """The environment of the container, with what Hermes' own files put over it."""
    return {**os.environ, **merged(map(assignments, files))}


def merged(found):
    """One of several dictionaries: what a later one says wins, key by key, as it does for Hermes."""
    return {key: value for one in found for key, value in one.items()}


class Straight(urllib.request.HTTPRedirectHandler):
    """A key goes to whom it is for, not to where that one points."""

    def redirect_request(self, *_):
        return None


def body_of(answer):
    """Of a stream of events the first message: its end may never come."""
    if answer.headers.get_content_type() != "text/event-stream":
        return answer.read(1 << 20)
    for _ in range(100):
        line = answer.readline(1 << 16)
        if not line or line.startswith(b"data:"):
            return line[5:]
    return b""


def read_answer(request, proxy):
    left = min(10, max(0.1, UNTIL - time.monotonic()))
    by_way_of = [urllib.request.ProxyHandler({"http": proxy, "https": proxy})] if proxy else []
    try:
        with urllib.request.build_opener(Straight, *by_way_of).open(request, timeout=left) as answer:
            return answer.status, body_of(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(1 << 16)


def why(error):
    """Without Python's "[Errno 111]"."""
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason)


def ask(url, headers=None, body=None, proxy=""):
    """(HTTP status, JSON); status 0 and a reason when there was no answer. Without a proxy of its own a request
    takes the environment's."""
    data = json.dumps(body).encode() if body is not None else None
    if not url.startswith(("http://", "https://")):
        return 0, {"reason": "this cannot be sent: no address of a server"}
    try:
        request = urllib.request.Request(url, data=data, headers={"User-Agent": "hermesctl", **(headers or {})})
        if data is not None:
            request.add_header("Content-Type", "application/json")
        status, answer = read_answer(request, proxy)
    except (ValueError, http.client.InvalidURL):  # which say what they were given, in their own spelling
        return 0, {"reason": "this cannot be sent: no valid address, or no valid value of a header"}
    except (OSError, http.client.HTTPException) as error:
        return 0, {"reason": why(error)}
    try:
        value = json.loads(answer)
    except ValueError:
        value = {}
    return status, value if isinstance(value, dict) else {}


def reason_of(answer):
    error = answer.get("error")
    return str(error.get("message", "") if isinstance(error, dict) else answer.get("reason") or error or "")


def expand(value, env):
    """${NAME} and ${env:NAME}, as Hermes expands them: what is not set stays as it is."""
    return re.sub(r"\$\{(?:env:)?(\w+)\}", lambda one: env.get(one[1], one[0]), value, flags=re.A)


def telegram_of(found, env):
    """How Hermes gets to the Bot API by its settings: what stands before the token, and a proxy. Another proxy than
    HTTP's is not spoken here."""
    base = found.get("platforms.telegram.extra.base_url") or found.get("gateway.platforms.telegram.extra.base_url")
    proxy = env.get("TELEGRAM_PROXY", "").strip()
    return expand(base or BOT_API + "/bot", env), proxy if proxy.startswith("http://") else ""


def ask_telegram(way, token, question):
    api, proxy = way
    return ask("%s%s/%s" % (api, token, question), proxy=proxy)


def ask_bot(way, token, env):
    """Whose token it is, and whether a webhook, other than the gateway's own, takes the updates away from polling."""
    status, answer = ask_telegram(way, token, "getMe")
    if status != 200:
        return {"status": status, "reason": str(answer.get("description") or answer.get("reason") or "")}
    me = answer.get("result") or {}
    _, hook = ask_telegram(way, token, "getWebhookInfo")
    return {"status": status, "username": str(me.get("username", "")), "id": me.get("id", 0),
            "webhook": bool((hook.get("result") or {}).get("url")) and not env.get("TELEGRAM_WEBHOOK_URL")}


def live_model(found):
    name = found.get("model.default") or found.get("model.model") or found.get("model") or ""
    return {"provider": found.get("model.provider", "").lower()[:100], "model": name[:100]}


def own_base(provider, found, env):
    """Where the settings have this provider, if that decides: Hermes lets a variable win; else ""."""
    variable, public = (ANTHROPIC.get(provider) or OPENAI[provider])[:2]
    base = expand(found.get("model.base_url", ""), env).rstrip("/")
    used = found.get("model.provider", "").lower() == provider and not env.get(variable)
    return base if used and base != public else ""


def ask_anthropic(base, key, model):
    headers = {"x-api-key": key, "Authorization": "Bearer " + key, "anthropic-version": "2023-06-01"}
    status, answer = ask(base + "/v1/models", headers)
    if status in (404, 405):  # not every compatible server lists models
        status, answer = ask(base + "/v1/messages", headers, {
            "model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "."}]})
    return status, answer


def ask_model(provider, env, key, model, own=""):
    """`own`: as of own_base. Status -1: nobody knows how to ask this provider."""
    if provider not in ANTHROPIC and provider not in OPENAI:
        return {"status": -1}
    variable, public, *question = ANTHROPIC.get(provider) or OPENAI[provider]
    base = own or (env.get(variable) or public).rstrip("/")
    if provider in ANTHROPIC:
        status, answer = ask_anthropic(base, key, model)
    else:
        status, answer = ask(base + question[0], {"Authorization": "Bearer " + key})
    return {"status": status, "reason": reason_of(answer)}


def hide(part, values):
    """The part without these values in its reason."""
    reason = part.get("reason", "")
    for value in sorted(values, key=len, reverse=True):
        if len(value) > 5:
            reason = reason.replace(value, "***")
    return {**part, "reason": reason[:300]}
